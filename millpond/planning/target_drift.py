"""Target drift: what became of the objects that were handed over. The tenant's decisions, reported and left alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from millpond.diffing import differences
from millpond.model.block_storage import Volume
from millpond.model.change import Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.network import FloatingIP, Network, Router
from millpond.model.plan import Drift
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.compute.server_identity import desired_power, unequal
from millpond.reconcilers.identity.needs import needs
from millpond.reconcilers.identity.quota import wanted as wanted_limits
from millpond.reconcilers.network.bearers import bearers, carried_ports
from millpond.reconcilers.network.mapping import carried, is_derived, network_id
from millpond.reconcilers.network.port_body import shown, wanted
from millpond.reconcilers.network.rules import key_of, text
from millpond.reconcilers.network.segments import standings
from millpond.reconcilers.storage.volume import image_metadata, volume_type
from millpond.reconcilers.twins import by_id, marked, only
from millpond.reconcilers.usage import ARRIVED, is_handed_over, is_tenants, usage

NETWORK = ("name", "description", "admin_state_up", "port_security_enabled")
SUBNET = ("name", "description", "gateway_ip", "dns_nameservers", "host_routes", "enable_dhcp")
ROUTER = ("name", "description", "admin_state_up", "enable_snat")
VOLUME = ("name", "description", "size", "bootable", "metadata")


def target_drift(desired: Desired, snapshot: Snapshot, goals: Goals) -> tuple[Drift, ...]:
    """Of each kind, what is the tenant's by the same rule that keeps its reconciler away from it."""
    return (
        *_servers(desired, snapshot, goals),
        *_volumes(desired, snapshot, goals),
        *_ports(desired, snapshot, goals),
        *_groups(desired, snapshot, goals),
        *_segments(desired, snapshot, goals),
        *_quotas(desired, snapshot, goals),
    )


def _drift(desired: Desired, kind: str, source_id: str, twins: tuple[Any, ...], fields: Iterable[FieldChange]) -> Iterator[Drift]:
    """`twins` are the objects with the marker; with more than one it cannot be told what changed."""
    found = tuple(fields)
    if not twins:
        yield Drift(desired.address(kind, source_id), "target", (), "is gone from the target", Effect.DELETE)
    elif found:
        yield Drift(desired.address(kind, source_id), "target", found)


def _values(item: Any, fields: Iterable[str]) -> dict[str, Any]:
    return {field: getattr(item, field) for field in fields}


def _servers(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Drift]:
    for server in desired.inventory.servers:
        if server.id not in goals.verified:
            continue
        twins = marked(snapshot.target.servers, server.id)
        fields: list[FieldChange] = []
        if len(twins) == 1:
            live = twins[0]
            fields = [FieldChange(c.path, c.after, c.before) for c in unequal(desired, snapshot, server, live)]
            power = "ACTIVE" if desired_power(desired, server) == "active" else "SHUTOFF"
            fields += [] if live.status == power else [FieldChange("status", power, live.status)]
        yield from _drift(desired, "server", server.id, twins, fields)


def _volumes(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Drift]:
    """Those of handed-over servers, and detached ones of waves that have arrived."""
    handed = {id for wave in desired.waves if _arrived(goals, wave.servers, wave.name) for id in wave.volumes}
    attached = {v.volume_id: s.id for s in desired.inventory.servers for v in s.volumes if is_handed_over(goals, s.id)}
    for volume in desired.inventory.volumes:
        if volume.id in handed or volume.id in attached:
            twins = marked(snapshot.target.volumes, volume.id)
            fields = differences(*_volume(desired, volume, twins[0])) if len(twins) == 1 else ()
            yield from _drift(desired, "volume", volume.id, twins, fields)


def _volume(desired: Desired, volume: Volume, twin: Volume) -> tuple[dict[str, Any], dict[str, Any]]:
    """What it was given and what it has. Without a type Cinder takes its default; of the image metadata the other keys are the tenant's."""
    was, now = _values(volume, VOLUME), _values(twin, VOLUME)
    if kind := volume_type(desired, volume):
        was["volume_type"], now["volume_type"] = kind, twin.volume_type
    given = image_metadata(desired, volume)
    was["image_metadata"] = given
    now["image_metadata"] = {key: value for key, value in twin.image_metadata.items() if key in given}
    return was, now


def _arrived(goals: Goals, servers: tuple[str, ...], wave: str) -> bool:
    return goals.stages.get(wave) in ARRIVED and all(is_handed_over(goals, server) for server in servers)


def _ports(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Drift]:
    """Admin state is left out: it is up until the handover has put it down."""
    for bearer in bearers(desired):
        if not bearer.servers or not all(is_handed_over(goals, server) for server in bearer.servers):
            continue
        twins = marked(snapshot.target.ports, bearer.port.id)
        fields: Iterable[FieldChange] = ()
        if len(twins) == 1:
            want = {key: value for key, value in wanted(desired, snapshot, bearer).fields.items() if key != "admin_state_up"}
            have = shown(snapshot, twins[0])
            fields = differences(want, {key: have[key] for key in want})
        yield from _drift(desired, "port", bearer.port.id, twins, fields)


def _groups(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Drift]:
    in_group = usage(desired.inventory).in_group
    origin = {group.id: group.marker for group in snapshot.target.security_groups if group.marker}
    for group in desired.inventory.security_groups:
        if not is_tenants(goals, in_group.get(group.id, ())):
            continue
        twins = marked(snapshot.target.security_groups, group.id)
        fields: Iterable[FieldChange] = ()
        if len(twins) == 1:
            fields = differences(_group(group, {}, desired.names), _group(twins[0], origin, desired.names))
        yield from _drift(desired, "security_group", group.id, twins, fields)


def _group(group: Any, origin: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    """`origin`: the target's groups → the source's, so that rules on both sides name the same ones."""
    rules = sorted(text(key_of(rule, origin.get(rule.remote_group_id, rule.remote_group_id)), names) for rule in group.rules)
    return {"name": group.name, "description": group.description, "rules": rules}


def _segments(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Drift]:
    """Networks, subnets, routers and floating IPs, once the gateway is on the target and the last server has arrived."""
    settled = [standing.segment for standing in standings(desired, snapshot, goals) if standing.settled]
    networks = {id for segment in settled for id in segment.networks} & carried(desired)
    routers = {id for segment in settled for id in segment.routers}
    for network in desired.inventory.networks:
        if network.id in networks:
            fields = (*NETWORK, *_given(network, snapshot.target.extensions))
            yield from _plain(desired, "network", network, snapshot.target.networks, fields)
    for subnet in desired.inventory.subnets:
        if subnet.network_id in networks:
            pools = () if is_derived(subnet) else ("allocation_pools",)
            yield from _plain(desired, "subnet", subnet, snapshot.target.subnets, (*SUBNET, *pools))
    for router in desired.inventory.routers:
        if router.id in routers:
            yield from _router(desired, snapshot, router)
    ports = by_id(desired.inventory.ports)
    for address in desired.inventory.floating_ips:
        port = ports.get(address.port_id)
        if address.router_id in routers or (port is not None and port.network_id in networks):
            yield from _floating_ip(desired, snapshot, address)


def _given(network: Network, extensions: frozenset[str]) -> Iterator[str]:
    """What Neutron chooses itself, or does not know, unless it was given."""
    if network.mtu:
        yield "mtu"
    if "dns-integration" in extensions:
        yield "dns_domain"


def _plain(desired: Desired, kind: str, item: Any, found: tuple[Any, ...], fields: tuple[str, ...]) -> Iterator[Drift]:
    twins = marked(found, item.id)
    changed = differences(_ordered(_values(item, fields)), _ordered(_values(twins[0], fields))) if len(twins) == 1 else ()
    yield from _drift(desired, kind, item.id, twins, changed)


def _ordered(values: dict[str, Any]) -> dict[str, Any]:
    """Pools and routes as text, in an order of their own: Neutron keeps none."""
    texts = {"allocation_pools": lambda pool: f"{pool.start}-{pool.end}", "host_routes": _route}
    return {key: sorted(map(texts[key], value)) if key in texts else value for key, value in values.items()}


def _route(route: Any) -> str:
    return f"{route.destination} via {route.nexthop}"


def _router(desired: Desired, snapshot: Snapshot, router: Router) -> Iterator[Drift]:
    twins = marked(snapshot.target.routers, router.id)
    fields: Iterable[FieldChange] = ()
    if len(twins) == 1:
        gateway = network_id(desired, snapshot, router.gateway_network_id) if router.gateway_network_id else ""
        was = {**_values(router, ROUTER), "routes": sorted(map(_route, router.routes)), "gateway": gateway}
        now = {
            **_values(twins[0], ROUTER),
            "routes": sorted(map(_route, twins[0].routes)),
            "gateway": twins[0].gateway_network_id,
        }
        fields = differences(was, now)
    yield from _drift(desired, "router", router.id, twins, fields)


def _floating_ip(desired: Desired, snapshot: Snapshot, address: FloatingIP) -> Iterator[Drift]:
    twins = marked(snapshot.target.floating_ips, address.id)
    port = only(snapshot.target.ports, address.port_id) if address.port_id in carried_ports(desired) else None
    was = {"description": address.description, "port": port.id if port else ""}
    now = {"description": twins[0].description, "port": twins[0].port_id} if len(twins) == 1 else was
    yield from _drift(desired, "floating_ip", address.id, twins, differences(was, now))


def _quotas(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Drift]:
    """The limits of the project, by service, from the first handover on. Keys that the target does not know are no drift."""
    held = {quota.service: quota.limits for quota in snapshot.target.quotas}
    needed = needs(desired, snapshot)
    for quota in desired.inventory.quotas if goals.verified else ():
        limits = held.get(quota.service, {})
        want = {key: limit for key, limit in wanted_limits(desired, quota, needed).items() if key in limits}
        if fields := differences(want, {key: limits[key] for key in want}):
            yield Drift(desired.address("quota", quota.service), "target", fields)
