from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from millpond.model.desired import Desired
from millpond.reconcilers.compute import source_server
from tests.planning.situations import BACK, PILOT, approved, back, before, done, flags, leaving
from tests.planning.tenant import INVENTORY, desired, prepared, world
from tests.planning.world import World, at
from tests.reconcilers.kinds import change, codes, ids, planned


def rungs(documents: Desired, made: World, server: str = "web-1") -> list[str]:
    return [id.replace(f"{server}#", "") for id in ids(planned(source_server, documents, made)) if f"{server}#" in id]


def source(made: World, **values: Any) -> World:
    made.source.compute.put("server-1", **values)
    return made


def noted(made: World, **keys: str | None) -> World:
    raw = made.source.compute.raw["server-1"]
    raw.update({f"millpond.{key}": value for key, value in keys.items() if value is not None})
    for key, value in keys.items():
        if value is None:
            raw.pop(f"millpond.{key}", None)
    return made


FAILED = "2026-12-01T22:00:00Z/failed"
WHOLE = ["record", "lock", "stop", "time", "boot", "verify"]


def test_a_server_is_recorded_as_it_was_found() -> None:
    made = prepared()
    assert rungs(PILOT, made) == WHOLE
    written = change(planned(source_server, PILOT, made), "web-1#record").parameters["metadata"]
    assert written == {
        "millpond.cut": made.now.strftime("%Y%m%dT%H%M%SZ"),
        "millpond.wave": "pilot",
        "millpond.run": "run-1",
        "millpond.power": "active",
        "millpond.locked": "no",
    }
    assert rungs(desired(), made) == []


def test_a_stopped_and_locked_server_is_noted_so_and_not_stopped() -> None:
    found = replace(INVENTORY, servers=(replace(INVENTORY.servers[0], status="SHUTOFF", locked=True), INVENTORY.servers[1]))
    on = flags(pilot=True, base=desired(found))
    planned_ = planned(source_server, on, world(found))
    assert [id.partition("#")[2] for id in ids(planned_) if "web-1" in id] == ["record", "retake_lock", "time", "boot", "verify"]
    written = change(planned_, "web-1#record").parameters["metadata"]
    assert (written["millpond.power"], written["millpond.locked"]) == ("shutoff", "yes")


@pytest.mark.parametrize(
    ("values", "notes", "wanted"),
    [
        ({}, {}, ["stop", "time", "boot", "verify"]),
        ({"locked": False}, {}, ["lock", "stop", "time", "boot", "verify"]),
        ({}, {"run": "run-9"}, ["claim", "stop", "time", "boot", "verify"]),
        ({"task_state": "powering-off"}, {}, ["… stop", "time", "boot", "verify"]),
        ({"status": "SHUTOFF"}, {}, ["time", "boot", "verify"]),
        ({"status": "SHUTOFF", "task_state": "powering-on"}, {"stopped": "ibox-a:1"}, ["… stop", "boot", "verify"]),
        ({"status": "SHUTOFF"}, {"stopped": "ibox-a:1"}, ["boot", "verify"]),
        ({"status": "ACTIVE"}, {"stopped": "ibox-a:1"}, ["untime", "stop", "time", "boot", "verify"]),
        ({"status": "SHUTOFF"}, {"stopped": "ibox-a:1", "attempts": "3:00000009", "booting": FAILED}, ["… verify"]),
        ({"status": "SHUTOFF"}, {"stopped": "ibox-a:1", "attempts": "3:00000009"}, ["… boot", "… verify"]),
        ({"status": "SHUTOFF"}, {"stopped": "ibox-a:1", "verified": "2026-12-01T22:00:00Z"}, []),
        ({}, {"cut": None, "verified": "2026-12-01T22:00:00Z"},
         ["forget:millpond.wave", "forget:millpond.run", "forget:millpond.power", "forget:millpond.locked", "forget:millpond.verified",
          "record", "retake_lock", "stop", "time", "boot", "verify"]),
    ],
)  # fmt: skip
def test_the_ladder_of_a_cut(values: dict[str, Any], notes: dict[str, str | None], wanted: list[str]) -> None:
    made = before("source_server/web-1#stop")
    made.run = "run-1"
    noted(source(made, **values), **notes)
    assert rungs(PILOT, made) == wanted


@pytest.mark.parametrize(
    ("declared", "seconds", "tried", "run", "wanted"),
    [
        (None, 0, False, "run-1", ["boot", "verify"]),
        ("run-1", 0, False, "run-1", ["verify"]),
        ("run-1", 300, True, "run-1", ["boot", "verify"]),
        ("run-1", 10, True, "run-1", ["verify"]),
        ("run-9", 10, False, "run-1", ["verify"]),
        ("run-9", 300, False, "run-1", ["boot", "verify"]),
        ("run-9", 300, False, "", ["claim", "verify"]),
        ("failed", 0, False, "run-1", ["boot", "verify"]),
    ],
)
def test_a_boot_is_declared_again_when_it_cannot_come_any_more(
    declared: str | None, seconds: int, tried: bool, run: str, wanted: list[str]
) -> None:
    made = before("source_server/web-1#boot")
    stamp = made.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    noted(made, booting=f"{stamp}/{declared}" if declared else None, run=run or "run-1")
    made.run = run
    if tried:
        made.tried = {f"server-1@{stamp}/{declared}"}
    made.now += timedelta(seconds=seconds)
    assert rungs(PILOT, made) == wanted


def back_home(**values: Any) -> World:
    made = before("source_server/web-1#time")
    made.run = "run-1"
    return source(noted(made, run="run-1"), **values)


CLEAR = [f"forget:millpond.{key}" for key in ("cut", "wave", "run", "power", "locked")]


@pytest.mark.parametrize(
    ("values", "notes", "wanted"),
    [
        ({}, {}, ["start", "unlock", *CLEAR]),
        ({"task_state": "powering-on"}, {}, ["… start", "unlock", *CLEAR]),
        ({"status": "ACTIVE"}, {}, ["unlock", *CLEAR]),
        ({"status": "ACTIVE", "locked": False}, {}, CLEAR),
        ({}, {"power": "shutoff"}, ["unlock", *CLEAR]),
        ({}, {"locked": "yes"}, ["start", *CLEAR]),
        ({}, {"locked": "retaken"}, ["start", *CLEAR]),
        ({"status": "ERROR"}, {}, ["… start", "unlock", *CLEAR]),
        ({"status": "ACTIVE", "locked": False}, {"cut": None}, CLEAR[1:]),
    ],
)
def test_it_is_given_back_as_it_was_found(values: dict[str, Any], notes: dict[str, str | None], wanted: list[str]) -> None:
    assert rungs(BACK, noted(back_home(**values), **notes)) == wanted


def test_what_is_left_of_a_record_goes_side_by_side_after_its_cut() -> None:
    steps = planned(source_server, BACK, back_home(status="ACTIVE", locked=False)).steps
    assert steps[0].id.endswith("forget:millpond.cut")
    assert {step.after for step in steps[1:]} == {(steps[0].id,)}


def test_a_handover_is_taken_back_before_anything_else_and_its_return_is_timed_anew() -> None:
    made = done()
    home = back(made, "carry_back")
    assert rungs(home, made)[:3] == ["unverify", "time_return", "start"]
    noted(made, verified=None, returned="ibox-b:1")
    assert rungs(home, made)[:3] == ["untime_return", "time_return", "start"]
    made.target.compute.put(next(iter(made.target.compute.rows)), status="SHUTOFF", locked=True)
    assert rungs(home, made)[:2] == ["start", "unlock"]


def test_a_server_that_vanishes_in_its_cut_blocks_its_wave() -> None:
    base = flags(pilot=True, rest=True)
    both = replace(base, waves=(replace(base.waves[0], servers=("server-1", "server-2"), volumes=("root-1", "data-1", "root-2")),))
    made = before("source_server/web-1#stop", on=both)
    del made.source.compute.rows["server-2"]
    assert codes(planned(source_server, both, made)) == [("source_server_gone", "pilot")]
    assert rungs(both, made, "web-2") == ["… boot"]
    steps = {step.id: step for step in made.plan(both).steps}
    assert "acme/source_server/web-2#boot" in steps["acme/volume/web-2-root#release"].after
    gone = prepared()
    del gone.source.compute.rows["server-1"]
    assert codes(planned(source_server, PILOT, gone)) == []


def test_it_is_deleted_with_the_source() -> None:
    made = done(flags(pilot=True, rest=True))
    assert rungs(approved(made, leaving()), made) == ["delete"]
    source(made, task_state="deleting")
    assert rungs(approved(made, leaving()), made) == ["… delete"]


def test_a_later_way_back_times_what_a_copy_wrote_since_the_former() -> None:
    """The copy ran again in between, and is stopped by its tenant when the second way back begins: nothing of it may be taken as old."""
    made = done()
    made.advance(back(made, "carry_back"), at("replication_group/pilot-ssd#demote"))
    made.advance(PILOT)
    made.tick(600)
    copy = next(iter(made.target.compute.rows))
    made.target.compute.put(copy, status="SHUTOFF")
    made.advance(back(made, "carry_back"))
    assert made.source.compute.rows["server-1"].status == "ACTIVE"
