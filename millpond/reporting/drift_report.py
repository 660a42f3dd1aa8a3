"""What `drift` found, told apart: drift of the source, drift of the target, and lag, which is progress and no drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from millpond.model.plan import Drift, Plan, Stage, TenantPlan

SIDES: Mapping[str, tuple[str, str]] = {
    "source": ("Source drift", "the source is no longer what the inventory says; `millpond discover` reads it anew"),
    "target": ("Target drift", "objects that were handed over and changed since: the tenant's decisions, left alone"),
}
"""Side → its title, and what it means."""
COPYING = (Stage.REPLICATE, Stage.CUT)
"""Stages in which replicas follow their source; later ones rest, or run backwards."""
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

    def count(self, side: str) -> int:
        return sum(len(of_side(tenant, side)) for tenant in self.plan.tenants)


def of_side(tenant: TenantPlan, side: str) -> tuple[Drift, ...]:
    return tuple(item for item in tenant.drift if item.side == side)


def happened(drift: Drift) -> str:
    """`has changed`, or what became of the whole object."""
    return drift.what or "has changed"
