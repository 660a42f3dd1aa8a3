"""Reads what a plan needs: everything once, then only what moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from millpond.errors import MillpondError
from millpond.model.change import AnyStep
from millpond.model.desired import Desired
from millpond.model.identity import Project
from millpond.model.joining import join_servers
from millpond.model.manifest import ProjectRef
from millpond.model.marker import tag_for
from millpond.model.snapshot import CloudState, Facts, Snapshot
from millpond.providers.ports import Cloud, Providers
from millpond.providers.together import together
from millpond.reconcilers.base import Reader, Scope
from millpond.reconcilers.identity.belongings import BELONGINGS
from millpond.reconcilers.registry import RECONCILERS
from millpond.reconcilers.storage.replication_reading import REPLICAS
from millpond.reconcilers.storage.reservation import RESERVATIONS
from millpond.runs.moving import SIDES, moved_by

READERS: tuple[Reader, ...] = (*RECONCILERS, REPLICAS, RESERVATIONS)
ONE_SIDED = frozenset(("replication_group", "replica"))
"""Readers of the arrays: they take no side."""


class MissingProject(MillpondError):
    summary = "The tenant's project was not found"


class LoginsProject(MillpondError):
    summary = "This project is not a tenant's"


def one_project(cloud: Cloud, ref: ProjectRef) -> Project:
    """MissingProject, LoginsProject."""
    found = cloud.identity.projects(ref.project, ref.domain)
    if len(found) != 1:
        what = f"{len(found)} projects" if found else "no project"
        raise MissingProject(
            f"{what} called {ref.project} in domain {ref.domain} on cloud {ref.cloud}",
            where=f"{ref.cloud}: {ref.domain}/{ref.project}",
            fix="Correct cloud, domain and project in the manifest, or check that this login may list projects.",
        )
    _not_the_logins(cloud, found, ref)
    return found[0]


def _not_the_logins(cloud: Cloud, projects: Iterable[Project], ref: ProjectRef) -> None:
    """Where Millpond works nobody is moved to or from: its boots' keys and the addresses that it parks are there, and a decommissioning
    would delete the project with its own login in it."""
    if any(project.id == cloud.project_id for project in projects):
        raise LoginsProject(
            f"the login to cloud {ref.cloud} is to this very project: what Millpond keeps for the tenants of that cloud is in it, such as "
            "addresses that it parked, and at the end it would be deleted",
            where=f"{ref.cloud}: {ref.domain}/{ref.project}",
            fix="Name the tenant's project. If this is the tenant's, let Millpond log in to a project of its own: `project_name` of this "
            "cloud in clouds.yaml.",
        )


def observe(providers: Providers, desired: Desired) -> Snapshot:
    """Everything of one tenant on both clouds and the arrays."""
    snapshot = _with_projects(providers, desired, Snapshot(datetime.now(UTC)))
    dying = (BELONGINGS,) if desired.manifest.decommission else ()
    return read(providers, _scope(desired, snapshot), (*RECONCILERS, RESERVATIONS, *dying))


def observe_source(providers: Providers, tenant: str, project: Project) -> Snapshot:
    """The source alone, for discover. Of the storage nothing is read."""
    snapshot = Snapshot(datetime.now(UTC), source=CloudState(projects=(project,)))
    scope = Scope(tenant, project.id, "", snapshot, target=False)
    return read(providers, scope, tuple(r for r in RECONCILERS if r.KIND != "replication_group"))


def observe_again(providers: Providers, desired: Desired, snapshot: Snapshot, steps: Iterable[AnyStep]) -> Snapshot:
    """The snapshot with what these steps may have moved read anew. What no step and no time moves is left as it was read at first."""
    wanted = moved_by(steps)
    if "projects" in wanted:
        return observe(providers, desired)
    chosen = tuple(reader for reader in READERS if reader.KIND in wanted)
    return read(providers, replace(_scope(desired, snapshot), again=True), chosen, wanted)


def _scope(desired: Desired, snapshot: Snapshot) -> Scope:
    """A project that is gone has nothing to be read."""
    here = bool(snapshot.source.projects)
    return Scope(desired.tenant, desired.inventory.project.id, _id(snapshot.target), snapshot, source=here)


def read(providers: Providers, scope: Scope, readers: Sequence[Reader], sides: Mapping[str, frozenset[str]] | None = None) -> Snapshot:
    """In phases: a kind that needs another's facts is asked after it. All kinds of one phase are asked together, each side by itself."""
    snapshot = scope.seen
    left = list(readers)
    names = {reader.KIND for reader in readers}
    done: set[str] = set()
    while left:
        phase = [r for r in left if not (set(r.READS_AFTER) & names) - done]
        calls = [partial(r.observe, providers, part) for r in phase for part in _parts(r, replace(scope, seen=snapshot), sides)]
        for facts in together(calls):
            snapshot = snapshot.with_facts(facts, datetime.now(UTC))
        done |= {r.KIND for r in phase}
        left = [r for r in left if r not in phase]
    return replace(snapshot, source=_joined(snapshot.source), target=_joined(snapshot.target))


def _parts(reader: Reader, scope: Scope, sides: Mapping[str, frozenset[str]] | None) -> list[Scope]:
    """The scope, once per side that is to be read."""
    own = SIDES if sides is None else sides[reader.KIND]
    parts = [replace(scope, source=scope.source and one == "source", target=scope.target and one == "target") for one in sorted(own)]
    return [scope] if reader.KIND in ONE_SIDED else [part for part in parts if part.source or part.target]


def _joined(state: CloudState) -> CloudState:
    return replace(state, servers=join_servers(state.servers, state.ports, state.volumes, state.server_groups))


def _with_projects(providers: Providers, desired: Desired, snapshot: Snapshot) -> Snapshot:
    """The source's project by its id (it may be gone), the target's by marker first, then by name."""
    source_ref, target_ref = desired.manifest.source, desired.manifest.target
    marker = tag_for(desired.inventory.project.id)
    here, marked, named = together(
        [
            lambda: providers.source.identity.projects(source_ref.project, source_ref.domain),
            lambda: providers.target.identity.tagged_projects(marker),
            lambda: providers.target.identity.projects(target_ref.project, target_ref.domain),
        ]
    )
    own = tuple(project for project in here if project.id == desired.inventory.project.id)
    _not_the_logins(providers.source, own, source_ref)
    _not_the_logins(providers.target, (*marked, *named), target_ref)
    facts = Facts(source={"projects": own}, target={"projects": marked or named})
    return snapshot.with_facts(facts, datetime.now(UTC))


def _id(state: CloudState) -> str:
    return state.project.id if state.project else ""
