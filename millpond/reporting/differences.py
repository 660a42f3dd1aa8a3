"""What will not be the same on the target, and why: what documents and maps change, and what no API can carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from millpond.model.compute import Flavor
from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.compute import flavor
from millpond.reconcilers.compute.server_identity import keeps_user_data, zone
from millpond.reconcilers.storage.volume import volume_type

MANIFEST, SITE = "the manifest says so", "the site file maps it"


@dataclass(frozen=True)
class Difference:
    """`what` is a field of the objects in `of`, or a fact of all. `source` and `target` are empty where a value would say nothing."""

    what: str
    source: str
    target: str
    why: str
    of: tuple[str, ...] = ()


def not_the_same(desired: Desired, snapshot: Snapshot) -> tuple[Difference, ...]:
    """Objects of which the same is to be said are told together."""
    found = (*_project(desired), *_servers(desired, snapshot), *_volumes(desired), *_names(desired), *_quotas(desired))
    together: dict[Difference, list[str]] = {}
    for one in found:
        together.setdefault(replace(one, of=()), []).extend(one.of)
    return (*(replace(one, of=tuple(names)) for one, names in together.items()), *_general(desired))


def stays_behind(desired: Desired) -> tuple[tuple[str, str], ...]:
    """What is not moved, and the reason."""
    excluded = ((kind, each) for each in desired.manifest.exclude for kind in ("server", "volume", "network") if getattr(each, kind))
    by_manifest = [(f"{desired.tenant}/{kind}/{getattr(each, kind)}", each.reason) for kind, each in excluded]
    why = "snapshots stay on the array they were made on"
    by_nature = [(f"{desired.tenant}/snapshot/{each.name or each.id}", why) for each in desired.inventory.snapshots]
    return (*by_manifest, *by_nature)


def _project(desired: Desired) -> Iterator[Difference]:
    source, target = desired.manifest.source, desired.manifest.target
    for field in ("domain", "project"):
        before, after = getattr(source, field), getattr(target, field)
        if before != after:
            yield Difference("name of the project" if field == "project" else "domain", before, after, MANIFEST)


def _servers(desired: Desired, snapshot: Snapshot) -> Iterator[Difference]:
    for server in desired.inventory.servers:
        if server.id in desired.excluded:
            continue
        values, of = desired.server_values.get(server.id), (str(desired.address("server", server.id)),)
        wanted = flavor.wanted(desired, snapshot, server)
        if (before := _flavor(server.flavor)) != (after := _flavor(wanted)):
            mapped = SITE if flavor.chosen_name(desired, server) else "the target has one of this size under that name"
            yield Difference("flavor", before, after, MANIFEST if values and values.flavor else mapped, of)
        asked = zone(desired, server)
        if asked and asked != server.availability_zone:
            why = MANIFEST if values and values.availability_zone else SITE
            yield Difference("availability zone", server.availability_zone, asked, why, of)
        if values and values.power and values.power != server.power:
            yield Difference("power", server.power, values.power, MANIFEST, of)
        if server.has_user_data and not keeps_user_data(desired, server):
            yield Difference("user data", "present", "none", MANIFEST, of)


def _volumes(desired: Desired) -> Iterator[Difference]:
    for volume in desired.inventory.volumes:
        kind = volume_type(desired, volume)
        if volume.id not in desired.excluded and kind != volume.volume_type:
            values = desired.volume_values.get(volume.id)
            why = MANIFEST if values and values.volume_type else SITE
            yield Difference("volume type", volume.volume_type, kind, why, (str(desired.address("volume", volume.id)),))


def _names(desired: Desired) -> Iterator[Difference]:
    """Of what is not the tenant's own."""
    maps, own = desired.site.maps, desired.inventory.project.id
    for network in desired.inventory.networks:
        other = network.external or network.shared or network.project_id != own
        if other and maps.networks.get(network.name, network.name) != network.name:
            yield Difference("network that is not the tenant's", network.name, maps.networks[network.name], SITE)
    for role in sorted({assignment.role for assignment in desired.inventory.role_assignments}):
        if maps.roles.get(role, role) != role:
            yield Difference("role", role, maps.roles[role], SITE)


def _quotas(desired: Desired) -> Iterator[Difference]:
    had = {key: limit for quota in desired.inventory.quotas for key, limit in quota.limits.items()}
    for key, limit in sorted(desired.manifest.quotas.items()):
        if had.get(key) != limit:
            yield Difference(f"quota of {key}", str(had.get(key, "")), str(limit), MANIFEST)


def _general(desired: Desired) -> Iterator[Difference]:
    """What no API can carry."""
    yield Difference("ids of all objects", "", "", "each service gives ids of its own; old and new ones stand under Objects")
    if desired.inventory.servers:
        yield Difference(
            "system UUID in the guest", "", "", "it is the server's id: software that is licensed by it must be activated again"
        )
        yield Difference("serial numbers of virtual disks", "", "", "they are volume ids: guests should mount by UUID or label")
        yield Difference("creation times, action history and console logs", "", "", "no API sets them")
    if any(volume.image_metadata.get("hw_firmware_type") == "uefi" for volume in desired.inventory.volumes):
        yield Difference("UEFI variables", "", "", "they lie on the source's hypervisor: guests boot by the fallback path")
    if desired.inventory.users:
        yield Difference("passwords of users", "", "", "no API returns them")


def _flavor(found: Flavor) -> str:
    return f"{found.name} ({found.vcpus} vCPU, {found.ram} MiB, {found.disk} GB)"
