"""What takes longer than the site allows is named and not waited for: nothing is forced, and it goes on once it has ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.model.change import Waiting
from millpond.model.desired import Desired
from millpond.model.plan import TenantPlan
from millpond.planning.build import build
from millpond.runs.moving import moved_by
from tests.planning.situations import PILOT, back, before
from tests.planning.tenant import prepared
from tests.planning.world import World, at

STOP = "acme/source_server/web-1#stop"
BOOT = "acme/server/web-1#create"


def under_way(step: str) -> World:
    """The pilot's cut, up to where this step was just sent."""
    world = prepared()
    advance(world, PILOT, step)
    return world


def advance(world: World, on: Desired, step: str) -> None:
    plan = world.advance(on, at(step.removeprefix("acme/")))
    world.perform(next(change for change in plan.changes if change.id == step))


def wait(plan: TenantPlan, id: str) -> Waiting:
    return next(step for step in plan.waiting if step.id == id)


def told(plan: TenantPlan) -> list[tuple[str, str, str]]:
    return [(f.code, str(f.address), f.wave) for f in plan.blockers]


@pytest.mark.parametrize(("step", "code", "limit"), [(STOP, "stop_timeout", 600), (BOOT, "boot_timeout", 900)])
def test_it_is_waited_for_until_the_limit_and_then_held(step: str, code: str, limit: int) -> None:
    world = under_way(step)
    world.now += timedelta(seconds=limit - 1)
    plan = world.plan(PILOT)
    assert (told(plan), wait(plan, step).long) == ([], False)
    world.now += timedelta(seconds=1)
    plan = world.plan(PILOT)
    assert told(plan) == [(code, "acme/server/web-1", "pilot")]
    assert wait(plan, step).long
    assert f"limits.{code} is {limit} s" in plan.blockers[0].what
    assert [change.id for change in plan.changes if not change.after] == []
    world.tick()
    assert world.plan(PILOT).blockers == ()


def test_a_boot_of_which_no_server_has_come_is_held_too() -> None:
    world = before("server/web-1#create")
    root = next(volume for volume in world.target.block_storage.rows.values() if volume.name == "web-1-root")
    world.target.block_storage.put(root.id, status="attaching")
    world.now += timedelta(seconds=900)
    plan = world.plan(PILOT)
    assert told(plan) == [("boot_timeout", "acme/server/web-1", "pilot")]
    assert "no server has come of it" in plan.blockers[0].what


def test_nor_is_one_waited_for_for_ever_whose_disk_somebody_reserved() -> None:
    """A person has to let go of it, and that is seen by the run that waits."""
    world = before("server/web-1#create")
    root = next(volume for volume in world.target.block_storage.rows.values() if volume.name == "web-1-root")
    world.target.block_storage.put(root.id, status="reserved")
    world.discard(["server-1"])
    on = back(world, "discard")
    world.now += timedelta(hours=3)
    plan = world.plan(on)
    assert "boot_timeout" in {code for code, _, _ in told(plan)}
    assert all(step.long for step in plan.waiting if not step.after)
    boots = [step for step in plan.waiting if step.id.endswith("#boots")]
    asked = moved_by(boots)
    assert {"volume", "reservation", "server", "port"} <= asked.keys()


def test_ports_that_do_not_come_up_are_named() -> None:
    world = under_way(BOOT)
    world.tick()
    ports = world.target.network
    ports.put("port", [replace(port, status="DOWN") for port in ports.rows["port"].values()])
    world.now += timedelta(seconds=900)
    plan = world.plan(PILOT)
    assert told(plan) == [("boot_timeout", "acme/server/web-1", "pilot")]
    assert "not all of its ports are ACTIVE" in plan.blockers[0].what


def test_the_way_back_is_held_by_a_stop_that_does_not_end() -> None:
    world = under_way(BOOT)
    world.tick()
    home = back(world, "discard")
    advance(world, home, "acme/server/web-1#stop")
    world.now += timedelta(seconds=600)
    assert told(world.plan(home)) == [("stop_timeout", "acme/server/web-1", "pilot")]


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_guest_that_runs_under_a_stopped_server_is_held_and_told_after_the_limit(side: str) -> None:
    world = under_way(STOP if side == "source" else BOOT)
    world.tick()
    home = PILOT if side == "source" else back(world, "discard")
    if side == "target":
        advance(world, home, "acme/server/web-1#stop")
        world.tick()
    cloud = world.source if side == "source" else world.target
    id = "server-1" if side == "source" else next(iter(cloud.compute.rows))
    cloud.compute.put(id, power_state=1, updated_at=world.stamp())
    step = STOP if side == "source" else "acme/server/web-1#stop"
    world.now += timedelta(seconds=599)
    plan = world.plan(home)
    assert (told(plan), wait(plan, step).long) == ([], False)
    world.now += timedelta(seconds=1)
    plan = world.plan(home)
    (found,) = plan.blockers
    assert (found.code, str(found.address), found.wave) == ("stop_timeout", "acme/server/web-1", "pilot")
    assert f"web-1: its guest runs on its host although it is SHUTOFF (server {id} on {side})" in found.what
    assert "shut the guest down there, or start and stop the server by Nova" in found.fix
    assert wait(plan, step).long
    cloud.compute.put(id, task_state="powering-off", updated_at=world.stamp())
    assert told(world.plan(home)) == []
    cloud.compute.put(id, task_state="", power_state=4)
    assert told(world.plan(home)) == []


def test_what_a_run_has_waited_counts_where_the_clouds_clock_is_ahead() -> None:
    world = under_way(STOP)
    world.source.compute.put("server-1", updated_at="2027-01-01T00:00:00Z")
    snapshot = world.snapshot()
    assert build(PILOT, snapshot, run=world.run, waited={STOP: 599.0}).blockers == ()
    assert told(build(PILOT, snapshot, run=world.run, waited={STOP: 600.0})) == [("stop_timeout", "acme/server/web-1", "pilot")]


def test_a_task_that_keeps_a_cut_from_its_stop_is_named_once_the_cut_has_begun() -> None:
    world = before("source_server/web-1#lock")
    world.source.compute.put("server-1", status="REBOOT", task_state="rebooting")
    world.now += timedelta(seconds=600)
    plan = world.plan(PILOT)
    assert told(plan) == [("stop_timeout", "acme/server/web-1", "pilot")]
    assert "its task rebooting does not end (server server-1 on source) for 600 s, limits.stop_timeout is 600 s" in plan.blockers[0].what
    assert wait(plan, STOP).long
    fresh = prepared()
    fresh.source.compute.put("server-1", status="REBOOT", task_state="rebooting")
    fresh.now += timedelta(seconds=600)
    assert "stop_timeout" not in {code for code, _, _ in told(fresh.plan(PILOT))}


def test_no_limit_is_told_of_what_is_not_under_way() -> None:
    world = before("source_server/web-1#stop")
    world.now += timedelta(days=3)
    tight = replace(PILOT, site=replace(PILOT.site, limits=replace(PILOT.site.limits, stop_timeout=1, boot_timeout=1)))
    assert world.plan(tight).blockers == ()
