"""Makes plans: reads everything, changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from millpond import __version__
from millpond.model.desired import Desired
from millpond.model.plan import Plan, TenantPlan
from millpond.model.site import Site
from millpond.planning.build import build
from millpond.planning.digest import plan_digest
from millpond.providers.access import Access
from millpond.providers.open import open_providers
from millpond.runs.observe import observe
from millpond.runs.orphans import orphans


def make_plan(site: Site, tenants: Sequence[Desired], wave: str = "", *, all_tenants: bool = False) -> Plan:
    """One plan, through logins that cannot write. `all_tenants`: of the site; what else is tagged has lost its manifest."""
    plan = whole([_planned(site, desired, wave) for desired in tenants])
    return replace(plan, findings=orphans(site, tenants)) if all_tenants else plan


def _planned(site: Site, desired: Desired, wave: str) -> TenantPlan:
    manifest = desired.manifest
    providers = open_providers(site, manifest.source.cloud, manifest.target.cloud, Access.READ)
    return build(desired, observe(providers, desired), wave=wave)


def whole(plans: Sequence[TenantPlan]) -> Plan:
    return Plan(
        made_at=datetime.now(UTC),
        tool_version=__version__,
        tenants=tuple(plans),
        digest=plan_digest(plan.digest for plan in plans),
    )
