"""A way back stops nothing on the target while a server may still come of a boot of the same wave: it would be down while that is waited
for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from millpond.model.change import Waiting
from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from millpond.model.plan import Plan, TenantPlan
from millpond.planning.envelope import Envelope
from millpond.reporting.waiting_text import waits
from tests.planning.situations import back, cut_of, done, one_wave
from tests.planning.tenant import SITE, prepared
from tests.planning.world import EPOCH, World, at, flagged

WAYS = pytest.mark.parametrize("how", ["discard", "carry_back"])
GATE = "acme/gate/pilot#boots"
PATIENCE = timedelta(seconds=2 * SITE.limits.request_timeout)


def half_booted(how: str) -> tuple[World, Desired]:
    """One of two servers of a wave runs on the target; the boot of the other was declared, and a crash kept it from being sent."""
    made, base = prepared(), one_wave()
    on = flagged(base, pilot={"cutover": True})
    made.advance(on, at("server/web-1#create"))
    ready = {step.id: step for step in made.plan(on).changes if not step.after}
    assert "acme/server/web-2#create" in ready
    made.perform(ready["acme/server/web-1#create"])
    made.target.work()
    made.crash()
    made.discard(["server-1"] if how == "discard" else [])
    return made, flagged(base, pilot={"rollback": Rollback(cut_of(made), how)})


def at_rest(plan: TenantPlan) -> bool:
    """Nothing is ready to be done."""
    return not [change for change in plan.changes if not change.after]


def gate(plan: TenantPlan) -> list[Waiting]:
    return [step for step in waits(plan) if step.id == GATE]


@WAYS
def test_what_runs_is_not_stopped_before_it_is_known_that_no_boot_comes(how: str) -> None:
    made, on = half_booted(how)
    declared = made.source.compute.shown("server-2").record
    assert declared is not None
    assert declared.booting
    assert [s.status for s in made.target.compute.rows.values()] == ["ACTIVE"]
    (wait,) = gate(made.plan(on))
    assert "web-2" in wait.reason
    assert 0 < wait.seconds <= PATIENCE.total_seconds()
    made.advance(on, at_rest)
    assert gate(made.plan(on))
    assert [s.status for s in made.target.compute.rows.values()] == ["ACTIVE"]
    made.now += PATIENCE
    assert not gate(made.plan(on))
    assert made.advance(on).steps == ()
    assert (made.target.compute.rows, made.source.compute.rows["server-1"].status) == ({}, "ACTIVE")


@WAYS
def test_a_boot_that_nobody_can_tell_of_is_waited_for_no_longer_than_the_site_allows(how: str) -> None:
    made, on = half_booted(how)
    root = next(volume for volume in made.target.block_storage.rows.values() if volume.name == "web-2-root")
    made.target.block_storage.put(root.id, status="attaching")
    made.now += PATIENCE
    assert [step.long for step in made.plan(on).waiting if step.id == GATE] == [False]
    made.now += timedelta(seconds=SITE.limits.boot_timeout) - PATIENCE
    plan = made.advance(on, at_rest)
    assert [step.long for step in plan.waiting if step.id == GATE] == [True]
    assert [(finding.code, str(finding.address)) for finding in plan.blockers] == [("boot_timeout", "acme/server/web-2")]
    assert [s.status for s in made.target.compute.rows.values()] == ["ACTIVE"]


def test_a_copy_that_was_just_deleted_is_told_as_such_and_holds_nothing() -> None:
    made = done()
    made.now -= timedelta(seconds=590)
    made.discard(["server-1"])
    on = back(made, "discard")
    made.advance(on, at("source_server/web-1#forget:millpond.cut"))
    plan = made.plan(on)
    assert not made.target.compute.rows
    assert not gate(plan)
    (told,) = (step.reason for step in plan.waiting if step.id == "acme/server/web-1#stop")
    assert told == "its copy on the target was deleted: its deletion is settling"


def reviewed(made: World, on: Desired) -> Envelope:
    plan = made.plan(on)
    return Envelope.of(Plan(EPOCH, "0", (plan,), plan.digest))


def performed(made: World, on: Desired, envelope: Envelope) -> None:
    """Until nothing is left; nothing of it may be stale."""
    while (plan := made.plan(on)).steps:
        ready = [change for change in plan.changes if not change.after]
        assert envelope.allowed("acme", ready) == ready, envelope.stale
        for change in ready:
            made.perform(change)
        if not ready:
            made.tick()
            assert made.now < EPOCH + timedelta(days=1)


@WAYS
@pytest.mark.parametrize("mechanism", ["ovs", "ovn"])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("there", ["not yet", "being built"])
def test_a_plan_that_was_saved_before_its_server_came_covers_what_that_needs(how: str, mechanism: str, there: str, *, fails: bool) -> None:
    made, base = prepared(mechanism), one_wave()
    on = flagged(base, pilot={"cutover": True})
    made.advance(on, at("server/web-2#create"))
    ready = {step.id: step for step in made.plan(on).changes if not step.after}
    made.target.compute.failing = {"web-2"} if fails else set()
    for create in [step for id, step in ready.items() if id == "acme/server/web-1#create"]:
        made.perform(create)
    made.target.work()
    saved, back_on = made.copy(), flagged(base, pilot={"rollback": Rollback(cut_of(made), how)})
    made.perform(ready["acme/server/web-2#create"])
    envelope = reviewed(made if there == "being built" else saved, back_on)
    made.crash()
    made.discard(["server-1", "server-2"] if how == "discard" else [])
    performed(made, back_on, envelope)
    assert (made.target.compute.rows, {one.status for one in made.source.compute.rows.values()}) == ({}, {"ACTIVE"})


@WAYS
def test_what_its_coming_would_need_is_gone_from_the_plan_once_it_cannot_come(how: str) -> None:
    made, on = half_booted(how)
    plan = made.plan(on)
    own = {step.action: step for step in plan.steps if str(step.address) == "acme/server/web-2"}
    assert list(own) == ["arrive", "lock", "stop", "delete"]
    assert all(own[action].after for action in ("lock", "stop", "delete"))
    assert {own[action].reason for action in ("lock", "stop", "delete")} == {"wave pilot goes back: done only if its server still comes"}
    envelope = reviewed(made, on)
    made.now += PATIENCE
    assert not [step for step in made.plan(on).steps if str(step.address) == "acme/server/web-2"]
    performed(made, on, envelope)


def test_a_free_disk_of_it_is_taken_out_of_use_no_later_for_that() -> None:
    """A boot that is still to come is refused then."""
    made, on = half_booted("discard")
    assert gate(made.advance(on, at("volume/web-2-root#reserve")))
