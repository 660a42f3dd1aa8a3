"""What holds a wave before its record is written: windows, brakes, movements, blockers, the waves before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from millpond.model.change import Change, Waiting
from millpond.model.desired import Desired
from millpond.model.manifest import Approval, BrakeOverride, Window
from millpond.model.plan import Plan, TenantPlan
from millpond.planning.build import build
from millpond.planning.digest import tenant_digest
from millpond.planning.envelope import Envelope
from millpond.planning.gates import Admission
from tests.planning.situations import BOTH, PILOT, approved, back, before, done, leaving, one_wave, prepared, suspended_by_the_array
from tests.planning.tenant import INVENTORY, SITE
from tests.planning.tenant import world as empty
from tests.planning.world import World, flagged

GATE = "acme/gate/pilot#admission"
OPENS = datetime(2026, 12, 1, 22, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=4)


def gate(plan: TenantPlan, wave: str = "pilot") -> Waiting | None:
    found = [step for step in plan.waiting if step.id == f"acme/gate/{wave}#admission"]
    return found[0] if found else None


def recorded(plan: TenantPlan, server: str = "web-1") -> Change:
    return next(change for change in plan.changes if change.id == f"acme/source_server/{server}#record")


def blockers(plan: TenantPlan) -> list[str]:
    return [finding.code for finding in plan.blockers]


def braked(**values: int) -> Desired:
    return replace(PILOT, site=replace(SITE, brakes=replace(SITE.brakes, **values)))


@pytest.mark.parametrize(
    ("now", "codes", "waits"),
    [
        (OPENS - timedelta(seconds=1), [], (True, 1.0)),
        (OPENS, [], None),
        (CLOSES - timedelta(seconds=1), [], None),
        (CLOSES, ["window_closed"], (True, 0.0)),
    ],
)
def test_a_wave_is_admitted_inside_its_window(now: datetime, codes: list[str], waits: tuple[bool, float] | None) -> None:
    world = prepared()
    world.now = now
    plan = world.plan(flagged(PILOT, pilot={"window": Window(OPENS, CLOSES)}))
    assert blockers(plan) == codes
    assert [f.wave for f in plan.blockers] == ["pilot"] * len(codes)
    assert (GATE in recorded(plan).after) is bool(waits)
    held = gate(plan)
    assert ((held.long, held.seconds) if held else None) == waits
    assert bool(plan.shut) is (now < OPENS)


def too_short(plan: TenantPlan) -> list[str]:
    return [finding.what for finding in plan.findings if finding.code == "window_too_short"]


@pytest.mark.parametrize(
    ("now", "at", "left"),
    [
        (CLOSES - timedelta(seconds=20), None, "20 s"),
        (OPENS, CLOSES - timedelta(seconds=10), "10 s"),
        (CLOSES - timedelta(minutes=5), None, ""),
        (CLOSES, None, ""),
    ],
)
def test_a_cutover_that_is_expected_to_end_after_its_window_is_warned_of(now: datetime, at: datetime | None, left: str) -> None:
    world = prepared()
    world.now = now
    on = flagged(PILOT, pilot={"window": Window(OPENS, CLOSES), "cutover_at": at})
    plan = world.plan(on)
    (takes,) = (f"{seconds:.0f} s" for name, seconds in plan.outage.servers if name == "acme/server/web-1")
    assert [(f"about {takes}" in what, f"{left} of the window" in what) for what in too_short(plan)] == ([(True, True)] if left else [])
    if left and at is None:
        assert world.advance(on).steps == ()  # it holds nothing, and of a wave that was handed over nothing is told
        assert too_short(world.plan(on)) == []


def test_of_a_window_that_is_shorter_than_the_outage_is_told_before_it_opens() -> None:
    world = prepared()
    world.now = OPENS - timedelta(hours=3)
    short = Window(OPENS, OPENS + timedelta(seconds=15))
    assert ["15 s of the window" in what for what in too_short(world.plan(flagged(PILOT, pilot={"window": short})))] == [True]


def test_what_is_said_of_a_window_tells_what_to_do() -> None:
    world = prepared()
    world.now = CLOSES
    late = world.plan(flagged(PILOT, pilot={"window": Window(OPENS, CLOSES)})).blockers[0]
    world.now = OPENS - timedelta(hours=1)
    early = gate(world.plan(flagged(PILOT, pilot={"window": Window(OPENS, CLOSES)})))
    assert ("closed at 2026-12-02T02:00:00+00:00" in late.what, late.fix) == (True, "commit a new window")
    assert early is not None
    assert early.reason == ("its maintenance window opens at 2026-12-01T22:00:00+00:00: run apply then, before 2026-12-02T02:00:00+00:00")


def test_a_window_that_opens_later_hides_no_blocker() -> None:
    world = prepared()
    world.now = OPENS - timedelta(hours=1)
    plan = world.plan(flagged(braked(outage_budget=1), pilot={"window": Window(OPENS, CLOSES)}))
    assert blockers(plan) == ["brake_outage"]


@pytest.mark.parametrize("gates", [{"window": Window(OPENS, CLOSES)}, {"cutover_at": OPENS}])
def test_what_time_alone_opens_leaves_a_plan_that_can_be_saved_and_applied_then(gates: dict[str, Any]) -> None:
    world = prepared()
    documents = flagged(PILOT, pilot=gates)
    world.now = OPENS - timedelta(hours=2)
    early = world.plan(documents)
    envelope = Envelope.of(Plan(world.now, "0", (early,), early.digest))
    world.now = OPENS + timedelta(minutes=1)
    while ready := [change for change in world.plan(documents).changes if not change.after]:
        assert envelope.allowed("acme", ready) == ready, envelope.stale
        world.perform(ready[0])
    assert "acme/source_server/web-1#stop" in world.sent


@pytest.mark.parametrize(
    ("brake", "documents", "code"),
    [
        ({"servers_stopped": 1}, PILOT, None),
        ({"servers_stopped": 1}, flagged(one_wave(), pilot={"cutover": True}), "brake_servers_stopped"),
        ({"cutovers": 1}, PILOT, None),
        ({"lag_at_cutover": 60}, PILOT, "brake_lag"),
        ({"lag_at_cutover": 86400}, PILOT, None),
        ({"outage_budget": 1}, PILOT, "brake_outage"),
        ({"outage_budget": 3600}, PILOT, None),
    ],
)
def test_brakes_hold_whole_waves(brake: dict[str, int], documents: Desired, code: str | None) -> None:
    plan = prepared().plan(replace(documents, site=replace(SITE, brakes=replace(SITE.brakes, **brake))))
    assert blockers(plan) == ([code] if code else [])
    assert (GATE in recorded(plan).after) is bool(code)
    assert not any("run apply again: the brake" in finding.fix for finding in plan.blockers), "by itself it is too much"


def test_waves_under_way_count_for_the_brake_of_the_next() -> None:
    world = before("source_server/web-1#stop", on=BOTH)
    both = replace(BOTH, site=replace(SITE, brakes=replace(SITE.brakes, cutovers=1)))
    plan = world.plan(both)
    assert [(f.code, f.wave) for f in plan.blockers] == [("brake_cutovers", "rest")]
    assert any(change.action == "stop" for change in plan.changes if change.wave == "pilot")


@pytest.mark.parametrize("action", ["stop", "suspend"])
def test_brakes_and_windows_do_not_hold_a_wave_that_was_admitted(action: str) -> None:
    step = {"stop": "source_server/web-1#stop", "suspend": "replication_group/pilot-ssd#suspend"}[action]
    world = before(step)
    window = Window(world.now - timedelta(hours=2), world.now - timedelta(hours=1))
    held = flagged(braked(servers_stopped=0, outage_budget=1, lag_at_cutover=1), pilot={"window": window})
    plan = world.plan(held)
    assert (blockers(plan), gate(plan)) == ([], None)
    assert any(change.action == action for change in plan.changes)


def test_the_next_wave_waits_for_the_former() -> None:
    world = before("replication_group/pilot-ssd#suspend", on=BOTH)
    held = gate(world.plan(BOTH), "rest")
    assert held is not None
    assert (held.long, held.reason) == (True, "wave pilot has to be handed over first")
    world.advance(PILOT)
    assert gate(world.plan(BOTH), "rest") is None


def test_a_blocker_of_the_wave_or_of_all_holds_it_and_another_waves_does_not() -> None:
    world = prepared()
    world.source.compute.put("server-2", status="PAUSED")
    assert blockers(world.plan(PILOT)) == ["server_state"]
    assert gate(world.plan(PILOT)) is None
    assert gate(world.plan(BOTH), "rest") is not None
    down = prepared()
    down.arrays["ibox-a"].link_up = False
    held = gate(down.plan(PILOT))
    assert held is not None
    assert held.long


def with_one_stopped() -> tuple[Desired, World]:
    """A wave of web-1, which runs, and web-2, which does not."""
    first, second = INVENTORY.servers
    inventory = replace(INVENTORY, servers=(first, replace(second, status="SHUTOFF", power_state=4)))
    documents, made = replace(one_wave(), inventory=inventory), empty(inventory)
    made.tick()
    made.advance(documents)
    made.tick(3600)
    return flagged(documents, pilot={"cutover": True}), made


def test_no_wave_is_admitted_with_a_guest_that_runs_under_a_stopped_server() -> None:
    both, made = with_one_stopped()
    made.source.compute.put("server-2", power_state=1)
    sent = len(made.sent)
    plan = made.advance(both)
    (found,) = plan.blockers
    assert (found.code, str(found.address), found.wave) == ("guest_runs", "acme/server/web-2", "pilot")
    assert "web-2: its guest runs on its host although it is SHUTOFF (server server-2 on source, power state 1)" in found.what
    assert "shut the guest down there, or start and stop the server by Nova" in found.fix
    held = gate(plan)
    assert held is not None
    assert (held.long, made.source.compute.shown("server-1").status) == (True, "ACTIVE")
    assert not [id for id in made.sent[sent:] if id.startswith("acme/source_server/")]
    made.source.compute.put("server-2", power_state=4)
    assert made.plan(both).blockers == ()
    assert gate(made.plan(both)) is None


def test_a_guest_that_nova_is_just_stopping_is_waited_for_without_a_finding() -> None:
    both, made = with_one_stopped()
    made.source.compute.put("server-2", power_state=1, task_state="powering-off", updated_at=made.stamp())
    plan = made.plan(both)
    held = gate(plan)
    assert held is not None
    assert (plan.blockers, held.long, held.reason) == ((), False, "web-2 is busy (powering-off)")


def test_a_wave_that_stays_or_goes_back_is_not_held_by_such_a_guest() -> None:
    made = done()
    made.source.compute.put("server-2", status="SHUTOFF", power_state=1)
    made.discard(["server-1"])
    assert "guest_runs" not in blockers(made.plan(PILOT))
    assert "guest_runs" not in blockers(made.advance(back(made, "discard")))
    assert made.source.compute.shown("server-1").status == "ACTIVE"


def test_a_busy_server_and_moving_addresses_are_waited_for() -> None:
    busy = prepared()
    busy.source.compute.put("server-1", task_state="rebooting")
    waits = gate(busy.plan(PILOT))
    assert waits is not None
    assert (waits.long, "rebooting" in waits.reason) == (False, True)
    moved = prepared()
    moved.now = moved.now.replace(microsecond=0)
    moved.source.compute.put("server-1", updated_at=moved.stamp())
    moved.now += timedelta(seconds=100)
    slow = replace(PILOT, site=replace(SITE, limits=replace(SITE.limits, mac_move=180)))
    waits = gate(moved.plan(slow))
    assert waits is not None
    assert (waits.long, waits.seconds) == (False, 80.0)
    moved.now += timedelta(seconds=80)
    assert gate(moved.plan(slow)) is None


def test_a_wave_that_is_not_in_sync_waits_without_a_blocker() -> None:
    plan = suspended_by_the_array(prepared()).plan(PILOT)
    assert blockers(plan) == []
    assert any(change.action == "resume_for_sync" for change in plan.changes)


def test_narrowing_to_one_wave_leaves_the_others_as_they_are() -> None:
    plan = prepared().plan(BOTH, wave="rest")
    assert {wave.name: str(wave.stage) for wave in plan.waves} == {"pilot": "replicate", "rest": "cut"}
    assert {change.wave for change in plan.changes if change.action == "stop"} == {"rest"}


def soaking(hours: float, **approval: Any) -> TenantPlan:
    world = done(BOTH)
    world.now += timedelta(hours=hours)
    on = leaving()
    given = {"action": "decommission", "digest": tenant_digest(on), "expires": world.now + timedelta(days=1), **approval}
    return world.plan(flagged(on, approvals=(Approval(**given),)))


def admission(plan: TenantPlan) -> Change:
    return next(change for change in plan.changes if change.action == "admit_decommission")


@pytest.mark.parametrize(
    ("hours", "approval", "codes", "held"),
    [
        (2, {}, [], False),
        (0.1, {}, [], True),
        (2, {"digest": "sha256:other"}, ["decommission_unapproved"], True),
        (2, {"expires": datetime(2026, 12, 1, tzinfo=UTC)}, ["decommission_unapproved"], True),
        (2, {"action": "cutover"}, ["decommission_unapproved"], True),
    ],
)
def test_a_decommissioning_waits_for_soak_and_approval(hours: float, approval: dict[str, Any], codes: list[str], held: bool) -> None:
    plan = soaking(hours, **approval)
    assert blockers(plan) == codes
    assert bool(admission(plan).after) is held
    assert bool(plan.shut) is (hours < 1)
    for change in plan.changes:
        if change.kind.startswith("source_") and change.action.startswith("delete"):
            assert admission(plan).id in change.after


def test_an_approval_is_judged_once_and_holds_for_its_digest_alone() -> None:
    world = done(BOTH)
    world.now += timedelta(hours=2)
    on = approved(world, leaving())
    world.perform(admission(world.plan(on)))
    expired = flagged(on, approvals=())
    assert blockers(world.plan(expired)) == []
    other = flagged(expired, quotas={"cores": 99})
    assert blockers(world.plan(other)) == ["decommission_unapproved"]


def whole(world: World) -> list[str]:
    return [change.id for change in world.plan(leaving()).changes if change.action == "stop"]


def test_decommissioning_stops_nothing() -> None:
    assert whole(done(BOTH)) == []


def test_what_other_tenants_cut_in_this_apply_counts_for_the_brakes() -> None:
    world, documents = prepared(), braked(cutovers=2, servers_stopped=5)
    snapshot = world.snapshot()
    assert blockers(build(documents, snapshot, admission=Admission({("other", "pilot"): 1}))) == []
    held = build(documents, snapshot, admission=Admission({("other", "pilot"): 4, ("third", "rest"): 1}))
    assert sorted(blockers(held)) == ["brake_cutovers", "brake_servers_stopped"]
    assert {f.what for f in held.blockers} >= {"3 waves would be cut, the brake allows 2"}
    assert any("with the 5 of this run, the brake allows 5" in f.what for f in held.blockers)
    assert all(f.fix.startswith("run apply again: the brake counts one run; or raise the brake in ") for f in held.blockers)


def test_a_decommissioning_deletes_no_more_volumes_than_its_brake_allows() -> None:
    world = done(BOTH)
    documents = leaving()
    found = world.plan(replace(documents, site=replace(SITE, brakes=replace(SITE.brakes, volumes_deleted=1)))).blockers
    assert [f.what for f in found if f.code == "brake_volumes_deleted"] == ["decommissioning deletes 3 volumes, the brake allows 1"]
    allowed = world.plan(replace(documents, site=replace(SITE, brakes=replace(SITE.brakes, volumes_deleted=3)))).blockers
    assert "brake_volumes_deleted" not in [f.code for f in allowed]


def test_a_saved_plan_that_expired_admits_no_wave_and_does_not_hold_one_under_way() -> None:
    world = prepared()
    late = Admission(expires=world.now - timedelta(seconds=1))
    assert blockers(build(PILOT, world.snapshot(), admission=Admission(expires=world.now))) == []
    held = build(PILOT, world.snapshot(), admission=late)
    assert (blockers(held), GATE in recorded(held).after) == (["plan_expired"], True)
    under_way = before("source_server/web-1#stop", on=BOTH)
    plan = build(BOTH, under_way.snapshot(), run="run-9", admission=Admission(expires=under_way.now - timedelta(hours=1)))
    assert [(f.code, f.wave) for f in plan.blockers] == [("plan_expired", "rest")]
    assert [(change.wave, change.action) for change in plan.changes if not change.after] == [("pilot", "claim")]


def test_a_saved_plan_that_expired_admits_no_decommissioning() -> None:
    world = done(BOTH)
    world.now += timedelta(hours=2)
    on = approved(world, leaving())
    assert blockers(build(on, world.snapshot())) == []
    assert blockers(build(on, world.snapshot(), admission=Admission(expires=world.now - timedelta(seconds=1)))) == ["plan_expired"]


def override(world: World, brake: str, value: int, hours: float = 1) -> dict[str, Any]:
    return {"brake_overrides": (BrakeOverride(brake, value, world.now + timedelta(hours=hours), "agreed with the tenant", "ada"),)}


@pytest.mark.parametrize(
    ("brake", "site", "instead"),
    [("servers_stopped", 1, 2), ("lag_at_cutover", 60, 86400), ("outage_budget", 1, 3600)],
)
def test_a_dated_override_holds_in_place_of_the_sites_brake(brake: str, site: int, instead: int) -> None:
    world = prepared()
    documents = flagged(one_wave(), pilot={"cutover": True})
    documents = replace(documents, site=replace(SITE, brakes=replace(SITE.brakes, **{brake: site})))
    assert len(blockers(world.plan(documents))) == 1
    plan = world.plan(flagged(documents, **override(world, brake, instead)))
    assert blockers(plan) == []
    told = next(f for f in plan.findings if f.code == "brake_overridden")
    assert (str(told.address), told.why) == (f"acme/brake/{brake}", "agreed with the tenant (ada)")
    assert f"the brake allows {instead} until " in told.what
    assert f"the site {site}" in told.what


def test_an_override_that_expired_says_so_where_the_brake_holds() -> None:
    world = prepared()
    on = flagged(braked(outage_budget=1), **override(world, "outage_budget", 3600, hours=-1))
    held = world.plan(on).blockers[0]
    expired = (world.now - timedelta(hours=1)).isoformat()
    assert (held.code, held.why) == ("brake_outage", f"brakes.outage_budget; its override to 3600 expired at {expired}")
    assert "override it in the manifest until a date" in held.fix


def test_an_override_can_be_stricter_and_brake_where_the_site_does_not() -> None:
    world = done(BOTH)
    found = world.plan(flagged(leaving(), **override(world, "volumes_deleted", 1))).blockers
    assert [f.what for f in found if f.code == "brake_volumes_deleted"] == ["decommissioning deletes 3 volumes, the brake allows 1"]


def test_overrides_and_times_leave_the_digest_as_it_is() -> None:
    world = prepared()
    changed = flagged(PILOT, pilot={"cutover_at": OPENS}, **override(world, "cutovers", 1))
    assert tenant_digest(changed) == tenant_digest(PILOT)


@pytest.mark.parametrize(
    ("seconds", "codes", "waits"),
    [
        (-901, [], (True, 901.0)),
        (-900, [], (False, 900.0)),
        (-1, [], (False, 1.0)),
        (0, [], None),
        (3600, [], None),
        (3601, ["cutover_missed"], (True, 0.0)),
    ],
)
def test_a_wave_begins_at_its_time(seconds: int, codes: list[str], waits: tuple[bool, float] | None) -> None:
    world = prepared()
    world.now = OPENS + timedelta(seconds=seconds)
    plan = world.plan(flagged(PILOT, pilot={"cutover_at": OPENS}))
    held = gate(plan)
    assert (blockers(plan), (held.long, held.seconds) if held else None) == (codes, waits)
    assert (GATE in recorded(plan).after) is bool(waits)


def test_a_wave_under_way_is_not_held_by_its_time() -> None:
    world = before("source_server/web-1#stop")
    plan = world.plan(flagged(PILOT, pilot={"cutover_at": world.now - timedelta(days=1)}))
    assert (blockers(plan), gate(plan)) == ([], None)
