"""Makes plans: reads everything, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from millpond import __version__
from millpond.errors import InvalidDocument, MillpondError
from millpond.model.desired import Desired
from millpond.model.plan import Plan, TenantPlan
from millpond.model.site import Site
from millpond.model.snapshot import Snapshot
from millpond.planning.approvers import approvers
from millpond.planning.build import build
from millpond.planning.digest import plan_digest
from millpond.planning.fleet import with_fleet_brakes
from millpond.providers.access import Access
from millpond.providers.open import open_providers, places
from millpond.runs.downtime import dated_by_journal
from millpond.runs.observe import observe
from millpond.runs.orphans import orphans


def make_plan(
    site: Site,
    tenants: Sequence[Desired],
    wave: str = "",
    *,
    all_tenants: bool = False,
    refused: Mapping[str, MillpondError] = MappingProxyType({}),
) -> Plan:
    """One plan, through logins that cannot write. `all_tenants`: these are all of the site; what else is tagged has lost its manifest.
    While documents are refused nobody can tell that of a project. Without any tenant they are looked for always.

    A tenant that cannot be planned is an error of the plan, beside those of `refused`; where it is the only one its error is raised.
    """
    errors = {tenant: told(error) for tenant, error in refused.items()}
    plans: list[tuple[Desired, TenantPlan]] = []
    clouds: dict[str, str] = {}
    arrays: dict[str, str] = {}
    for desired in tenants:
        try:
            snapshot = observed(site, desired)
            plans.append((desired, dated_by_journal(site, desired, snapshot, build(desired, snapshot, wave=wave))))
            clouds |= places({desired.manifest.source.cloud, desired.manifest.target.cloud})
            arrays |= {fact.array: fact.serial for fact in snapshot.storage.arrays}
        except MillpondError as error:
            if len(tenants) + len(refused) == 1:
                raise
            errors[desired.tenant] = told(error)
    plan = replace(
        whole(with_fleet_brakes(plans, datetime.now(UTC), wave)),
        errors=tuple(sorted(errors.items())),
        clouds=clouds,
        arrays=arrays,
        approvers=approvers(site, (planned for _, planned in plans)),
    )
    return replace(plan, findings=orphans(site, tenants)) if (all_tenants or not tenants) and not refused else plan


def told(error: MillpondError) -> str:
    """In one paragraph."""
    return "; ".join(_told(one) for one in (error, *error.also))


def _told(error: MillpondError) -> str:
    if isinstance(error, InvalidDocument):
        found = (f"{problem.where}: {problem.what}" for problem in error.problems)
        return f"{error.summary}: {'; '.join(found)}"
    where = f" ({error.where})" if error.where else ""
    return f"{error.summary}: {error.why}{where}{'. To do: ' + error.fix if error.fix else ''}"


def observed(site: Site, desired: Desired) -> Snapshot:
    """Through logins that cannot write, which end with it."""
    manifest = desired.manifest
    providers = open_providers(site, manifest.source.cloud, manifest.target.cloud, Access.READ)
    with providers, providers.all_told():
        return observe(providers, desired)


def whole(plans: Sequence[TenantPlan]) -> Plan:
    return Plan(
        made_at=datetime.now(UTC),
        tool_version=__version__,
        tenants=tuple(plans),
        digest=plan_digest(plan.digest for plan in plans),
    )
