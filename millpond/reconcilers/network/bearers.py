"""Which ports are carried, and for which servers: NICs, and unbound ports that hold an address which servers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from millpond.model.desired import Desired
from millpond.model.network import Port
from millpond.reconcilers.network.segments import segments
from millpond.reconcilers.twins import by_id, once_per
from millpond.reconcilers.usage import moving_servers, usage


@dataclass(frozen=True)
class Bearer:
    """`servers` (source ids) decide about the port: the one whose NIC it is; of a shared address those that may bear it."""

    port: Port
    servers: tuple[str, ...]


@once_per
def bearers(desired: Desired) -> tuple[Bearer, ...]:
    """Ports of excluded servers and on excluded networks are left out, as are those that other services own."""
    inventory = desired.inventory
    ports, moving = by_id(inventory.ports), set(moving_servers(desired))
    nics = [
        Bearer(ports[id], (server.id,))
        for server in inventory.servers
        if server.id in moving
        for id in server.port_ids
        if id in ports and ports[id].network_id not in desired.excluded
    ]
    claims, neighbours = _claims(desired, moving), _neighbours(desired)
    unbound = [port for port in inventory.ports if not port.device_owner and not port.device_id and port.network_id not in desired.excluded]
    return (*nics, *(Bearer(port, _claimants(port, claims) or neighbours.get(port.network_id, ())) for port in unbound))


@once_per
def carried_ports(desired: Desired) -> frozenset[str]:
    """Source ids of the ports that get a twin."""
    return frozenset(bearer.port.id for bearer in bearers(desired))


def _claims(desired: Desired, moving: set[str]) -> Mapping[tuple[str, str], dict[str, None]]:
    """(network, address) → the servers that may use this address besides their own."""
    server_of = usage(desired.inventory).server_of
    claims: dict[tuple[str, str], dict[str, None]] = {}
    for port in desired.inventory.ports:
        server = server_of.get(port.id, "")
        for pair in port.allowed_address_pairs if server in moving else ():
            claims.setdefault((port.network_id, pair.ip_address.removesuffix("/32")), {})[server] = None
    return claims


def _claimants(port: Port, claims: Mapping[tuple[str, str], dict[str, None]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(server for fixed in port.fixed_ips for server in claims.get((port.network_id, fixed.ip_address), {})))


def _neighbours(desired: Desired) -> dict[str, tuple[str, ...]]:
    return {network: segment.servers for segment in segments(desired) for network in segment.networks}
