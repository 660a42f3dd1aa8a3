"""What no apply can do before a person has decided something."""

from __future__ import annotations

from millpond.model.change import Waiting
from millpond.model.finding import Finding
from millpond.model.plan import TenantPlan, WaveStatus


def held_by(tenant: TenantPlan, status: WaveStatus) -> tuple[Finding, ...]:
    """The blockers of a wave of which nothing can be done now, nor after a wait that an apply stays for."""
    free = within_reach(tenant)
    if any(step.wave == status.name and step.id in free for step in tenant.steps):
        return ()
    return tuple(finding for finding in tenant.blockers if finding.wave in ("", status.name))


def is_all_held(tenant: TenantPlan) -> bool:
    """There are changes, and blockers or gates keep every one of them from being made."""
    free = within_reach(tenant)
    return bool(tenant.changes) and not any(change.id in free for change in tenant.changes)


def within_reach(tenant: TenantPlan) -> frozenset[str]:
    """Ids of the changes and short waits of an apply that would run now: what comes after no long wait."""
    later: dict[str, list[str]] = {}
    for step in tenant.steps:
        for id in step.after:
            later.setdefault(id, []).append(step.id)
    shut = {step.id for step in tenant.steps if isinstance(step, Waiting) and step.long}
    found = list(shut)
    while found:
        new = [id for id in later.get(found.pop(), ()) if id not in shut]
        shut.update(new)
        found += new
    return frozenset(step.id for step in tenant.steps) - shut
