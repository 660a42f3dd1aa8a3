"""A way back stops nothing on the target for disks that cannot change hands: one copy cannot be stopped, or one source not be started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from millpond.model.change import Waiting
from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.manifest import Rollback
from millpond.model.plan import TenantPlan
from tests.planning.situations import cut_of, one_wave
from tests.planning.tenant import SITE, prepared, world
from tests.planning.world import World, at, flagged

WAYS = pytest.mark.parametrize("how", ["discard", "carry_back"])
BEGINS = ("unverify", "lock", "stop", "demote", "restore", "start", "delete")


@cache
def cut_over() -> World:
    base = one_wave()
    made = world()
    made.tick()
    made.advance(base)
    made.tick(3600)
    made.advance(flagged(base, pilot={"cutover": True}))
    made.tick(600)
    return made


def together() -> tuple[World, Desired]:
    """Both servers run on the target, and the disks of both are in one group."""
    return cut_over().copy(), one_wave()


def back(made: World, base: Desired, how: str) -> Desired:
    made.discard(["server-1", "server-2"] if how == "discard" else [])
    return flagged(base, pilot={"rollback": Rollback(cut_of(made), how)})


def copy_of(made: World, source_id: str) -> str:
    return next(id for id in made.target.compute.rows if made.target.compute.shown(id).marker == source_id)


def found(made: World, source_id: str, **values: object) -> str:
    """The copy, as somebody has left it."""
    id = copy_of(made, source_id)
    made.target.compute.put(id, **values)
    return id


def begun(made: World, since: int) -> set[str]:
    return {id.removeprefix("acme/") for id in made.sent[since:] if id.partition("#")[2] in BEGINS}


def copies(made: World) -> dict[str, str]:
    compute = made.target.compute
    return {compute.shown(id).marker: one.status for id, one in compute.rows.items()}


def told(plan: TenantPlan) -> Finding:
    (finding,) = plan.blockers
    return finding


def gates(plan: TenantPlan) -> list[Waiting]:
    return [step for step in plan.waiting if step.id.endswith("#stops")]


def home(made: World, on: Desired) -> None:
    assert made.advance(on).steps == ()
    assert ({one.status for one in made.source.compute.rows.values()}, made.target.compute.rows) == ({"ACTIVE"}, {})


STATES: Mapping[str, str] = {
    "PAUSED": "unpause",
    "SUSPENDED": "resume",
    "SHELVED": "unshelve",
    "SHELVED_OFFLOADED": "unshelve",
    "RESCUE": "unrescue",
    "VERIFY_RESIZE": "resize confirm",
}


@WAYS
@pytest.mark.parametrize("status", STATES)
def test_nothing_is_stopped_beside_a_copy_that_cannot_be(status: str, how: str) -> None:
    made, base = together()
    id = found(made, "server-1", status=status, power_state=3)
    on, sent = back(made, base, how), len(made.sent)
    plan = made.advance(on)
    finding = told(plan)
    assert (finding.code, str(finding.address), finding.wave) == ("server_state", "acme/server/web-1", "pilot")
    assert status in finding.what
    assert [(wave.down, wave.outage_since) for wave in plan.waves] == [((), "")]
    assert finding.fix.startswith("as the tenant or an administrator")
    assert f"\n    openstack --os-cloud target server {STATES[status]} {id}" in finding.fix
    assert begun(made, sent) == set()
    assert copies(made) == {"server-1": status, "server-2": "ACTIVE"}
    found(made, "server-1", status="ACTIVE", power_state=1)
    home(made, on)


def test_what_is_locked_is_an_administrators_to_bring_up() -> None:
    made, base = together()
    found(made, "server-1", status="PAUSED", power_state=3, locked=True)
    assert told(made.plan(back(made, base, "discard"))).fix.startswith("as an administrator; ")


def test_a_state_without_a_way_out_that_is_known_is_told_all_the_same() -> None:
    made, base = together()
    found(made, "server-1", status="UNKNOWN")
    assert "bring it to ACTIVE or SHUTOFF on target" in told(made.plan(back(made, base, "discard"))).fix


def test_one_in_error_whose_guest_was_launched_is_stopped_as_one_that_runs() -> None:
    made, base = together()
    found(made, "server-1", status="ERROR", power_state=1)
    home(made, back(made, base, "discard"))


@WAYS
def test_nothing_is_stopped_beside_a_boot_in_error_whose_guest_is_up(how: str) -> None:
    made, base = together()
    found(made, "server-2", status="ERROR", launched_at="", power_state=1)
    on, sent = back(made, base, how), len(made.sent)
    assert told(made.advance(on)).code == "runs_unlaunched"
    assert begun(made, sent) == set()
    assert copies(made)["server-1"] == "ACTIVE"
    found(made, "server-2", power_state=4)
    home(made, on)


def test_nothing_is_stopped_beside_one_of_two_that_stand_for_a_server() -> None:
    made, base = together()
    compute = made.target.compute
    compute.rows["double"] = replace(compute.rows[copy_of(made, "server-1")], id="double", volumes=(), port_ids=())
    compute.raw["double"] = {"millpond:source": "server-1"}
    compute.put("double", status="SHUTOFF")
    on, sent = back(made, base, "discard"), len(made.sent)
    assert told(made.advance(on)).code == "ambiguous_server"
    assert begun(made, sent) == set()


@WAYS
def test_a_server_whose_disks_are_in_another_group_goes_back_without_it(how: str) -> None:
    made, base = prepared(), one_wave()
    made.advance(flagged(base, pilot={"cutover": True}))
    made.tick(600)
    found(made, "server-1", status="PAUSED", power_state=3)
    on = back(made, base, how)
    told(made.advance(on))
    assert copies(made) == {"server-1": "PAUSED"}
    assert made.source.compute.rows["server-2"].status == "ACTIVE"
    assert [gate.servers for gate in gates(made.plan(on))] == [("server-1",)]


@WAYS
def test_while_one_is_down_already_the_other_is_stopped_no_sooner_than_that_is_of_use(how: str) -> None:
    """A crash in the midst of the stops; the tenant's pause came between."""
    made, base = together()
    on = back(made, base, how)
    made.advance(on, at("server/web-1#stop"))
    ready = {step.id: step for step in made.plan(on).changes if not step.after}
    made.perform(ready["acme/server/web-2#stop"])
    made.tick()
    made.crash()
    found(made, "server-1", status="PAUSED", power_state=3)
    assert told(made.advance(on)).code == "server_state"
    assert copies(made) == {"server-1": "PAUSED", "server-2": "SHUTOFF"}
    found(made, "server-1", status="ACTIVE", power_state=1)
    home(made, on)


def test_what_the_tenant_has_stopped_stays_theirs_to_start() -> None:
    made, base = together()
    found(made, "server-1", status="PAUSED", power_state=3)
    found(made, "server-2", status="SHUTOFF", power_state=4)
    on = back(made, base, "discard")
    told(made.advance(on))
    assert not made.target.compute.rows[copy_of(made, "server-2")].locked
    assert made.source.compute.shown("server-2").record.verified  # type: ignore[union-attr]


@WAYS
@pytest.mark.parametrize("task", ["migrating", "pausing", "image_snapshot"])
def test_what_only_changes_its_state_is_waited_for_before_others_are_stopped(task: str, how: str) -> None:
    made, base = together()
    found(made, "server-1", task_state=task)
    on, sent = back(made, base, how), len(made.sent)
    rest = made.advance(on, lambda plan: not [step for step in plan.changes if not step.after])
    assert rest.blockers == ()
    (gate,) = gates(rest)
    assert (gate.servers, gate.long, gate.after) == (("server-2",), False, ())
    assert "server/web-2#stop" not in begun(made, sent)
    found(made, "server-1", task_state="")
    home(made, on)


@WAYS
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_task_that_does_not_end_is_named_and_ends_the_waiting_for_it(side: str, how: str) -> None:
    made, base = together()
    task = {"source": "image_uploading", "target": "rebooting_hard"}[side]
    cloud, id = (made.source, "server-1") if side == "source" else (made.target, copy_of(made, "server-1"))
    cloud.compute.put(id, task_state=task)
    on = back(made, base, how)
    made.now += timedelta(seconds=SITE.limits.stop_timeout - 1)
    plan = made.plan(on)
    (gate,) = gates(plan)
    stop = next(step for step in plan.waiting if step.id.endswith("/web-1#stop"))
    assert (plan.blockers, gate.long, stop.long) == ((), False, False)
    assert gate.reason.startswith(f"web-1 (task {task}): ")
    assert f"changing its state {'on the source ' if side == 'source' else ''}(task {task})" in stop.reason
    sent = len(made.sent)
    plan = made.advance(on)
    finding = told(plan)
    assert (finding.code, str(finding.address), finding.wave) == ("stop_timeout", "acme/server/web-1", "pilot")
    assert f"its task {task} does not end (server {id} on {side})" in finding.what
    assert "wait and apply again, or end it" in finding.fix
    assert finding.fix.endswith(f"\n    openstack --os-cloud {side} server event list {id}")
    assert [gate.long for gate in gates(plan)] == [True]
    assert "server/web-2#stop" not in begun(made, sent)
    cloud.compute.put(id, task_state="")
    home(made, on)


def test_one_that_is_down_is_not_kept_waiting_for_one_that_changes_its_state() -> None:
    made, base = together()
    on = back(made, base, "discard")
    made.advance(on, at("server/web-1#stop"))
    found(made, "server-1", status="SHUTOFF", power_state=4)
    made.source.compute.put("server-1", task_state="updating_password")
    assert gates(made.plan(on)) == []


def test_stops_that_are_under_way_hold_nothing() -> None:
    made, base = together()
    found(made, "server-1", task_state="powering-off")
    assert gates(made.plan(back(made, base, "discard"))) == []


def test_a_guest_that_does_not_end_ends_the_waiting_for_it() -> None:
    made, base = together()
    found(made, "server-1", status="SHUTOFF", power_state=1, updated_at=made.stamp())
    on = back(made, base, "discard")
    assert [gate.long for gate in gates(made.plan(on))] == [False]
    made.now += timedelta(seconds=SITE.limits.stop_timeout)
    plan = made.advance(on)
    assert (told(plan).code, [gate.long for gate in gates(plan)]) == ("stop_timeout", [True])
    assert copies(made)["server-2"] == "ACTIVE"


ENDED = "openstack --os-cloud source server set --state active server-1\n    openstack --os-cloud source server stop server-1"
SOURCES = pytest.mark.parametrize(
    ("status", "fix"),
    [
        ("ERROR", "openstack --os-cloud source server stop server-1"),
        ("RESCUE", ENDED),
        ("SUSPENDED", ENDED),
        ("PAUSED", ENDED),
        ("SHELVED", ENDED),
        ("VERIFY_RESIZE", "openstack --os-cloud source server resize confirm server-1"),
        ("REVERT_RESIZE", "bring it to SHUTOFF as an administrator, and do not start it"),
    ],
)


@WAYS
@SOURCES
def test_no_copy_is_stopped_whose_source_could_not_be_started(status: str, fix: str, how: str) -> None:
    made, base = together()
    made.source.compute.put("server-1", status=status)
    on, sent = back(made, base, how), len(made.sent)
    finding = told(made.advance(on))
    assert (finding.code, str(finding.address), finding.wave) == ("server_state", "acme/server/web-1", "pilot")
    assert fix in finding.fix
    assert begun(made, sent) == set()
    assert copies(made) == {"server-1": "ACTIVE", "server-2": "ACTIVE"}
    made.source.compute.put("server-1", status="SHUTOFF", power_state=4)
    home(made, on)


@WAYS
def test_one_that_was_offloaded_goes_back_and_is_told_once_it_is_to_start(how: str) -> None:
    """It has no host: nothing but a start leads out of that."""
    made, base = together()
    made.source.compute.put("server-1", status="SHELVED_OFFLOADED")
    finding = told(made.advance(back(made, base, how)))
    assert "openstack --os-cloud source server unshelve server-1" in finding.fix
    assert made.source.compute.rows["server-2"].status == "ACTIVE"


def half_down(status: str) -> tuple[World, Desired]:
    """The copy of web-1 is down by its way back, that of web-2 is up; web-1 is found so on the source."""
    made, base = together()
    on = back(made, base, "discard")
    made.advance(on, at("server/web-1#stop"))
    ready = {step.id: step for step in made.plan(on).changes if not step.after}
    made.perform(ready["acme/server/web-1#stop"])
    made.tick()
    made.source.compute.put("server-1", status=status)
    return made, on


def test_once_its_copy_is_down_a_source_in_error_keeps_no_other_from_going_back() -> None:
    made, on = half_down("ERROR")
    assert gates(made.plan(on)) == []
    made.advance(on)
    assert made.source.compute.rows["server-2"].status == "ACTIVE"


def test_disks_that_would_change_under_a_guest_hold_those_that_are_up() -> None:
    made, on = half_down("PAUSED")
    plan = made.advance(on)
    assert told(plan).code == "server_state"
    assert [gate.servers for gate in gates(plan)] == [("server-2",)]
    assert copies(made)["server-2"] == "ACTIVE"


@pytest.mark.parametrize(("status", "held"), [("ERROR", False), ("PAUSED", True)])
def test_one_that_need_not_start_is_held_only_where_its_disks_would_change_under_it(status: str, *, held: bool) -> None:
    made, base = together()
    made.source.compute.raw["server-1"]["millpond.power"] = "shutoff"
    made.source.compute.put("server-1", status=status)
    assert bool(gates(made.plan(back(made, base, "discard")))) is held
