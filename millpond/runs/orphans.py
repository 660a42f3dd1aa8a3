"""Tenants whose manifest is gone: detached, never deleted, and named in every plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from millpond.errors import MillpondError
from millpond.model.address import Address
from millpond.model.compute import Server
from millpond.model.counting import told_of
from millpond.model.desired import Desired
from millpond.model.finding import NO_MANIFEST, Finding, Severity
from millpond.model.identity import Project
from millpond.model.marker import TENANT_TAG
from millpond.model.site import Site
from millpond.model.to_do import to_do
from millpond.providers.access import Access
from millpond.providers.open import configured_clouds, open_providers, places
from millpond.providers.ports import Cloud
from millpond.providers.together import together


def orphans(site: Site, tenants: Sequence[Desired]) -> tuple[Finding, ...]:
    """Projects that carry Millpond's tag and that no manifest of this site names, on the clouds that its manifests name.

    `tenants` are all of the site. Clouds that give no answer are a warning: the tenants' plans do not depend on it. Where there is no
    manifest all clouds that this machine knows are asked, and the finding `no_manifest` says what that can tell.
    """
    if not tenants:
        return _without_manifest(site)
    found: list[Finding] = []
    for source, target in sorted({(t.manifest.source.cloud, t.manifest.target.cloud) for t in tenants}):
        here = {t.inventory.project.id for t in tenants if t.manifest.source.cloud == source}
        there = {(t.manifest.target.domain, t.manifest.target.project) for t in tenants if t.manifest.target.cloud == target}
        try:
            with open_providers(site, source, target, Access.READ) as providers:
                found += [*_tagged(providers.source, here).values(), *_on_target(providers.target, there)]
        except MillpondError as error:
            found.append(_not_listed(site, (source, target), error))
    return tuple(dict.fromkeys(found))


def _without_manifest(site: Site) -> tuple[Finding, ...]:
    """No manifest says which clouds the site migrates between. Several logins of one cloud see each their part of it."""
    answers = together([partial(_seen, site, names) for names in _logins()])
    found = [finding for seen in answers for finding in seen.found.values()]
    silent = [_not_listed(site, (seen.names[0],), seen.errors[0]) for seen in answers if not seen.heard]
    return (*found, *silent, _no_manifest(site, [seen.heard[0] for seen in answers if seen.heard]))


@dataclass(frozen=True)
class _Seen:
    """What the logins of one cloud see: id → finding of each project; the logins that were answered, and the errors of the others."""

    names: Sequence[str]
    found: dict[str, Finding] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    errors: list[MillpondError] = field(default_factory=list)


def _logins() -> list[list[str]]:
    """The names of clouds.yaml, those of one cloud together."""
    found: dict[str, list[str]] = {}
    for name in configured_clouds():
        try:
            place = places((name,))[name]
        except MillpondError:
            place = name
        found.setdefault(place, []).append(name)
    return list(found.values())


def _seen(site: Site, names: Sequence[str]) -> _Seen:
    seen = _Seen(names)
    for name in names:
        try:
            with open_providers(site, name, name, Access.READ) as providers:
                for id, finding in _tagged(providers.source, set()).items():
                    seen.found.setdefault(id, finding)
            seen.heard.append(name)
        except MillpondError as error:
            seen.errors.append(error)
    return seen


def _no_manifest(site: Site, heard: Sequence[str]) -> Finding:
    where = f"looked for on the clouds that this machine knows ({', '.join(heard)}), and on no other"
    nowhere = "not looked for: no manifest says on which clouds, and none that this machine knows has answered"
    return Finding(
        NO_MANIFEST,
        Severity.WARNING,
        Address(site.name, "site", "tenants"),
        f"no tenant has a manifest. What removed ones left behind was {where if heard else nowhere}",
        "removing a manifest detaches its tenant, even in the middle of a cut, and deletes nothing",
        to_do(
            "put back the manifest and the inventory that were removed, or take the first tenant in",
            "millpond discover NAME --source-cloud NAME --target-cloud NAME",
        ),
    )


def _not_listed(site: Site, clouds: Sequence[str], error: MillpondError) -> Finding:
    return Finding(
        "orphans_not_listed",
        Severity.WARNING,
        Address(site.name, "cloud", "-".join(clouds)),
        f"what was left on {' and '.join(clouds)} by removed manifests could not be listed",
        f"{error.summary}: {error.why}",
        "tenants that lost their manifest, even in the middle of a cut, are not seen until that is mended",
    )


def _tagged(cloud: Cloud, known: set[str]) -> Mapping[str, Finding]:
    """Id → finding, of the projects with Millpond's tag that are not `known`. Servers of a target carry no record of a cut."""
    unknown = [project for project in cloud.identity.tagged_projects(TENANT_TAG) if project.id not in known]
    stopped = {project.id: _in_outage(cloud.compute.servers(project.id)) for project in unknown}
    return {p.id: _outage(cloud, p, stopped[p.id]) if stopped[p.id] else _orphan(cloud, p) for p in unknown}


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
    of = f"of {project.name}"
    return Finding(
        "orphan_in_outage",
        Severity.BLOCKER,
        Address(project.name, "project", cloud.name),
        f"OUTAGE: {told_of(len(stopped), 'server', f'{of} is', f'{of} are')} stopped in the middle of a cut: {', '.join(stopped)}",
        "their manifest was removed before the cut was complete",
        "put the manifest and the inventory back and run apply: it goes on where it stopped",
        wave="-",
    )
