"""The rungs of a switch, for either side: what goes off, what comes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from millpond.model.address import Side
from millpond.model.change import UNKNOWN, Change, Effect, FieldChange
from millpond.model.marker import SWITCHED_TAG, SWITCHING_TAG, tag_for
from millpond.model.network import FloatingIP, Port, Route, Router
from millpond.reconcilers.network.floating_ip import is_parked, park
from millpond.reconcilers.network.mapping import fixed_ips, target_project
from millpond.reconcilers.network.switch import Half, Switch, place, same

OFF = "the gateway of the segment moves to the other side"
ON = "the other side has let go"


def create_ports(half: Half) -> Iterator[Change]:
    """With the MAC and addresses of the inventory's interface: guests keep their ARP entries."""
    switch = half.switch
    for interface in switch.interfaces:
        if half.port(interface) is None:
            on_source = half.side is Side.SOURCE
            addresses = [{"subnet_id": one.subnet_id, "ip_address": one.ip_address} for one in interface.fixed_ips]
            body = {
                "project_id": switch.desired.inventory.project.id if on_source else target_project(switch.snapshot),
                "network_id": half.network_id(interface.network_id),
                "mac_address": interface.mac_address,
                "fixed_ips": addresses if on_source else fixed_ips(switch.desired, switch.snapshot, interface.fixed_ips),
                "name": interface.name,
                "description": interface.description,
                "security_groups": [],
                "port_security_enabled": False,
            }
            yield switch.step(
                interface.device_id,
                "create_port",
                "the interface's MAC and addresses are kept",
                half.side,
                {"call": "create", "resource": "port", "body": body},
                of=place(interface),
                source_id=interface.id,
                effect=Effect.CREATE,
                fields=[FieldChange(name, None, value) for name, value in body.items()],
            )


def mark_ports(half: Half) -> Iterator[Change]:
    for interface in half.switch.interfaces:
        port = half.port(interface)
        if port is None or (not port.marker and not port.device_id):
            tags = sorted({*(port.tags if port else ()), tag_for(interface.id)})
            yield half.switch.step(
                interface.device_id,
                "mark_port",
                "just created",
                half.side,
                {"call": "tag", "resource": "port", "id": port.id if port else UNKNOWN, "tags": tags},
                of=place(interface),
                source_id=interface.id,
                fields=[FieldChange("tags", list(port.tags) if port else [], tags)],
            )


def delete_ports(half: Half) -> Iterator[Change]:
    """Those that were made to become interfaces and did not."""
    for interface in half.switch.interfaces:
        port = half.waiting(interface)
        if port is not None:
            yield half.switch.step(
                interface.device_id,
                "delete_port",
                OFF,
                half.side,
                {"call": "delete", "resource": "port", "id": port.id, "mac_address": port.mac_address},
                of=place(interface),
                source_id=interface.id,
                effect=Effect.DELETE,
                fields=[FieldChange("id", port.id, None)],
            )


def clear_routes(half: Half) -> Iterator[Change]:
    for router in half.switch.routers:
        live = half.router(router.id)
        if live is not None and live.routes:
            yield _update(half, router, "clear_routes", OFF, FieldChange("routes", _rows(live.routes), []))


def set_routes(half: Half) -> Iterator[Change]:
    for router in half.switch.routers:
        live = half.router(router.id)
        has, wanted = _rows(live.routes if live else ()), _rows(router.routes)
        if has != wanted:
            yield _update(half, router, "set_routes", ON, FieldChange("routes", has, wanted))


def clear_gateways(half: Half, other: Half) -> Iterator[Change]:
    for router in half.switch.routers:
        live = half.router(router.id)
        if live is not None and live.gateway_network_id:
            addresses = [address.ip_address for address in live.external_fixed_ips]
            field = FieldChange("external_gateway_info", addresses, {})
            yield _update(half, router, "clear_gateway", OFF, field, twin={"id": other.router_id(router.id)})


def set_gateways(half: Half, other: Half) -> Iterator[Change]:
    for router in half.switch.routers:
        live = half.router(router.id)
        if router.gateway_network_id and not (live and live.gateway_network_id):
            field = FieldChange("external_gateway_info", None, half.gateway(router))
            yield _update(half, router, "set_gateway", ON, field, other=other.occupied())


def _update(half: Half, router: Router, action: str, reason: str, field: FieldChange, **more: object) -> Change:
    parameters = {"call": "update", "resource": "router", "id": half.router_id(router.id), "body": {field.path: field.after}, **more}
    return half.switch.step(router.id, action, reason, half.side, parameters, fields=[field])


def _rows(routes: Iterable[Route]) -> list[dict[str, str]]:
    return sorted(({"destination": route.destination, "nexthop": route.nexthop} for route in routes), key=str)


def detach(half: Half, other: Half) -> Iterator[Change]:
    """Neutron deletes the port of a removed interface: the one that takes its place stands on the other side before."""
    origin = {half.router_id(id): id for id in half.switch.standing.segment.routers}
    for port in half.live():
        yield half.switch.step(
            origin[port.device_id],
            "detach",
            OFF,
            half.side,
            {"call": "detach", "id": port.device_id, "port_id": port.id, "twin": _twin(half, other, port)},
            of=place(port),
            source_id=port.marker or port.id,
            effect=Effect.DELETE,
            fields=[FieldChange("port_id", port.id, None)],
        )


def _twin(half: Half, other: Half, leg: Port) -> dict[str, object]:
    interface = next(interface for interface in half.switch.interfaces if same(leg, interface))
    found = other.port(interface)
    return {"id": found.id if found else UNKNOWN, "addresses": [address.ip_address for address in leg.fixed_ips]}


def attach(half: Half, other: Half) -> Iterator[Change]:
    for interface in half.switch.interfaces:
        port = half.port(interface)
        if port is None or not port.device_id:
            port_id = port.id if port else UNKNOWN
            router_id = half.router_id(interface.device_id)
            yield half.switch.step(
                interface.device_id,
                "attach",
                ON,
                half.side,
                {"call": "attach", "id": router_id, "port_id": port_id, "other": other.occupied()},
                of=place(interface),
                source_id=interface.id,
                fields=[FieldChange("port_id", None, port_id)],
            )


def dissociate(half: Half, other: Half) -> Iterator[Change]:
    """On the source only where its twin stands on the target. What goes back leaves there what the inventory does not name, too."""
    for live in half.associated():
        twin = other.floating_ip(live) if half.side is Side.SOURCE else None
        more = {"twin": {"id": twin.id if twin else UNKNOWN}} if half.side is Side.SOURCE else {}
        yield _associate(half, live, "dissociate", OFF, live.id, FieldChange("port_id", live.port_id, None), **more)


def associate(half: Half) -> Iterator[Change]:
    for one in half.switch.floating_ips:
        live, port_id = half.floating_ip(one), half.bearer(one)
        if port_id and not (live and live.port_id == port_id):
            before = live.port_id if live else None
            yield _associate(half, one, "associate", ON, live.id if live else UNKNOWN, FieldChange("port_id", before or None, port_id))


def _associate(half: Half, one: FloatingIP, action: str, reason: str, id: str, field: FieldChange, **more: object) -> Change:
    body = {"port_id": field.after}
    if field.after and one.fixed_ip_address:
        body["fixed_ip_address"] = one.fixed_ip_address
    return half.switch.step(
        half.switch.standing.segment.routers[0],
        action,
        reason,
        half.side,
        {"call": "update", "resource": "floatingip", "id": id, "body": body, **more},
        of=one.floating_ip_address,
        source_id=one.marker or one.id,
        fields=[field],
    )


def park_gateways(switch: Switch) -> Iterator[Change]:
    """Floating IPs are IPv4: an external IPv6 address cannot be kept so."""
    for router in switch.routers:
        for address in router.external_fixed_ips:
            network, text = router.gateway_network_id, address.ip_address
            if ":" not in text and not is_parked(switch.snapshot, network, text):
                yield park(switch.at(router.id, text), network, text, source_id=router.id, servers=switch.standing.servers)


def release_gateways(switch: Switch) -> Iterator[Change]:
    for router in switch.routers:
        for address in router.external_fixed_ips:
            parked = is_parked(switch.snapshot, router.gateway_network_id, address.ip_address)
            if parked:
                yield switch.step(
                    router.id,
                    "release",
                    "the router gets its address back",
                    Side.SOURCE,
                    {"call": "delete", "resource": "floatingip", "id": parked},
                    of=address.ip_address,
                    effect=Effect.DELETE,
                    fields=[FieldChange("floating_ip_address", address.ip_address, None)],
                )


def tag_routers(switch: Switch, action: str, reason: str, tag: str) -> Iterator[Change]:
    """On the source's routers; an empty tag takes Millpond's away."""
    for router in switch.routers:
        live = Half(switch, Side.SOURCE).router(router.id)
        if live is None:
            continue
        kept = [one for one in live.tags if one not in (SWITCHING_TAG, SWITCHED_TAG)]
        tags = sorted([*kept, tag] if tag else kept)
        if tags != sorted(live.tags):
            parameters = {"call": "tag", "resource": "router", "id": live.id, "tags": tags}
            yield switch.step(router.id, action, reason, Side.SOURCE, parameters, fields=[FieldChange("tags", list(live.tags), tags)])


def strangers(half: Half, legs: Iterable[Port]) -> list[Port]:
    """Of these interfaces, those that the inventory does not name."""
    known = {leg.id for leg in half.live()}
    return [leg for leg in legs if leg.id not in known]
