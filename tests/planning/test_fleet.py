"""What several tenants do together in one apply is told in their plan."""

from __future__ import annotations

from dataclasses import replace

from millpond.model.desired import Desired
from millpond.model.plan import TenantPlan
from millpond.planning.fleet import with_fleet_brakes
from tests.planning.situations import BACK, BOTH, PILOT, before
from tests.planning.tenant import SITE, prepared
from tests.planning.world import EPOCH


def together(*planned: tuple[Desired, TenantPlan], **brakes: int) -> list[list[str]]:
    """What is said to each of these tenants."""
    site = replace(SITE, brakes=replace(SITE.brakes, **brakes))
    braked = [(replace(desired, site=site), replace(plan, tenant=f"t{n}")) for n, (desired, plan) in enumerate(planned)]
    plans = with_fleet_brakes(braked, EPOCH)
    return [[f.what for f in plan.findings if f.code == "brake_of_all_tenants"] for plan in plans]


def alone(only: str = "", **brakes: int) -> list[str]:
    """What is said to one tenant of which two waves are cut over."""
    desired = replace(BOTH, site=replace(SITE, brakes=replace(SITE.brakes, **brakes)))
    (plan,) = with_fleet_brakes([(desired, prepared().plan(desired, wave=only))], EPOCH, only)
    return [f.what for f in plan.findings if f.code == "brake_of_all_waves"]


def test_waves_of_one_tenant_are_counted_too() -> None:
    assert alone(cutovers=1) == ["the waves of this plan together cut over 2 waves, the brake of one apply allows 1"]
    assert alone(servers_stopped=1) == ["the waves of this plan together cut over 2 waves with 2 servers, the brake of one apply allows 1"]
    assert alone(cutovers=2, servers_stopped=2) == []
    assert alone(only="rest", cutovers=1, servers_stopped=1) == []


def test_more_waves_than_one_apply_may_cut_over_are_told_to_each_that_cuts() -> None:
    cut, still = (PILOT, prepared().plan(PILOT)), (BACK, prepared().plan(BACK))
    said = "all tenants of this plan together cut over 2 waves, the brake of one apply allows 1"
    assert together(cut, cut, still, cutovers=1) == [[said], [said], []]
    assert together(cut, cut, cutovers=2) == [[], []]
    assert together(cut, still, cutovers=1) == [[], []]


def test_so_are_more_servers_than_it_may_stop() -> None:
    cut = (PILOT, prepared().plan(PILOT))
    said = "all tenants of this plan together cut over 3 waves with 3 servers, the brake of one apply allows 2"
    assert together(cut, cut, cut, servers_stopped=2) == [[said]] * 3


def test_waves_that_are_held_or_under_way_do_not_count() -> None:
    held = prepared()
    held.source.compute.put("server-1", status="PAUSED")
    other = (PILOT, before("source_server/web-1#stop").plan(PILOT))
    assert together((PILOT, held.plan(PILOT)), other, (PILOT, prepared().plan(PILOT)), cutovers=1) == [[], [], []]
