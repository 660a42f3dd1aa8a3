"""Who takes addresses of a subnet unasked: DHCP agents on ML2/OVS, the metadata port on ML2/OVN."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import ApiError
from millpond.sandbox.neutron.addresses import FixedIps
from millpond.sandbox.neutron.collection import SERVICE

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

DHCP, METADATA = "network:dhcp", "network:distributed"
RESERVED = "reserved_dhcp_port"
"""The device_id of a port that an agent adopts instead of creating one (neutron_lib.constants)."""


class Consumers:
    def __init__(self, service: NeutronService) -> None:
        self.service = service
        self._event = f"{service.cloud.name}/neutron/dhcp"
        service.cloud.world.events.on(self._event, self.serve_dhcp)

    def network_created(self, network: Row) -> None:
        """ML2/OVN makes the metadata port at once; it has no address before a subnet with DHCP appears."""
        if self.service.is_ovn:
            self._make(network["id"], METADATA, f"ovnmeta-{network['id']}", [])

    def subnets_changed(self, network_id: str) -> None:
        """ML2/OVN acts inside the request; the DHCP agents hear of it and act a little later."""
        if self.service.is_ovn:
            for port in self.service.ports.table.where(network_id=network_id, device_owner=METADATA):
                self._serve(port, self._subnets(network_id))
        else:
            delay = self.service.cloud.world.settings.delays.port_up
            self.service.cloud.world.events.at(delay, self._event, network_id=network_id)

    def serve_dhcp(self, network_id: str) -> None:
        """Each DHCP agent has one port with an address in every subnet that it serves, and none when there is none."""
        subnets = self._subnets(network_id) if self.service.networks.get(network_id) else []
        for host in self.service.agents.dhcp_hosts():
            device_id = f"dhcp{uuid.uuid5(uuid.NAMESPACE_DNS, host)}-{network_id}"
            port = self._dhcp_port(network_id, device_id)
            if port is not None and not subnets:
                self.service.ports.remove(port)
            elif subnets:
                port = port or self._make(network_id, DHCP, device_id, [])
                binding = {"binding:host_id": host, **self.service.bindings.resolve(host)}
                self.service.ports.change(port, device_id=device_id, name="", **binding)
                if self._serve(port, subnets):
                    self.service.bindings.plugged(port["id"])
                else:
                    self.service.ports.remove(port)

    def _dhcp_port(self, network_id: str, device_id: str) -> Row | None:
        ports = self.service.ports.table.where(network_id=network_id, device_owner=DHCP)
        own = [port for port in ports if port["device_id"] == device_id]
        return next(iter(own + [port for port in ports if port["device_id"] == RESERVED]), None)

    def _subnets(self, network_id: str) -> list[Row]:
        return [subnet for subnet in self.service.subnets.table.where(network_id=network_id) if subnet["enable_dhcp"]]

    def _serve(self, port: Row, subnets: list[Row]) -> FixedIps:
        """Gives the port an address in each subnet; one whose pool is exhausted stays without."""
        addresses: FixedIps = []
        for subnet in subnets:
            held = [item for item in port["fixed_ips"] if item["subnet_id"] == subnet["id"]]
            addresses += held or self._allocate(port, subnet)
        if addresses != port["fixed_ips"]:
            self.service.ports.change(port, fixed_ips=addresses)
        return addresses

    def _allocate(self, port: Row, subnet: Row) -> FixedIps:
        try:
            return self.service.ports.allocation(port).choose([{"subnet_id": subnet["id"]}])
        except ApiError:
            return []

    def _make(self, network_id: str, owner: str, device_id: str, fixed_ips: FixedIps) -> Row:
        project_id = self.service.networks.require(network_id)["project_id"]
        body = {"network_id": network_id, "project_id": project_id, "device_owner": owner, "device_id": device_id}
        return self.service.ports.make(SERVICE, {**body, "fixed_ips": fixed_ips})
