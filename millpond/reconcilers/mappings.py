"""Whose the mappings of an array's volume are: its hosts there, against the attachments that Cinder and Nova tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from string import hexdigits

from millpond.model.array import ArrayVolume
from millpond.model.block_storage import Attachment, Volume
from millpond.model.compute import Server

Initiators = Mapping[tuple[str, str], frozenset[str]]


def holders_of(servers: Iterable[Server]) -> dict[str, list[str]]:
    """Volume → the servers that have it, as Nova tells it: from the beginning of an attachment, which Cinder shows from its end on."""
    found: dict[str, list[str]] = {}
    for server in servers:
        for disk in server.volumes:
            found.setdefault(disk.volume_id, []).append(server.id)
    return found


def held_by(volume: Volume, holders: Mapping[str, Sequence[str]]) -> Volume:
    shown = {attachment.server_id for attachment in volume.attachments}
    more = tuple(Attachment(id) for id in holders.get(volume.id, ()) if id not in shown)
    return replace(volume, attachments=(*volume.attachments, *more))


def unaccounted(local: ArrayVolume, volume: Volume | None, initiators: Initiators) -> list[str]:
    """The array's hosts that have the volume, where they are more than its attachments account for."""
    attachments = volume.attachments if volume else ()
    own = {a: initiators.get((volume.id, a.server_id), frozenset[str]()) for a in attachments} if volume else {}
    told = {port for known in own.values() for port in known}
    others = [host for host in local.mapped_to if wwpn(host) not in told]
    return others if len(others) > len({a.host or a.server_id for a, known in own.items() if not known}) else []


def wwpn(host: str) -> str:
    """Of an array host that the Infinidat driver made for one port of a hypervisor: it makes one for each; empty of any other."""
    port = host.removeprefix("openstack-host-").replace(".", "").lower()
    return port if host.startswith("openstack-host-") and len(port) == 16 and set(port) <= set(hexdigits) else ""
