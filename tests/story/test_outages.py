"""How long servers were down, measured by one run or by several, whatever goes wrong meanwhile."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click import unstyle

from millpond.execution.cutovers import cutovers_of
from millpond.execution.journal import Journal
from millpond.execution.outages import stops_of
from millpond.model.change import Change
from millpond.model.cutover import Cutover
from millpond.model.outcome import Outcome, Result
from millpond.providers import transport
from millpond.reporting.outcome_text import NOT_MEASURED, outcome_text
from tests.story.command import millpond
from tests.story.silent import Silent
from tests.story.stage import Stage
from tests.story.test_small import cut_over, statuses

ALL = ("acme/server/db-1", "acme/server/web-1", "acme/server/web-2")


class OnceStopped(Silent):
    """Lets something go wrong as soon as the first server was stopped."""

    def __init__(self, stage: Stage, *faults: dict[str, Any]) -> None:
        self._stage, self._faults = stage, faults

    def ended(self, change: Change, outcome: Outcome) -> None:
        if change.action == "stop" and outcome.result is Result.DONE:
            for fault in self._faults:
                self._stage.sandbox.control.fault(**fault)
            self._faults = ()


def drawn(stage: Stage) -> tuple[Cutover, ...]:
    journal = Journal.open("", stage.directory)
    return cutovers_of(journal.entries("acme"), journal.expectations("acme"), datetime.now(UTC), journal.measured("acme"))


def back(stage: Stage) -> None:
    stage.manifest |= {"cutover": False, "rollback": {"cut": cut_over(stage), "target_writes": "discard"}}


def test_an_api_that_is_silent_for_several_looks_does_not_end_a_run_in_an_outage(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PAUSES", (0.01, 0.02, 3.0))
    back(stage)
    refused: dict[str, Any] = {"action": {"status": 503}, "cloud": "target", "service": "nova", "path": "/servers/detail", "count": 5}
    result = stage.apply(OnceStopped(stage, refused))
    assert result.errors == ()
    assert tuple(address for address, _ in result.outages) == ALL
    assert set(statuses(stage, "source").values()) == {"active"}


def test_a_login_that_is_silent_does_not_end_a_run_in_an_outage(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PAUSES", (0.01, 0.02, 0.03))
    back(stage)
    expired: dict[str, Any] = {"action": {"status": 401}, "cloud": "source", "service": "nova", "method": "POST", "path": "/action$"}
    silent: dict[str, Any] = {"action": {"status": 503}, "cloud": "source", "method": "POST", "path": "/auth/tokens", "count": 4}
    result = stage.apply(OnceStopped(stage, {**expired, "count": 1}, silent))
    assert [outcome.step.partition("#")[2] for outcome in result.outcomes if outcome.result is Result.HELD] == ["start"]
    assert result.errors == ()
    assert tuple(address for address, _ in result.outages) == ALL


def test_a_handover_whose_reply_is_lost_ends_its_outage(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    lost: dict[str, Any] = {
        "action": "drop_after",
        "cloud": "source",
        "service": "nova",
        "method": "POST",
        "path": "/metadata$",
        "count": 1,
    }
    seen: list[str] = []

    class Losing(Silent):
        def began(self, change: Change) -> None:
            if change.kind == "source_server" and change.action == "verify" and not seen:
                seen.append(change.id)
                stage.sandbox.control.fault(**lost)

    result = stage.apply(Losing())
    assert [outcome.step.partition("#")[2] for outcome in result.outcomes if outcome.result is Result.UNKNOWN] == ["verify"]
    assert tuple(address for address, _ in result.outages) == ALL


def test_what_a_former_run_stopped_counts_from_its_record(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.sandbox.control.fault(action={"status": 400}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    assert stage.apply().outages == ()
    stage.sandbox.control.clear_faults()
    stage.sandbox.control.advance(900)
    stage.forget()
    result = stage.apply()
    assert tuple(address for address, _ in result.outages) == ALL
    assert all(900 <= seconds < 1800 for _, seconds in result.outages), result.outages


def test_what_a_former_run_stopped_and_goes_back_counts_from_its_record(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.sandbox.control.fault(action={"status": 400}, cloud="source", service="nova", method="POST", path="/metadata$", skip=6, count=0)
    stage.apply()
    stage.sandbox.control.clear_faults()
    assert "stopped" in statuses(stage, "source").values()
    stage.sandbox.control.advance(900)
    stage.forget()
    stage.manifest["cutover"] = False
    result = stage.apply()
    assert not result.remaining
    assert tuple(address for address, _ in result.outages) == ALL
    assert all(900 <= seconds < 1800 for _, seconds in result.outages), result.outages


@pytest.mark.parametrize("goes_on", [True, False])
def test_with_its_journal_what_a_former_run_stopped_counts_by_the_clock_that_sees_its_end(stage: Stage, goes_on: bool) -> None:
    """The simulated clocks run sixty times as fast, and were put forward: by those of the arrays it would be a quarter of an hour."""
    stage.manifest["cutover"] = True
    refused: dict[str, Any] = {"action": {"status": 400}, "cloud": "source", "service": "nova", "method": "POST", "path": "/metadata$"}
    stage.sandbox.control.fault(**refused, skip=6, count=0)
    begun = datetime.now(UTC)
    stage.apply()
    stage.sandbox.control.clear_faults()
    assert "stopped" in statuses(stage, "source").values()
    sent = min(entry.at for entry in Journal.open("", stage.directory).entries("acme") if entry.step.endswith("#stop"))
    shown = unstyle(millpond(stage.directory, "status").out)
    assert re.findall(r"since (\S+ \S+) UTC", shown) == [f"{sent:%Y-%m-%d %H:%M:%S}"]
    stage.sandbox.control.advance(900)
    stage.manifest["cutover"] = goes_on
    result = stage.apply()
    assert tuple(address for address, _ in result.outages) == ALL
    assert all(0 < seconds < (datetime.now(UTC) - begun).total_seconds() for _, seconds in result.outages), result.outages
    assert [way.back for way in drawn(stage)] == [not goes_on]


@pytest.mark.parametrize("target_writes", ["carry_back", "discard"])
def test_a_way_back_from_a_cut_between_boots_counts_what_never_ran_from_its_cut(stage: Stage, target_writes: str) -> None:
    stage.manifest["cutover"] = True
    stage.site_spec = {"limits": {"request_timeout": "1s", "mac_move": "0s", "poll": "50ms", "builds": 1}}
    refused: dict[str, Any] = {"action": {"status": 400}, "cloud": "target", "service": "nova", "method": "POST", "path": "/servers$"}
    stage.sandbox.control.fault(**refused, skip=1, count=0)
    stage.apply()
    stage.sandbox.control.clear_faults()
    ran = {f"acme/server/{name}" for name in statuses(stage, "target")}
    assert len(ran) == 1
    stops = stops_of(Journal.open("", stage.directory).entries("acme"))
    assert stops.keys() == set(ALL) - ran
    time.sleep(3)
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": target_writes}}
    back = datetime.now(UTC)
    result = stage.settle()
    outages = dict(result.outages)
    assert (outages.keys(), result.unmeasured) == (set(ALL), ())
    for outage in (each for each in Journal.open("", stage.directory).measured("acme") if each.back):
        if outage.server in ran:
            assert outage.began > back
        else:
            assert abs((outage.began - stops[outage.server].at).total_seconds()) < 0.1
        assert abs(outage.seconds - outages[outage.server]) < 0.001
    ways = [way for way in drawn(stage) if way.back]
    assert [{each.address: round(each.seconds or 0, 3) for each in way.servers} for way in ways] == [
        {address: round(seconds, 3) for address, seconds in outages.items()}
    ]
    assert {each.address: each.estimated for each in ways[0].servers} == dict(result.estimated)
    assert all(wait.began < wait.ended for each in ways[0].servers for wait in each.waits)
    told = {line.split("|")[1].strip() for line in millpond(stage.directory, "report").out.splitlines() if "| rollback |" in line}
    assert told == set(ALL)


def test_a_time_that_the_run_itself_has_read_says_nothing_of_when_a_copy_was_stopped(stage: Stage) -> None:
    """The journal is lost between the stop on the target and the time of it."""
    stage.manifest |= {"cutover": False, "rollback": {"cut": cut_over(stage), "target_writes": "carry_back"}}
    refused: dict[str, Any] = {"action": {"status": 400}, "cloud": "source", "service": "nova", "method": "POST", "path": "/metadata$"}

    class Refusing(Silent):
        def ended(self, change: Change, outcome: Outcome) -> None:
            if change.kind == "server" and change.action == "stop":
                stage.sandbox.control.fault(**refused, count=0)

    stage.apply(Refusing())
    assert set(statuses(stage, "target").values()) == {"stopped"}
    stage.sandbox.control.clear_faults()
    stage.forget()
    result = stage.settle()
    assert (result.outages, result.unmeasured) == ((), ALL)


def test_a_discard_that_a_former_run_began_counts_from_the_journal(stage: Stage) -> None:
    back(stage)
    refused: dict[str, Any] = {"action": {"status": 400}, "cloud": "source", "service": "nova", "method": "POST", "path": "/action$"}
    stage.sandbox.control.fault(**refused, count=0)
    assert stage.apply().outages == ()
    assert "stopped" in statuses(stage, "source").values()
    stage.sandbox.control.clear_faults()
    time.sleep(3)
    result = stage.apply()
    assert not result.remaining
    assert tuple(address for address, _ in result.outages) == ALL
    assert all(3 <= seconds < 300 for _, seconds in result.outages), result.outages
    assert result.unmeasured == ()


def test_a_carry_back_that_a_former_run_began_counts_from_the_journal(stage: Stage) -> None:
    """The simulated clocks run sixty times as fast: by those of the arrays it would be minutes."""
    stage.manifest |= {"cutover": False, "rollback": {"cut": cut_over(stage), "target_writes": "carry_back"}}
    stage.sandbox.control.fault(action={"status": 400}, cloud="source", service="nova", method="POST", path="/action$", count=0)
    begun = datetime.now(UTC)
    stage.apply()
    assert "stopped" in statuses(stage, "source").values()
    shown = unstyle(millpond(stage.directory, "status").out)
    (since,) = re.findall(r"since (\S+ \S+) UTC", shown)
    assert datetime.fromisoformat(f"{since}+00:00") >= begun - timedelta(seconds=1)
    stage.sandbox.control.clear_faults()
    time.sleep(3)
    result = stage.apply()
    assert tuple(address for address, _ in result.outages) == ALL
    assert all(3 <= seconds < (datetime.now(UTC) - begun).total_seconds() for _, seconds in result.outages), result.outages


def test_without_its_journal_such_an_outage_is_told_as_not_measured(stage: Stage) -> None:
    back(stage)
    stage.sandbox.control.fault(action={"status": 400}, cloud="source", service="nova", method="POST", path="/action$", count=0)
    stage.apply()
    stage.sandbox.control.clear_faults()
    for file in (stage.directory / ".millpond").glob("journal*"):
        file.unlink()
    result = stage.apply()
    assert not result.remaining
    assert (result.outages, result.unmeasured) == ((), ALL)
    told = unstyle(outcome_text(result))
    assert re.search(r"^ *acme/server/web-1 +not measured +\S", told, re.MULTILINE)
    assert NOT_MEASURED in told


def test_a_guest_that_does_not_shut_down_is_named_and_the_next_apply_goes_on(stage: Stage) -> None:
    """Nova kills it after a minute, here six seconds; the site allows one."""
    stage.manifest["cutover"] = True
    stage.site_spec = {"limits": {"request_timeout": "1s", "mac_move": "0s", "poll": "50ms", "stop_timeout": "1s"}}
    control = stage.sandbox.control
    control.fault(world="deaf_guest", cloud="source", name="web-1")
    control.settings(speed=10)
    stage.write()
    answer = millpond(stage.directory, "apply")
    assert answer.code == 3, answer.text
    assert "OUTAGE IN PROGRESS" in answer.out
    assert "web-1: it is being stopped" in " ".join(answer.out.split())
    control.settings(speed=60)
    control.advance(60)
    stage.site_spec = {}
    assert not stage.settle().held
    assert set(statuses(stage, "target").values()) == {"active"}
    assert control.violations() == []


def test_a_run_that_ends_before_any_stop_has_shown_says_that_the_outage_has_begun(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.site_spec = {"limits": {"request_timeout": "1s", "mac_move": "0s", "poll": "50ms", "stop_timeout": "1s"}}
    control = stage.sandbox.control
    for name in ("web-1", "web-2", "db-1"):
        control.fault(world="deaf_guest", cloud="source", name=name)
    control.settings(speed=1)
    stage.write()
    answer = millpond(stage.directory, "apply")
    control.settings(speed=60)
    assert set(statuses(stage, "source").values()) == {"active"}
    assert (answer.code, "OUTAGE IN PROGRESS" in answer.out) == (3, True), answer.text
