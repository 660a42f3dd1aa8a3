"""One segment in the eyes of its switch: the making of a step, and one side of it with what stands there for what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from millpond.model.address import Address, Side
from millpond.model.change import UNKNOWN, Change, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.network import FloatingIP, Port, Router
from millpond.model.snapshot import CloudState, Snapshot
from millpond.reconcilers.network.bearers import carried_ports
from millpond.reconcilers.network.mapping import network_id, network_of, subnet_of, target_project
from millpond.reconcilers.network.segments import Standing, live_on_source, live_on_target
from millpond.reconcilers.twins import by_id, once_per, only

KIND = "segment"


@dataclass(frozen=True)
class Switch:
    """`floating_ips` are the inventory's, of this segment."""

    desired: Desired
    snapshot: Snapshot
    standing: Standing
    floating_ips: tuple[FloatingIP, ...]

    @property
    def interfaces(self) -> tuple[Port, ...]:
        return self.standing.segment.interfaces

    @property
    def routers(self) -> list[Router]:
        """As the inventory has them: what must be set again, on either side."""
        return [router for router in self.desired.inventory.routers if router.id in self.standing.segment.routers]

    def at(self, router_id: str, of: str = "") -> Address:
        """The address of one router, or `of` one of its interfaces or addresses."""
        router = self.desired.names.get(router_id, router_id)
        return Address(self.desired.tenant, KIND, f"{router}/{of}" if of else router)

    def step(
        self,
        router_id: str,
        action: str,
        reason: str,
        side: Side,
        parameters: Mapping[str, Any],
        *,
        of: str = "",
        source_id: str = "",
        effect: Effect = Effect.UPDATE,
        fields: Iterable[FieldChange] = (),
    ) -> Change:
        return Change(
            address=self.at(router_id, of),
            action=action,
            reason=reason,
            source_id=source_id or router_id,
            servers=self.standing.servers,
            side=side,
            effect=effect,
            fields=tuple(fields),
            destination=action,
            danger=action in ("detach", "clear_gateway"),
            parameters=parameters,
        )


@dataclass(frozen=True)
class Half:
    """One side of a switch. Routers, interfaces and floating IPs are asked for as the inventory has them."""

    switch: Switch
    side: Side

    @property
    def state(self) -> CloudState:
        return self.switch.snapshot.source if self.side is Side.SOURCE else self.switch.snapshot.target

    def router(self, router_id: str) -> Router | None:
        routers = self.state.routers
        return by_id(routers).get(router_id) if self.side is Side.SOURCE else only(routers, router_id)

    def router_id(self, router_id: str) -> str:
        found = self.router(router_id)
        return found.id if found else UNKNOWN

    def network_id(self, network_id_: str) -> str:
        return network_id_ if self.side is Side.SOURCE else network_id(self.switch.desired, self.switch.snapshot, network_id_)

    def live(self) -> list[Port]:
        """The attached interfaces that the inventory names."""
        segment, snapshot = self.switch.standing.segment, self.switch.snapshot
        legs = live_on_source(segment, snapshot) if self.side is Side.SOURCE else live_on_target(segment, snapshot)
        return [leg for leg in legs if any(same(leg, interface) for interface in self.switch.interfaces)]

    def port(self, interface: Port) -> Port | None:
        """The interface, or the port that was made to become it."""
        router = self.router_id(interface.device_id)
        attached = (leg for leg in self.live() if leg.device_id == router and same(leg, interface))
        return next(attached, None) or self.waiting(interface)

    def waiting(self, interface: Port) -> Port | None:
        """A port without device that has the interface's marker, or its MAC address on its network."""
        marked = only(self.state.ports, interface.id)
        if marked is not None:
            return None if marked.device_id else marked
        key = (self.network_id(interface.network_id), interface.mac_address.lower())
        return _free(self.state.ports).get(key)

    def floating_ip(self, one: FloatingIP) -> FloatingIP | None:
        found = self.state.floating_ips
        return by_id(found).get(one.id) if self.side is Side.SOURCE else only(found, one.id)

    def associated(self) -> list[FloatingIP]:
        """Of this side: on the source those that the inventory names, on the target whatever keeps a gateway from being cleared."""
        if self.side is Side.SOURCE:
            found = [self.floating_ip(one) for one in self.switch.floating_ips]
            return [one for one in found if one and one.port_id]
        routers = {self.router_id(id) for id in self.switch.standing.segment.routers}
        own = {one.id for one in self.switch.floating_ips}
        return [one for one in self.state.floating_ips if one.port_id and (one.router_id in routers or one.marker in own)]

    def bearer(self, one: FloatingIP) -> str:
        """The id of the port that the floating IP belongs to; empty where it has none on this side and will not get one."""
        if self.side is Side.SOURCE:
            return one.port_id
        if one.port_id not in carried_ports(self.switch.desired):
            return ""
        port = only(self.state.ports, one.port_id)
        return port.id if port else UNKNOWN

    def gateway(self, router: Router) -> dict[str, Any]:
        """`external_gateway_info` with the inventory's addresses. The subnet is left to Neutron where its counterpart is not known."""
        addresses = []
        for address in router.external_fixed_ips:
            subnet_id = address.subnet_id
            if self.side is Side.TARGET:
                found = subnet_of(self.switch.desired, self.switch.snapshot, subnet_id)
                subnet_id = found.id if found else ""
            addresses.append({"ip_address": address.ip_address, **({"subnet_id": subnet_id} if subnet_id else {})})
        network = self.network_id(router.gateway_network_id)
        return {"network_id": network, "enable_snat": router.enable_snat, "external_fixed_ips": addresses}

    def occupied(self) -> dict[str, Any]:
        """What must be read again, and not be live, before the other side comes up. Without a project there is nothing to read.

        `routers` are the source's ids, on either side: what was not listed is looked for all the same.
        """
        segment, snapshot = self.switch.standing.segment, self.switch.snapshot
        addresses = sorted({address.ip_address for port in segment.interfaces for address in port.fixed_ips})
        known = {"routers": list(segment.routers), "addresses": addresses}
        if self.side is Side.SOURCE:
            return {"project_id": self.switch.desired.inventory.project.id, **known, "networks": list(segment.networks)}
        twins = [twin.id for id in segment.networks if (twin := network_of(self.switch.desired, snapshot, id))]
        project = target_project(snapshot)
        return {"project_id": "" if project == UNKNOWN else project, **known, "networks": twins}


@once_per
def _free(ports: tuple[Port, ...]) -> dict[tuple[str, str], Port]:
    return {(port.network_id, port.mac_address.lower()): port for port in ports if not port.device_id and not port.marker}


def same(one: Port, other: Port) -> bool:
    """Whether two interfaces, of whichever side, have an address in common."""
    return bool({address.ip_address for address in one.fixed_ips} & {address.ip_address for address in other.fixed_ips})


def place(interface: Port) -> str:
    return interface.fixed_ips[0].ip_address if interface.fixed_ips else interface.id
