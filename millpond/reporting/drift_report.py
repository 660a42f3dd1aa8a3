"""What `drift` found, told apart: blockers of what moves or has moved, drift of either side, and lag, which is no drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from millpond.model.finding import Finding
from millpond.model.plan import Drift, Plan, Stage, TenantPlan, WaveStatus
from millpond.reporting.amounts import counted

SIDES: Mapping[str, tuple[str, str]] = {
    "source": ("Source drift", "the source is no longer what the inventory says; `millpond discover` reads it anew"),
    "target": ("Target drift", "objects that were handed over and changed since: the tenant's decisions, left alone"),
}
"""Side → its title, and what it means."""
COPYING = (Stage.REPLICATE, Stage.CUT)
"""Stages in which replicas follow their source; later ones rest, or run backwards."""
BLOCKED = ("Blockers", "they hold what moves or has moved; `millpond plan` shows all that there are")
LAG = ("Lag", "how far replicas are behind their source; the progress of replication, no drift")


@dataclass(frozen=True)
class Lag:
    """Of one wave: seconds behind, bytes of the first copy that are left. `late`: further behind than the site file allows (`rpo`)."""

    tenant: str
    wave: str
    phase: str
    seconds: float
    bytes_left: int
    late: bool


@dataclass(frozen=True)
class DriftReport:
    """`rpo`: seconds that a replica may be behind, 0 where nothing is said."""

    plan: Plan
    rpo: float = 0.0

    @property
    def lags(self) -> tuple[Lag, ...]:
        """Of waves that are being replicated, in the order of the tenants."""
        return tuple(
            Lag(tenant.tenant, wave.name, wave.phase, wave.lag_seconds, wave.bytes_left, bool(self.rpo) and wave.lag_seconds > self.rpo)
            for tenant in self.plan.tenants
            for wave in tenant.waves
            if wave.stage in COPYING and (wave.lag_seconds or wave.bytes_left)
        )

    @property
    def drifted(self) -> bool:
        return any(tenant.drift for tenant in self.plan.tenants)

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """Of waves that are on their way or have arrived, and of their tenants: what only waits to be moved is for plans to tell."""
        return tuple(finding for tenant in self.plan.tenants for finding in blocking(tenant))

    @property
    def verdict(self) -> str:
        """What it comes to, in one line."""
        none = "No drift." if self.plan.tenants else "Nothing was compared: no tenant has a manifest."
        none = "No drift in what could be read." if self.plan.errors else none
        sides = f"Drift: {self.count('source')} on the source, {self.count('target')} on the target." if self.drifted else none
        return f"{counted(len(self.blockers), 'blocker')} of what moves or has moved. {sides}" if self.blockers else sides

    def count(self, side: str) -> int:
        return sum(len(of_side(tenant, side)) for tenant in self.plan.tenants)


def blocking(tenant: TenantPlan) -> tuple[Finding, ...]:
    begun = {wave.name for wave in tenant.waves if _begun(wave)}
    return tuple(finding for finding in tenant.blockers if finding.wave in begun or (begun and not finding.wave))


def _begun(wave: WaveStatus) -> bool:
    return bool(wave.cut) or wave.stage not in COPYING


def of_side(tenant: TenantPlan, side: str) -> tuple[Drift, ...]:
    return tuple(item for item in tenant.drift if item.side == side)


def happened(drift: Drift) -> str:
    """`has changed`, or what became of the whole object."""
    return drift.what or "has changed"
