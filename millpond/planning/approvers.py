"""Who must approve what a plan stops, promotes or deletes, as the site file names them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from millpond.model.plan import BACK, Stage, TenantPlan
from millpond.model.site import Site


def approvers(site: Site, tenants: Iterable[TenantPlan]) -> dict[str, tuple[str, ...]]:
    """Phase (cutover, rollback, decommission) → who; only phases of which the plan has such a step and the site file names somebody."""
    phases = {phase for tenant in tenants for phase in _phases(tenant)}
    return {phase: who for phase, who in vars(site.approvers).items() if who and phase in phases}


def _phases(tenant: TenantPlan) -> Iterable[str]:
    stages = {wave.name: wave.stage for wave in tenant.waves}
    for wave in {change.wave for change in tenant.changes if change.danger}:
        yield _phase({stages[wave]} if wave in stages else set(stages.values()))


def _phase(stages: Collection[Stage]) -> str:
    """Of one wave; of all where a step is the tenant's. A pair that is no longer kept goes as the cutover's manifest said."""
    if Stage.DECOMMISSION in stages:
        return "decommission"
    return "rollback" if BACK & set(stages) else "cutover"
