"""How much one apply may do at most: the site's brakes, or what a manifest states instead until a date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from millpond.model.array import ReplicaState
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.plan import GATE, OutageEstimate, Stage
from millpond.model.site import Brakes
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.storage.replication import ends, groups

AGAIN = "run apply again: the brake counts one run; or "
RAISE_IT = "raise the brake in millpond.yaml, or override it in the manifest until a date, in a reviewed change"
Admitted = Mapping[tuple[str, str], int]
"""(tenant, wave) → how many servers it stops: what this apply has admitted."""


def effective(desired: Desired, now: datetime) -> Brakes:
    """The site's, with the tenant's overrides that have not expired."""
    return replace(desired.site.brakes, **{o.brake: o.value for o in desired.manifest.brake_overrides if now < o.expires})


def overridden(desired: Desired, now: datetime) -> Iterator[Finding]:
    """So that nobody overlooks in a plan what was allowed once."""
    for override in desired.manifest.brake_overrides:
        own = getattr(desired.site.brakes, override.brake)
        if now < override.expires and override.value != own:
            yield Finding(
                "brake_overridden",
                Severity.INFO,
                desired.address("brake", override.brake),
                f"the brake allows {override.value} until {override.expires.isoformat()}, the site {own or 'has none'}",
                override.reason + (f" ({override.by})" if override.by else ""),
                f"nothing to do; to take it back, remove it from tenants/{desired.tenant}.yaml",
            )


def _whose(desired: Desired, brake: str, now: datetime) -> str:
    own = next((o for o in desired.manifest.brake_overrides if o.brake == brake), None)
    if own is None:
        return f"brakes.{brake}"
    return f"brakes.{brake}; its override to {own.value} {'expires' if now < own.expires else 'expired'} at {own.expires.isoformat()}"


def held_by(desired: Desired, wave: str, code: str, what: str, why: str, fix: str) -> Finding:
    return Finding(code, Severity.BLOCKER, desired.address(GATE, wave), what, why, fix, wave=wave)


def exceeded(
    desired: Desired, snapshot: Snapshot, goals: Goals, wave: DesiredWave, estimate: OutageEstimate, admitted: Admitted
) -> Iterator[Finding]:
    """Each brake that this wave exceeds, together with what is under way and what this apply `admitted` before."""
    brakes = effective(desired, snapshot.now)
    before = {key: servers for key, servers in admitted.items() if key != (desired.tenant, wave.name)}
    stopped = sum(before.values())
    with_others = f", with the {stopped} of this run" if stopped else ""
    smaller = f"{RAISE_IT}, or choose a smaller wave"
    if brakes.servers_stopped and stopped + len(wave.servers) > brakes.servers_stopped:
        yield held_by(
            desired, wave.name, "brake_servers_stopped",
            f"the wave stops {len(wave.servers)} servers{with_others}, the brake allows {brakes.servers_stopped}",
            _whose(desired, "servers_stopped", snapshot.now),
            smaller if len(wave.servers) > brakes.servers_stopped else AGAIN + RAISE_IT,
        )  # fmt: skip
    cutting = {(desired.tenant, name) for name, stage in goals.stages.items() if stage is Stage.CUT and name in goals.admitted}
    cutting |= {*before, (desired.tenant, wave.name)}
    if brakes.cutovers and len(cutting) > brakes.cutovers:
        yield held_by(
            desired, wave.name, "brake_cutovers", f"{len(cutting)} waves would be cut, the brake allows {brakes.cutovers}",
            _whose(desired, "cutovers", snapshot.now), AGAIN + RAISE_IT,
        )  # fmt: skip
    lag = wave_lag(desired, snapshot, wave.name)
    if brakes.lag_at_cutover and lag > brakes.lag_at_cutover:
        yield held_by(
            desired, wave.name, "brake_lag", f"the replication lags {lag:.0f} s, the brake allows {brakes.lag_at_cutover} s",
            _whose(desired, "lag_at_cutover", snapshot.now), "let it catch up, then run apply again",
        )  # fmt: skip
    worst = estimate.longest
    if brakes.outage_budget and worst > brakes.outage_budget:
        yield held_by(
            desired, wave.name, "brake_outage", f"the outage is estimated at {worst:.0f} s, the budget is {brakes.outage_budget} s",
            _whose(desired, "outage_budget", snapshot.now), smaller,
        )  # fmt: skip


def wave_lag(desired: Desired, snapshot: Snapshot, wave: str, *, recorded: bool = False) -> float:
    """Seconds between the array's now and the oldest restore point of the wave's groups; 0 while nothing is replicated.

    `recorded`: a cut of the wave is on record. What is suspended or turned then was so by us, and is behind nothing. A pair that the array
    itself has suspended is.
    """
    worst = 0.0
    for group in groups(desired, snapshot):
        pair = ends(group, snapshot)
        source = pair.source
        if recorded and source is not None and (not pair.forward or source.state is ReplicaState.SUSPENDED):
            continue
        fact = snapshot.storage.array(group.pair.source.array)
        if group.wave == wave and source is not None and source.restore_point and fact is not None:
            worst = max(worst, (fact.now_ms - source.restore_point) / 1000)
    return worst


def too_many_deleted(desired: Desired, snapshot: Snapshot, volumes: int) -> Iterator[Finding]:
    brake = effective(desired, snapshot.now).volumes_deleted
    if brake and volumes > brake:
        what = f"decommissioning deletes {volumes} volumes, the brake allows {brake}"
        yield held_by(desired, "decommission", "brake_volumes_deleted", what, _whose(desired, "volumes_deleted", snapshot.now), RAISE_IT)
