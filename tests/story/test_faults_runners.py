"""Two runs at once, and one that lives on after another has taken over."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from millpond.errors import ExitCode, LeaseHeld, MillpondError
from millpond.model.change import Change
from millpond.model.outcome import ApplyResult
from tests.story.silent import Silent
from tests.story.stage import Stage
from tests.story.test_faults import whole

PATIENCE = 30


class Pausing(Silent):
    """A run that stands still just before it sends the first change of this action, of whatever kind unless it is `kind#action`."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.paused, self.resume = Event(), Event()

    def began(self, change: Change) -> None:
        verb = change.action.partition(":")[0]
        if self.action in (verb, f"{change.kind}#{verb}") and not self.paused.is_set():
            self.paused.set()
            assert self.resume.wait(PATIENCE)


def beside(stage: Stage, action: str, meanwhile: Callable[[], None]) -> ApplyResult:
    """An apply that stands still before `action` until `meanwhile` has been done."""
    pausing = Pausing(action)
    with ThreadPoolExecutor(1) as pool:
        apply = pool.submit(stage.apply, pausing)
        try:
            assert pausing.paused.wait(PATIENCE)
            meanwhile()
        finally:
            pausing.resume.set()
        return apply.result()


def test_a_second_run_is_refused_and_says_who_is_at_work(stage: Stage) -> None:
    stage.manifest["cutover"] = True

    def second() -> None:
        with stage.counted() as mutating, pytest.raises(LeaseHeld) as refused:
            stage.apply()
        assert mutating == []
        assert refused.value.exit_code == ExitCode.LEASED == 5
        assert "millpond unlock acme --run" in str(refused.value.command)

    assert not beside(stage, "stop", second).remaining
    whole(stage)


def stopped(result: ApplyResult) -> list[type[MillpondError]]:
    return [type(error) for _, error in result.errors]


@pytest.mark.parametrize("action", ["stop", "sync", "create"])
def test_a_run_whose_lease_was_taken_sends_nothing_more(stage: Stage, action: str) -> None:
    stage.manifest["cutover"] = True

    def takes_over() -> None:
        stage.unlocked()
        assert not stage.settle().remaining
        stage.sandbox.control.clear_requests()

    assert stopped(beside(stage, action, takes_over)) == [LeaseHeld]
    assert stage.sandbox.control.mutating() == []
    whole(stage)


@pytest.mark.parametrize("action", ["stop", "promote", "create"])
def test_a_run_that_lost_its_journal_too_finds_the_other_in_the_cut_record(stage: Stage, action: str) -> None:
    """Each run has a journal of its own, which says that all is well, and the clouds check no lease."""
    stage.manifest["cutover"] = True

    def takes_over() -> None:
        stage.site_spec["journal"] = f"sqlite:///{stage.directory}/another.db"
        assert not stage.settle().remaining
        stage.sandbox.control.clear_requests()

    assert stopped(beside(stage, action, takes_over)) == [LeaseHeld]
    assert stage.sandbox.control.mutating() == []
    whole(stage)


BACK = ["lock", "stop", "demote", "restore", "start", "unlock", "delete", "volume#reserve"]


@pytest.mark.parametrize(
    ("action", "kind"),
    [*((a, "carry_back") for a in ("time_return", "reverse_sync", *BACK)), *((a, "discard") for a in ("stop", "restore", "start"))],
)
def test_on_the_way_back_too(moved: Stage, action: str, kind: str) -> None:
    """What the other run has finished left no record behind, and the tenant goes on: nothing is stopped, started or turned again."""
    stage = moved
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": kind}}

    def takes_over() -> None:
        stage.site_spec["journal"] = f"sqlite:///{stage.directory}/another.db"
        assert not stage.settle().remaining
        stage.sandbox.control.clear_requests()

    assert stopped(beside(stage, action, takes_over)) == [LeaseHeld]
    assert stage.sandbox.control.mutating() == []
    assert stage.sandbox.control.violations() == []
