"""A rollback's word is changed while it is under way: what the target wrote is on the source in the end, or a blocker says where it is."""

from __future__ import annotations

from millpond.model.change import Change
from millpond.model.outcome import Outcome
from tests.story.silent import Silent
from tests.story.stage import Stage
from tests.story.test_small import contents, statuses, write


class Dies(Exception):
    """Of the run, after a step."""


class DiesAfter(Silent):
    def __init__(self, action: str) -> None:
        self.action = action

    def ended(self, change: Change, outcome: Outcome) -> None:
        if change.action == self.action:
            raise Dies


def rolls_back(stage: Stage, cut: str, word: str) -> None:
    stage.manifest |= {"cutover": False, "rollback": {"cut": cut, "target_writes": word}}


def begun(stage: Stage, cut: str, *, until: str) -> None:
    rolls_back(stage, cut, "discard")
    try:
        stage.apply(DiesAfter(until))
        raise AssertionError(f"{until} was not among what was done")
    except Dies:
        stage.unlocked()


def test_a_discard_that_has_begun_is_not_changed_into_a_carry_back_without_a_word(moved: Stage) -> None:
    """The target's disks are read-only and alone hold what was written there: as the blocker says, cut again, then carried back."""
    cut = moved.cut()
    write(moved, "target", "the order of Tuesday")
    source, target = contents(moved, "ibox-a"), contents(moved, "ibox-b")
    begun(moved, cut, until="demote")
    rolls_back(moved, cut, "carry_back")
    with moved.counted() as mutating:
        result = moved.apply()
    (found,) = result.plan.tenants[0].blockers
    assert (found.code, result.held, mutating) == ("discard_begun", True, [])
    assert (contents(moved, "ibox-a"), contents(moved, "ibox-b")) == (source, target)
    moved.manifest["cutover"] = True
    del moved.manifest["rollback"]
    assert moved.settle().plan.tenants[0].steps == ()
    assert set(statuses(moved, "target").values()) == {"active"}
    rolls_back(moved, moved.cut(), "carry_back")
    assert moved.settle().plan.tenants[0].steps == ()
    assert set(statuses(moved, "source").values()) == {"active"}
    assert sorted(contents(moved, "ibox-a").values()) == sorted(target.values())
    told = {(one["kind"], one["where"]) for one in moved.sandbox.control.violations()}
    assert told == {("write_lost", "ibox-b")}  # any promotion with other contents than the source's: here they are the newer ones
