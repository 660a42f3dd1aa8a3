"""What no single list says of a server: Nova's has neither its ports' ids, nor its disks' device names, nor its server group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from millpond.model.block_storage import Volume
from millpond.model.compute import AttachedVolume, Server, ServerGroup
from millpond.model.network import Port


def join_servers(
    servers: Iterable[Server], ports: Iterable[Port] = (), volumes: Iterable[Volume] = (), server_groups: Iterable[ServerGroup] = ()
) -> tuple[Server, ...]:
    """The servers of one cloud with `port_ids` in NIC order, `volumes` with devices (root first, then by device), and `server_group_id`.

    A port without address is not in Nova's network cache: such ports follow the others, by id.
    """
    of_device = defaultdict(list)
    for port in ports:
        of_device[port.device_id].append(port)
    devices = {(one.server_id, volume.id): one.device for volume in volumes for one in volume.attachments}
    groups = {member: group.id for group in server_groups for member in group.members}
    return tuple(
        replace(
            server,
            port_ids=nic_order(server, of_device.get(server.id, ())) or server.port_ids,
            volumes=disk_order(server, devices),
            server_group_id=groups.get(server.id, server.server_group_id),
        )
        for server in servers
    )


def nic_order(server: Server, ports: Iterable[Port]) -> tuple[str, ...]:
    place = {mac: at for at, mac in enumerate(server.nic_macs)}
    last = len(place)
    return tuple(port.id for port in sorted(ports, key=lambda port: (place.get(port.mac_address.lower(), last), port.id)))


def disk_order(server: Server, devices: Mapping[tuple[str, str], str]) -> tuple[AttachedVolume, ...]:
    """`/dev/vdb` comes before `/dev/vdaa`."""
    named = [replace(one, device=devices.get((server.id, one.volume_id), one.device)) for one in server.volumes]
    return tuple(sorted(named, key=lambda one: (one.device != server.root_device_name, not one.device, len(one.device), one.device)))
