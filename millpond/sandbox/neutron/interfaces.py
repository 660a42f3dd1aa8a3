"""add_router_interface and remove_router_interface."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron.addresses import in_subnet
from millpond.sandbox.neutron.collection import SERVICE
from millpond.sandbox.neutron.refusals import refused
from millpond.sandbox.neutron.routers import INTERFACE

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService


class Interfaces:
    def __init__(self, service: NeutronService) -> None:
        self.service = service

    def add(self, caller: Caller, router_id: str, body: Row) -> dict[str, Any]:
        """By an existing port, whose MAC and address are kept, or by a subnet, whose gateway address is taken."""
        router = self.service.routers.writable(caller, "add_router_interface", router_id)
        port_id, subnet_id = body.get("port_id"), body.get("subnet_id")
        if port_id and subnet_id:
            raise _bad_request("Cannot specify both subnet-id and port-id")
        if port_id:
            port = self._by_port(caller, router, port_id)
        elif subnet_id:
            port = self._by_subnet(caller, router, subnet_id)
        else:
            raise _bad_request("Either subnet_id or port_id must be specified")
        self.service.routers.change(router)
        self.service.bindings.plug_later(port)
        self.service.watch.port_changed(port)
        return _answer(router, port)

    def remove(self, caller: Caller, router_id: str, body: Row) -> dict[str, Any]:
        """Deletes the interface's port, also one that was there before it became an interface."""
        router = self.service.routers.writable(caller, "remove_router_interface", router_id)
        port_id, subnet_id = body.get("port_id"), body.get("subnet_id")
        if not port_id and not subnet_id:
            raise _bad_request("Either subnet_id or port_id must be specified")
        port = self._attached(router, port_id, subnet_id)
        subnets = [self.service.subnets.require(item["subnet_id"]) for item in port["fixed_ips"]]
        for subnet in subnets:
            self._refuse_in_use(router, subnet)
        answer = _answer(router, port)
        self.service.ports.remove(port)
        self.service.routers.change(router)
        return answer

    def _by_port(self, caller: Caller, router: Row, port_id: str) -> Row:
        port = self.service.ports.find(caller, port_id)
        if port["device_id"]:
            raise refused("PortInUse", id=port_id, network=port["network_id"], device=port["device_id"])
        if not port["fixed_ips"]:
            raise _bad_request(f"Port {port_id} must have at least one fixed IP address")
        subnets = [self.service.subnets.require(item["subnet_id"]) for item in port["fixed_ips"]]
        if sum(subnet["ip_version"] == 4 for subnet in subnets) > 1:
            raise _bad_request("Cannot have multiple IPv4 subnets on router port")
        for subnet in subnets:
            self._refuse_overlap(router, subnet)
        host = self.service.agents.router_host()
        binding = {"binding:host_id": host, **self.service.bindings.resolve(host)}
        return self.service.ports.change(port, device_id=router["id"], device_owner=INTERFACE, **binding)

    def _by_subnet(self, caller: Caller, router: Row, subnet_id: str) -> Row:
        subnet = self.service.subnets.find(caller, subnet_id)
        if not subnet["gateway_ip"]:
            raise _bad_request("Subnet for router interface must have a gateway IP")
        self._refuse_overlap(router, subnet)
        return self.service.ports.make(
            SERVICE,
            {
                "network_id": subnet["network_id"],
                "project_id": router["project_id"],
                "fixed_ips": [{"subnet_id": subnet_id, "ip_address": subnet["gateway_ip"]}],
                "device_id": router["id"],
                "device_owner": INTERFACE,
                "binding:host_id": self.service.agents.router_host(),
            },
        )

    def _refuse_overlap(self, router: Row, subnet: Row) -> None:
        mine = ipaddress.ip_network(subnet["cidr"])
        for other in self.service.routers.subnets(router):
            if other["id"] == subnet["id"]:
                raise _bad_request(f"Router already has a port on subnet {subnet['id']}")
            if other["ip_version"] == mine.version and mine.overlaps(ipaddress.ip_network(other["cidr"])):
                raise _bad_request(
                    f"Cidr {subnet['cidr']} of subnet {subnet['id']} overlaps with cidr {other['cidr']} of subnet {other['id']}"
                )

    def _attached(self, router: Row, port_id: str | None, subnet_id: str | None) -> Row:
        for port in self.service.routers.interfaces(router["id"]):
            on_subnet = any(item["subnet_id"] == subnet_id for item in port["fixed_ips"])
            if port["id"] == port_id or (port_id is None and on_subnet):
                if subnet_id is not None and not on_subnet:
                    raise refused("HTTPBadRequest", reason=f"Subnet on port {port_id} does not match the requested subnet {subnet_id}.")
                return port
        if port_id:
            raise refused("RouterInterfaceNotFound", id=router["id"], port=port_id)
        raise refused("RouterInterfaceNotFoundForSubnet", id=router["id"], subnet=subnet_id)

    def _refuse_in_use(self, router: Row, subnet: Row) -> None:
        for floatingip in self.service.floatingips.table.where(router_id=router["id"]):
            if in_subnet(subnet, floatingip["fixed_ip_address"]):
                raise refused("RouterInterfaceInUseByFloatingIP", id=router["id"], subnet=subnet["id"])
        if any(in_subnet(subnet, route["nexthop"]) for route in router["routes"]):
            raise refused("RouterInterfaceInUseByRoute", id=router["id"], subnet=subnet["id"])


def _bad_request(reason: str) -> Exception:
    return refused("BadRequest", resource="router", reason=reason)


def _answer(router: Row, port: Row) -> dict[str, Any]:
    subnets = [item["subnet_id"] for item in port["fixed_ips"]]
    return {
        "id": router["id"],
        "tenant_id": router["project_id"],
        "project_id": router["project_id"],
        "port_id": port["id"],
        "network_id": port["network_id"],
        "subnet_id": subnets[0],
        "subnet_ids": subnets,
        "tags": port["tags"],
    }
