"""The brakes over all waves of a plan: one apply of it cuts over no more, whichever are ready first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import GATE, Stage, TenantPlan, WaveStatus
from millpond.planning.brakes import effective

TOGETHER = "brake_of_all_tenants"
IN_TURN = "brake_of_all_waves"


def with_fleet_brakes(plans: Sequence[tuple[Desired, TenantPlan]], now: datetime, only: str = "") -> tuple[TenantPlan, ...]:
    """The plans with a warning in each tenant whose waves, alone or with those of the others, are more than a brake allows. It holds
    nothing: which of them apply admits is decided by their readiness. `only`: the one wave of each tenant that may be admitted."""
    cutting = {plan.tenant: tuple(wave for wave in _cutting(plan) if only in ("", wave.name)) for _, plan in plans}
    every = [wave for waves in cutting.values() for wave in waves]
    others = sum(1 for waves in cutting.values() if waves) > 1
    return tuple(
        replace(plan, findings=(*plan.findings, *_warnings(desired, every, now, others=others))) if cutting[plan.tenant] else plan
        for desired, plan in plans
    )


def _cutting(plan: TenantPlan) -> Iterator[WaveStatus]:
    """The waves that apply would admit."""
    held = {finding.wave for finding in plan.blockers}
    return (wave for wave in plan.waves if wave.stage is Stage.CUT and not wave.admitted and not held & {"", wave.name})


def _warnings(desired: Desired, every: Sequence[WaveStatus], now: datetime, *, others: bool) -> Iterator[Finding]:
    brakes = effective(desired, now)
    stopped = sum(len(wave.servers) for wave in every)
    if brakes.cutovers and len(every) > brakes.cutovers:
        yield _warning(desired, f"{len(every)} waves", brakes.cutovers, "cutovers", others=others)
    if brakes.servers_stopped and stopped > brakes.servers_stopped:
        yield _warning(desired, f"{len(every)} waves with {stopped} servers", brakes.servers_stopped, "servers_stopped", others=others)


def _warning(desired: Desired, together: str, allowed: int, brake: str, *, others: bool) -> Finding:
    return Finding(
        TOGETHER if others else IN_TURN,
        Severity.WARNING,
        desired.address(GATE, brake),
        f"{'all tenants of this plan' if others else 'the waves of this plan'} together cut over {together}, "
        f"the brake of one apply allows {allowed}",
        f"brakes.{brake}; waves are admitted as they become ready, and the rest is held",
        "apply again for the rest, or raise the brake in a reviewed change",
    )
