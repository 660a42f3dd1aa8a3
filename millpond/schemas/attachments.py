"""Which volume is attached to which server, from both sides of an inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from millpond.model.inventory import Inventory


@dataclass(frozen=True)
class Attachments:
    """Source ids alone."""

    servers: Mapping[str, frozenset[str]]
    volumes: Mapping[str, frozenset[str]]

    def servers_of(self, volume_id: str) -> frozenset[str]:
        return self.servers.get(volume_id, frozenset())

    def volumes_of(self, server_id: str) -> frozenset[str]:
        return self.volumes.get(server_id, frozenset())

    def sharing(self, server_id: str) -> frozenset[str]:
        """The other servers that a volume of this one is attached to."""
        shared = frozenset[str]().union(*(self.servers_of(volume) for volume in self.volumes_of(server_id)))
        return shared - {server_id}


def attachments(inventory: Inventory) -> Attachments:
    pairs = {(volume.id, each.server_id) for volume in inventory.volumes for each in volume.attachments}
    pairs |= {(each.volume_id, server.id) for server in inventory.servers for each in server.volumes}
    servers: dict[str, set[str]] = {}
    volumes: dict[str, set[str]] = {}
    for volume, server in pairs:
        servers.setdefault(volume, set()).add(server)
        volumes.setdefault(server, set()).add(volume)
    return Attachments({k: frozenset(v) for k, v in servers.items()}, {k: frozenset(v) for k, v in volumes.items()})
