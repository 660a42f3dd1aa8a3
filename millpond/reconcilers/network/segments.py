"""Segments: networks joined by the tenant's routers, which switch their gateway together, and how far each of them is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from millpond.model.desired import Desired
from millpond.model.marker import SWITCHED_TAG, SWITCHING_TAG
from millpond.model.network import Port
from millpond.model.plan import Stage
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.network.mapping import carried
from millpond.reconcilers.twins import by_id, once_per, only
from millpond.reconcilers.usage import ARRIVED, BACKWARD, ONWARD, is_handed_over, moving_servers, usage

INTERFACE_OWNERS = frozenset({"network:router_interface", "network:router_interface_distributed", "network:ha_router_replicated_interface"})
"""device_owner of a router's leg in a tenant network (neutron_lib.constants.ROUTER_INTERFACE_OWNERS)."""


class Direction(StrEnum):
    """Where the flags lead a segment: `stay` while its waves differ, `held` while one of them is."""

    ONWARD = "onward"
    BACK = "back"
    STAY = "stay"
    HELD = "held"


class Phase(StrEnum):
    """Where its gateway is observed."""

    SOURCE = "source"
    SWITCHING = "switching"
    SWITCHED = "switched"


@dataclass(frozen=True)
class Segment:
    """Source ids. `interfaces` are the inventory's router ports on `networks`; a router without any is a segment of its own."""

    name: str
    networks: tuple[str, ...]
    routers: tuple[str, ...]
    interfaces: tuple[Port, ...]
    servers: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """`servers` are those that decide: the segment's own, or all that move where it has none.

    `settled`: all of them are handed over and the gateway is on the target; nothing is on the source any more.
    """

    segment: Segment
    direction: Direction
    phase: Phase
    servers: tuple[str, ...]
    settled: bool


@once_per
def segments(desired: Desired) -> tuple[Segment, ...]:
    inventory = desired.inventory
    interfaces = [port for port in inventory.router_ports if port.network_id not in desired.excluded]
    joined: dict[str, str] = {}
    for port in interfaces:
        _join(joined, port.network_id, port.device_id)
    groups: dict[str, list[str]] = {}
    networks = carried(desired) | {port.network_id for port in interfaces}
    for id in [n.id for n in inventory.networks if n.id in networks] + [r.id for r in inventory.routers]:
        groups.setdefault(_root(joined, id), []).append(id)
    routers = {router.id for router in inventory.routers}
    moving = set(moving_servers(desired))
    return tuple(_segment(desired, members, routers, interfaces, moving) for members in groups.values())


def _root(joined: Mapping[str, str], id: str) -> str:
    while id in joined:
        id = joined[id]
    return id


def _join(joined: dict[str, str], one: str, other: str) -> None:
    first, second = _root(joined, one), _root(joined, other)
    if first != second:
        joined[first] = second


def _segment(desired: Desired, members: list[str], routers: set[str], interfaces: list[Port], moving: set[str]) -> Segment:
    networks = tuple(id for id in members if id not in routers)
    own = tuple(id for id in members if id in routers)
    on_network = usage(desired.inventory).on_network
    servers = dict.fromkeys(server for id in networks for server in on_network.get(id, ()) if server in moving)
    return Segment(
        name=desired.names.get((own or networks)[0], (own or networks)[0]),
        networks=networks,
        routers=own,
        interfaces=tuple(port for port in interfaces if port.device_id in own),
        servers=tuple(servers),
    )


def standings(desired: Desired, snapshot: Snapshot, goals: Goals) -> tuple[Standing, ...]:
    return tuple(_standing(segment, desired, snapshot, goals) for segment in segments(desired))


def by_network(desired: Desired, snapshot: Snapshot, goals: Goals) -> dict[str, Standing]:
    """source network id → the standing of its segment."""
    return {id: standing for standing in standings(desired, snapshot, goals) for id in standing.segment.networks}


def _standing(segment: Segment, desired: Desired, snapshot: Snapshot, goals: Goals) -> Standing:
    servers = segment.servers or moving_servers(desired)
    direction = _direction(segment, servers, desired, goals)
    phase = _phase(segment, desired, snapshot, goals, direction)
    handed_over = all(is_handed_over(goals, server) for server in servers)
    settled = direction is Direction.ONWARD and phase is Phase.SWITCHED and handed_over
    return Standing(segment, direction, phase, servers, settled)


def _direction(segment: Segment, servers: tuple[str, ...], desired: Desired, goals: Goals) -> Direction:
    """A segment without servers follows when every wave does; nothing but the tenant's flag says so where there is no wave."""
    if segment.servers:
        stages = {goals.stage(server) for server in segment.servers}
    else:
        stages = set(goals.stages.values()) or {Stage.HANDED_OVER if desired.manifest.cutover else Stage.REPLICATE}
    if Stage.HELD in stages:
        return Direction.HELD
    if stages <= (ONWARD if servers else ARRIVED):
        return Direction.ONWARD
    return Direction.BACK if stages <= BACKWARD else Direction.STAY


def _phase(segment: Segment, desired: Desired, snapshot: Snapshot, goals: Goals, direction: Direction) -> Phase:
    """Told from the tags of the source's routers; from the target's where they are gone from the source."""
    if not segment.routers:
        return Phase.SWITCHED if direction is Direction.ONWARD else Phase.SOURCE
    found = by_id(snapshot.source.routers)
    tags = [found[id].tags for id in segment.routers if id in found]
    if not tags:
        arrived = goals.decommission or bool(live_on_target(segment, snapshot))
        return Phase.SWITCHED if arrived else Phase.SWITCHING
    if all(SWITCHED_TAG in own for own in tags):
        return Phase.SWITCHED
    return Phase.SWITCHING if any({SWITCHING_TAG, SWITCHED_TAG} & set(own) for own in tags) else Phase.SOURCE


@once_per
def _interfaces(ports: tuple[Port, ...]) -> dict[str, list[Port]]:
    index: dict[str, list[Port]] = {}
    for port in ports:
        if port.device_owner in INTERFACE_OWNERS:
            index.setdefault(port.device_id, []).append(port)
    return index


def router_interfaces(ports: tuple[Port, ...], routers: Iterable[str]) -> list[Port]:
    """The legs of these routers in tenant networks."""
    index = _interfaces(ports)
    return [port for router in routers for port in index.get(router, ())]


def live_on_source(segment: Segment, snapshot: Snapshot) -> list[Port]:
    return [port for port in router_interfaces(snapshot.source.ports, segment.routers) if port.network_id in segment.networks]


def live_on_target(segment: Segment, snapshot: Snapshot) -> list[Port]:
    """The legs, on networks of the segment, of the routers that stand for its routers."""
    twins = (only(snapshot.target.routers, id) for id in segment.routers)
    addresses = {address.ip_address for port in segment.interfaces for address in port.fixed_ips}
    legs = router_interfaces(snapshot.target.ports, [twin.id for twin in twins if twin])
    return [port for port in legs if any(address.ip_address in addresses for address in port.fixed_ips)]
