"""Which servers use what, as the inventory has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from millpond.model.desired import Desired
from millpond.model.inventory import Inventory
from millpond.model.plan import BACK, Stage
from millpond.reconcilers.base import Goals
from millpond.reconcilers.twins import once_per

ONWARD = frozenset({Stage.CUT, Stage.HANDED_OVER, Stage.DECOMMISSION})
BACKWARD = BACK | {Stage.REPLICATE}
ARRIVED = frozenset({Stage.HANDED_OVER, Stage.DECOMMISSION})


@dataclass(frozen=True)
class Usage:
    """Source ids throughout. `server_of` is by port, the others give the servers with a port on the network or in the group."""

    server_of: Mapping[str, str]
    on_network: Mapping[str, tuple[str, ...]]
    in_group: Mapping[str, tuple[str, ...]]


@once_per
def usage(inventory: Inventory) -> Usage:
    server_of = {port: server.id for server in inventory.servers for port in server.port_ids}
    on_network: dict[str, dict[str, None]] = {}
    in_group: dict[str, dict[str, None]] = {}
    for port in inventory.ports:
        server = server_of.get(port.id)
        if server:
            on_network.setdefault(port.network_id, {})[server] = None
            for group in port.security_groups:
                in_group.setdefault(group, {})[server] = None
    return Usage(server_of, _frozen(on_network), _frozen(in_group))


def _frozen(index: dict[str, dict[str, None]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(servers) for key, servers in index.items()}


@once_per
def attached_to(desired: Desired) -> Mapping[str, tuple[str, ...]]:
    """Volume → the servers that have it, and are booted with it."""
    attached: dict[str, dict[str, None]] = {}
    for server in desired.inventory.servers:
        for volume in server.volumes:
            attached.setdefault(volume.volume_id, {})[server.id] = None
    return _frozen(attached)


@once_per
def servers_of_volumes(desired: Desired) -> Mapping[str, tuple[str, ...]]:
    """Volume → the servers that have it; for a detached one all servers of its wave, which it moves with."""
    moving = {id: wave.servers for wave in desired.waves for id in wave.volumes}
    return {**moving, **attached_to(desired)}


@once_per
def detached_volumes(desired: Desired) -> frozenset[str]:
    """Those that no server has, and that move with the servers of their wave."""
    return frozenset(id for wave in desired.waves if wave.servers for id in wave.volumes if id not in attached_to(desired))


def is_handed_over(goals: Goals, server: str) -> bool:
    return server in goals.verified and goals.stage(server) not in BACK


def is_tenants(goals: Goals, servers: Iterable[str]) -> bool:
    """Whether what these servers use is the tenant's by now: from the first one handed over, or, unused, when every wave has arrived."""
    users = tuple(servers)
    if users:
        return any(is_handed_over(goals, server) for server in users)
    return bool(goals.stages) and all(stage in ARRIVED for stage in goals.stages.values())


def moving_servers(desired: Desired) -> tuple[str, ...]:
    """Every server that is in a wave: the excluded ones are in none."""
    return tuple(server for wave in desired.waves for server in wave.servers)


@once_per
def kept_ports(desired: Desired) -> frozenset[str]:
    """Ports that stay on the source for good: those of excluded servers and those on excluded networks."""
    server_of = usage(desired.inventory).server_of
    return frozenset(
        port.id for port in desired.inventory.ports if server_of.get(port.id) in desired.excluded or port.network_id in desired.excluded
    )


@once_per
def kept_groups(desired: Desired) -> frozenset[str]:
    kept = kept_ports(desired)
    return frozenset(group for port in desired.inventory.ports if port.id in kept for group in port.security_groups)


@once_per
def leaving_networks(desired: Desired) -> frozenset[str]:
    """The tenant's own networks that go when the source is decommissioned: not those that other tenants or excluded servers may use."""
    kept, project = kept_ports(desired), desired.inventory.project.id
    used = desired.excluded | {port.network_id for port in desired.inventory.ports if port.id in kept}
    return frozenset(
        network.id
        for network in desired.inventory.networks
        if network.project_id == project and not network.shared and not network.external and network.id not in used
    )
