"""What must never happen between two clouds on one VLAN, recorded the moment it does.

An unbound port on ML2/OVN takes the traffic for its MAC and address (ovn-northd writes the L2 lookup for every port, and
answers ARP for it), so the machine that really has them elsewhere on the VLAN becomes unreachable from that cloud.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.neutron.routers import INTERFACE

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

GATEWAY = "network:router_gateway"


class Watch:
    """Writes to the world's table "violations": kind, at (ms), where, detail; each thing once."""

    def __init__(self, service: NeutronService) -> None:
        self.service = service
        self.table = service.cloud.world.store.table("violations")

    def port_changed(self, port: Row) -> None:
        """Compares the port with those of the other cloud on the same VLAN."""
        if port["id"] not in self.service.ports.table:
            return
        if port["device_owner"] == GATEWAY:
            self._check_external(port)
        for other, theirs in self._opposite(port):
            self._check_black_hole(self.service, port, theirs)
            self._check_black_hole(other, theirs, port)
            self._check_gateways(port, other, theirs)

    def floatingip_changed(self, row: Row) -> None:
        address = row["floating_ip_address"]
        for other in self._others():
            if any(twin["port_id"] for twin in other.floatingips.table.where(floating_ip_address=address)):
                self._record("floating_ip_twice", f"floating IP {address} is associated on both clouds")

    def _others(self) -> list[NeutronService]:
        return [service for name, service in self.service.of_clouds.items() if name != self.service.cloud.name]

    def _opposite(self, port: Row) -> Iterator[tuple[NeutronService, Row]]:
        network = self.service.networks.require(port["network_id"])
        if network["provider:network_type"] != "vlan":
            return
        vlan = network["provider:segmentation_id"]
        for other in self._others():
            segment = {"provider:network_type": "vlan", "provider:segmentation_id": vlan}
            for twin in other.networks.table.where(**segment):
                for theirs in other.ports.table.where(network_id=twin["id"]):
                    yield other, theirs

    def _check_black_hole(self, ovn: NeutronService, unbound: Row, live: Row) -> None:
        shared = {unbound["mac_address"], *_ips(unbound)} & {live["mac_address"], *_ips(live)}
        swallows = ovn.is_ovn and unbound["binding:vif_type"] == "unbound" and not unbound["device_owner"].startswith("network:")
        if shared and swallows and live["status"] == "ACTIVE" and live["device_owner"].startswith("compute:"):
            what = ", ".join(sorted(shared))
            self._record("unbound_port_swallows_traffic", f"{ovn.cloud.name} has an unbound port for {what}, live on the other cloud")

    def _check_external(self, port: Row) -> None:
        """External networks are one outside, whatever segment each cloud reaches it by."""
        for other in self._others():
            for theirs in other.ports.table.where(device_owner=GATEWAY):
                shared = _ips(port) & _ips(theirs)
                if shared and _is_live(self.service, port) and _is_live(other, theirs):
                    self._record("external_address_twice", f"routers of both clouds have the external address {', '.join(sorted(shared))}")

    def _check_gateways(self, port: Row, other: NeutronService, theirs: Row) -> None:
        shared = _ips(port) & _ips(theirs)
        are_interfaces = port["device_owner"] == theirs["device_owner"] == INTERFACE
        if shared and are_interfaces and _is_live(self.service, port) and _is_live(other, theirs):
            self._record("gateway_twice", f"router interfaces of both clouds answer for {', '.join(sorted(shared))}")

    def _record(self, kind: str, detail: str) -> None:
        id = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {detail}").hex
        if id not in self.table:
            now = self.service.cloud.world.clock.ms()
            self.table.insert({"id": id, "kind": kind, "at": now, "where": self.service.cloud.name, "detail": detail})


def _ips(port: Row) -> set[str]:
    return {item["ip_address"] for item in port["fixed_ips"]}


def _is_live(service: NeutronService, port: Row) -> bool:
    """Whether the router answers on this port of it. ML2/OVN does not switch off one port of a router."""
    router = service.routers.get(port["device_id"])
    return bool(router and router["admin_state_up"] and (port["admin_state_up"] or service.is_ovn))
