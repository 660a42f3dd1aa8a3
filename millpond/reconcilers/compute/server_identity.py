"""What "the same server" means: the attributes that are carried, as one comparable mapping per side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from millpond.diffing import differences
from millpond.model.change import UNKNOWN, FieldChange
from millpond.model.compute import AttachedVolume, Flavor, Server
from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.compute import flavor, server_group
from millpond.reconcilers.identity import key_pair
from millpond.reconcilers.twins import twin


def sanitized(name: str) -> str:
    """The hostname that Nova makes of a display name (nova.utils.sanitize_hostname, the same in Queens and since)."""
    lowered = re.sub(r"[ _]", "-", name).lower()
    return re.sub(r"[^\w.-]", "", lowered).strip(".-")[:63]


def boot_name(server: Server) -> str:
    """The name to create with: the hostname where it differs from what the name would give; the display name is put back afterwards."""
    if server.hostname and server.hostname != sanitized(server.name):
        return server.hostname
    return server.name


def desired_power(desired: Desired, server: Server) -> str:
    values = desired.server_values.get(server.id)
    record = server.record
    return (values.power if values else "") or (record.power if record else "") or server.power


def keeps_user_data(desired: Desired, server: Server) -> bool:
    values = desired.server_values.get(server.id)
    return server.has_user_data and not (values and values.user_data == "drop")


def zone(desired: Desired, server: Server) -> str:
    """Asked for only where the manifest or the map says so: naming a zone pins the server to it."""
    values = desired.server_values.get(server.id)
    return (values.availability_zone if values else "") or desired.site.maps.availability_zones.get(server.availability_zone, "")


def _id_of(snapshot: Snapshot, collection: str, source_id: str) -> str:
    found = twin(snapshot, collection, source_id)
    return found.id if found is not None else UNKNOWN


def _group(desired: Desired, snapshot: Snapshot, source_id: str) -> str:
    group = next((group for group in desired.inventory.server_groups if group.id == source_id), None)
    if group is None:
        return ""
    found = server_group.existing(desired, snapshot, group)
    return found.id if found else UNKNOWN


def _spec(chosen: Flavor) -> dict[str, object]:
    return {
        "name": chosen.name,
        "vcpus": chosen.vcpus,
        "ram": chosen.ram,
        "disk": chosen.disk,
        "ephemeral": chosen.ephemeral,
        "swap": chosen.swap,
        "extra_specs": dict(chosen.extra_specs),
    }


def moving_disks(desired: Desired, server: Server) -> tuple[AttachedVolume, ...]:
    """Those that the manifest does not exclude, in their order."""
    return tuple(disk for disk in server.volumes if disk.volume_id not in desired.excluded)


def wanted(desired: Desired, snapshot: Snapshot, server: Server) -> dict[str, object]:
    """`server` is the inventory's. Ids are the target's; UNKNOWN where the object does not exist yet."""
    values: dict[str, object] = {
        "name": server.name,
        "description": server.description,
        "flavor": _spec(flavor.wanted(desired, snapshot, server)),
        "key_name": server.key_name if key_pair.of_server(desired, server) else "",
        "config_drive": server.config_drive,
        "user_data": keeps_user_data(desired, server),
        "metadata": dict(server.metadata),
        "tags": sorted(server.tags),
        "server_group": _group(desired, snapshot, server.server_group_id),
        "ports": [_id_of(snapshot, "ports", port) for port in server.port_ids],
        "volumes": [_id_of(snapshot, "volumes", disk.volume_id) for disk in moving_disks(desired, server)],
    }
    if server.hostname:
        values["hostname"] = server.hostname
    if zone(desired, server):
        values["availability_zone"] = zone(desired, server)
    return values


def shown(snapshot: Snapshot, server: Server, keys: Mapping[str, object]) -> dict[str, object]:
    """`server` is the target's; only the attributes in `keys`."""
    values: dict[str, object] = {
        "name": server.name,
        "hostname": server.hostname,
        "description": server.description,
        "flavor": _spec(server.flavor),
        "key_name": server.key_name,
        "config_drive": server.config_drive,
        "user_data": server.has_user_data,
        "metadata": dict(server.metadata),
        "tags": sorted(server.tags),
        "server_group": next((group.id for group in snapshot.target.server_groups if server.id in group.members), ""),
        "ports": list(server.port_ids),
        "volumes": [volume.volume_id for volume in server.volumes],
        "availability_zone": server.availability_zone,
    }
    return {key: values[key] for key in keys}


def unequal(desired: Desired, snapshot: Snapshot, server: Server, live: Server) -> tuple[FieldChange, ...]:
    """Every carried attribute of the target's `live` that is not as desired: observed → desired."""
    want = wanted(desired, snapshot, server)
    stays = {volume.id for volume in snapshot.target.volumes if volume.marker in desired.excluded}  # moved, and excluded since
    counted = replace(live, volumes=tuple(disk for disk in live.volumes if disk.volume_id not in stays))
    found = differences(shown(snapshot, counted, want), want)
    original = next((s for s in snapshot.source.servers if s.id == server.id), None)
    if keeps_user_data(desired, server) and original and original.user_data and live.user_data and original.user_data != live.user_data:
        return (*found, FieldChange("user_data", live.user_data, original.user_data))
    return found
