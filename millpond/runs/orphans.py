"""Tenants whose manifest is gone: detached, never deleted, and named in every plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from millpond.errors import MillpondError
from millpond.model.address import Address
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.identity import Project
from millpond.model.marker import TENANT_TAG
from millpond.model.site import Site
from millpond.providers.access import Access
from millpond.providers.open import open_providers
from millpond.providers.ports import Cloud


def orphans(site: Site, tenants: Sequence[Desired]) -> tuple[Finding, ...]:
    """Projects that carry Millpond's tag and that no manifest of this site names, on the clouds that its manifests name.

    `tenants` are all of the site. Clouds that give no answer are a warning: the tenants' plans do not depend on it.
    """
    found: list[Finding] = []
    for source, target in sorted({(t.manifest.source.cloud, t.manifest.target.cloud) for t in tenants}):
        here = {t.inventory.project.id for t in tenants if t.manifest.source.cloud == source}
        there = {(t.manifest.target.domain, t.manifest.target.project) for t in tenants if t.manifest.target.cloud == target}
        try:
            providers = open_providers(site, source, target, Access.READ)
            found += [*_on_source(providers.source, here), *_on_target(providers.target, there)]
        except MillpondError as error:
            found.append(_not_listed(site, source, target, error))
    return tuple(dict.fromkeys(found))


def _not_listed(site: Site, source: str, target: str, error: MillpondError) -> Finding:
    return Finding(
        "orphans_not_listed",
        Severity.WARNING,
        Address(site.name, "cloud", f"{source}-{target}"),
        f"what was left on {source} and {target} by removed manifests could not be listed",
        f"{error.summary}: {error.why}",
        "tenants that lost their manifest, even in the middle of a cut, are not seen until these clouds answer",
    )


def _on_source(cloud: Cloud, known: set[str]) -> Iterator[Finding]:
    for project in cloud.identity.tagged_projects(TENANT_TAG):
        if project.id not in known:
            stopped = _in_outage(cloud.compute.servers(project.id))
            yield _outage(cloud, project, stopped) if stopped else _orphan(cloud, project)


def _in_outage(servers: Iterable[Server]) -> list[str]:
    return sorted(s.name or s.id for s in servers if s.record and s.record.cut and not s.record.verified)


def _on_target(cloud: Cloud, known: set[tuple[str, str]]) -> Iterator[Finding]:
    for project in cloud.identity.tagged_projects(TENANT_TAG):
        if (project.domain_name, project.name) not in known:
            yield _orphan(cloud, project)


def _orphan(cloud: Cloud, project: Project) -> Finding:
    return Finding(
        "orphan",
        Severity.WARNING,
        Address(project.name, "project", cloud.name),
        f"the project {project.name} ({project.id}) on {cloud.name} is marked as being migrated, but no manifest names it",
        "removing a manifest detaches the tenant and deletes nothing",
        f"put its manifest back, or remove the tag `{TENANT_TAG}` from the project",
    )


def _outage(cloud: Cloud, project: Project, stopped: list[str]) -> Finding:
    return Finding(
        "orphan_in_outage",
        Severity.BLOCKER,
        Address(project.name, "project", cloud.name),
        f"OUTAGE: {len(stopped)} server(s) of {project.name} are stopped in the middle of a cut: {', '.join(stopped)}",
        "their manifest was removed before the cut was complete",
        "put the manifest and the inventory back and run apply: it goes on where it stopped",
        wave="-",
    )
