"""Manifest over inventory: every name becomes a source id, or a problem with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from millpond.errors import Problem
from millpond.model.address import unique_names
from millpond.model.desired import Desired
from millpond.model.inventory import Inventory
from millpond.model.manifest import Manifest, ServerValues, VolumeValues
from millpond.model.site import Site
from millpond.schemas.document import Document, refuse
from millpond.schemas.draft import Draft, draft
from millpond.schemas.exclusions import excluded
from millpond.schemas.flags import check_flags
from millpond.schemas.nearest import did_you_mean
from millpond.schemas.references import Objects
from millpond.schemas.waves import waves

Values = TypeVar("Values", ServerValues, VolumeValues)

COMPUTE = {"cores", "instances", "ram", "key_pairs", "metadata_items", "server_groups", "server_group_members"}
INJECTED = {"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"}
VOLUME = {"volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes", "per_volume_gigabytes", "groups"}
NETWORK = {
    "network",
    "subnet",
    "port",
    "router",
    "floatingip",
    "security_group",
    "security_group_rule",
    "subnetpool",
    "rbac_policy",
    "trunk",
}
PER_VOLUME_TYPE = ("volumes_", "gigabytes_", "snapshots_")


def resolve(site: Site, document: Document, manifest: Manifest, inventory: Inventory) -> Desired:
    """The desired state. `document` is the one that `manifest` was made of. InvalidDocument names all problems."""
    problems: list[Problem] = []
    desired = resolve_into(problems, site, document, manifest, inventory)
    refuse(problems)
    return desired


def resolve_into(problems: list[Problem], site: Site, document: Document, manifest: Manifest, inventory: Inventory) -> Desired:
    """As `resolve`, adding to `problems`; the result holds what could be resolved."""
    work = draft(document, manifest, inventory)
    _same_project(work)
    staying = excluded(work)
    found = waves(work, staying, site.replication.grouping)
    check_flags(work, found)
    _quotas(work)
    places: dict[str, str] = {}
    servers = _server_values(work, staying, places)
    volumes = _volume_values(work, staying, places)
    problems.extend(work.problems)
    return Desired(site, manifest, inventory, found, names(inventory), servers, volumes, staying, places)


def _same_project(work: Draft) -> None:
    source, project = work.manifest.source, work.inventory.project
    fix = f"correct the source, or run `millpond discover {work.manifest.name}`"
    if source.project not in (project.name, project.id):
        what = f"the source is project `{source.project}`, but the inventory is of `{project.name}`"
        work.problem(work.where("source", "project"), what, fix=fix)
    elif project.domain_name and source.domain not in (project.domain_name, project.domain_id):
        what = f"the source is in domain `{source.domain}`, but the inventory is of a project in `{project.domain_name}`"
        work.problem(work.where("source", "domain"), what, fix=fix)


def _quotas(work: Draft) -> None:
    known = (COMPUTE | INJECTED | VOLUME | NETWORK).union(*(quota.limits for quota in work.inventory.quotas))
    for key in work.manifest.quotas:
        if key not in known and not key.startswith(PER_VOLUME_TYPE):
            fix = did_you_mean(key, sorted(known), "see `openstack quota show` for the keys")
            work.problem(work.document.where_key("spec", "quotas", key), f"there is no quota `{key}`", fix=fix)


def _server_values(work: Draft, staying: frozenset[str], places: dict[str, str]) -> dict[str, ServerValues]:
    ids = [work.server(each.server, "servers", index) for index, each in enumerate(work.manifest.servers)]
    return _values(work, staying, places, ids, work.manifest.servers, work.servers)


def _volume_values(work: Draft, staying: frozenset[str], places: dict[str, str]) -> dict[str, VolumeValues]:
    ids = [work.volume(each.volume, "volumes", index) for index, each in enumerate(work.manifest.volumes)]
    return _values(work, staying, places, ids, work.manifest.volumes, work.volumes)


def _values(
    work: Draft, staying: frozenset[str], places: dict[str, str], ids: Sequence[str], values: Sequence[Values], known: Objects
) -> dict[str, Values]:
    """source id → the manifest's values for it; where they stand is noted in `places`."""
    found: dict[str, Values] = {}
    for index, (id, each) in enumerate(zip(ids, values, strict=True)):
        where = work.where(f"{known.noun}s", index)
        if id in found:
            work.problem(where, f"{known.noun} {known.label(id)} has two entries", fix="put all values into one")
        elif id in staying:
            what = f"{known.noun} {known.label(id)} has values here, but is excluded"
            work.problem(where, what, fix="delete this entry, or delete the exclusion")
        elif id:
            found[id], places[id] = each, where
    return found


def names(inventory: Inventory) -> Mapping[str, str]:
    """source id → the name in the address, unique within its kind."""
    return {id: name for pairs in _kinds(inventory) for id, name in unique_names(pairs).items()}


def _kinds(inventory: Inventory) -> Iterator[list[tuple[str, str]]]:
    for found in (
        [inventory.project],
        inventory.users,
        inventory.security_groups,
        inventory.networks,
        inventory.subnets,
        inventory.routers,
        inventory.ports + inventory.router_ports,
        inventory.server_groups,
        inventory.volumes,
        inventory.snapshots,
        inventory.servers,
    ):
        yield [(each.id, each.name) for each in found]
    yield [(each.id, each.floating_ip_address) for each in inventory.floating_ips]
