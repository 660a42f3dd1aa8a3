"""Floating IPs: reserved on an external network, associated with a fixed address that a router reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron import tables
from millpond.sandbox.neutron.collection import SERVICE, Collection
from millpond.sandbox.neutron.refusals import refused
from millpond.sandbox.neutron.routers import INTERFACE

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

OWNER = "network:floatingip"
DETAILS = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner")
FREE = {"port_id": None, "fixed_ip_address": None, "router_id": None, "status": "DOWN"}


class FloatingIPs(Collection):
    """A row keeps `_external_port`, the port that holds its address on the external network."""

    singular, plural, not_found = "floatingip", "floatingips", "FloatingIPNotFound"
    attributes = tables.FLOATINGIP

    def __init__(self, service: NeutronService) -> None:
        super().__init__(service)
        self._event = f"{service.cloud.name}/neutron/floatingip_up"
        service.cloud.world.events.on(self._event, self._up)

    def complete(self, row: Row) -> Row:
        port = self.service.ports.get(row["port_id"]) if row["port_id"] else None
        return {**row, "port_details": {name: port[name] for name in DETAILS} if port else None, "port_forwardings": []}

    def create(self, caller: Caller, body: Row) -> Row:
        values = self.schema.for_create(caller, body)
        network = self.service.networks.find(caller, values["floating_network_id"])
        if not network["router:external"]:
            raise refused("BadRequest", resource="floatingip", reason=f"Network {network['id']} is not a valid external network")
        self.service.quotas.claim(values["project_id"], "floatingip")
        association = self._association(caller, {**values, "id": "new"})
        port = self._make_port(values)
        address = port["fixed_ips"][0]["ip_address"]
        values.pop("subnet_id")
        row = self.add(**{**values, **FREE, **association, "floating_ip_address": address, "_external_port": port["id"]})
        self.service.ports.change(port, device_id=row["id"])
        self._associated(row)
        return row

    def update(self, caller: Caller, id: str, body: Row) -> Row:
        row = self.writable(caller, "update", id)
        changes = self.schema.for_update(caller, body)
        if "port_id" in changes or "fixed_ip_address" in changes:
            fixed = changes.get("fixed_ip_address")
            changes.update(self._association(caller, {**row, **changes, "fixed_ip_address": fixed}))
        self.change(row, **changes)
        if "port_id" in changes:
            self._associated(row)
        return row

    def delete(self, caller: Caller, id: str) -> None:
        row = self.writable(caller, "delete", id)
        self.remove(row)
        port = self.service.ports.get(row["_external_port"])
        if port is not None:
            self.service.ports.remove(port)

    def release_port(self, port_id: str) -> None:
        """The port goes: its floating IPs stay, unassociated."""
        for row in self.table.where(port_id=port_id):
            self.change(row, **FREE)

    def release_address(self, port_id: str, address: str) -> None:
        for row in self.table.where(port_id=port_id, fixed_ip_address=address):
            self.change(row, **FREE)

    def _make_port(self, values: Row) -> Row:
        body: Row = {
            "network_id": values["floating_network_id"],
            "project_id": "",  # belongs to nobody, as a gateway port
            "device_id": "PENDING",
            "device_owner": OWNER,
        }
        wanted = {"subnet_id": values["subnet_id"], "ip_address": values["floating_ip_address"]}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        if wanted:
            body["fixed_ips"] = [wanted]
        port = self.service.ports.make(SERVICE, body, status="N/A")
        if not port["fixed_ips"]:
            self.service.ports.remove(port)
            raise refused("IpAddressGenerationFailure", id=values["floating_network_id"])
        return port

    def _association(self, caller: Caller, row: Row) -> Row:
        """What associating `row` with its `port_id` sets; refuses what no router can reach."""
        if row["port_id"] is None:
            if row["fixed_ip_address"]:
                raise _bad_request("fixed_ip_address cannot be specified without a port_id")
            return dict(FREE)
        port = self.service.ports.find(caller, row["port_id"])
        if port["project_id"] != row["project_id"] and not caller.is_admin:
            reason = f"Port {port['id']} is associated with a different tenant than Floating IP {row['id']} and therefore cannot be bound"
            raise _bad_request(reason)
        fixed = _internal_address(port, row["fixed_ip_address"])
        router_id = self._router(port, fixed["subnet_id"], row["floating_network_id"])
        for other in self.table.where(port_id=port["id"], fixed_ip_address=fixed["ip_address"]):
            if other["id"] != row["id"] and other["floating_network_id"] == row["floating_network_id"]:
                raise refused(
                    "FloatingIPPortAlreadyAssociated",
                    ip=row.get("floating_ip_address"),
                    id=row["id"],
                    port=port["id"],
                    fixed_ip=fixed["ip_address"],
                    network=row["floating_network_id"],
                )
        return {"port_id": port["id"], "fixed_ip_address": fixed["ip_address"], "router_id": router_id}

    def _router(self, port: Row, subnet_id: str, network_id: str) -> str:
        """The router between the port's subnet and the external network."""
        for interface in self.service.ports.table.where(network_id=port["network_id"], device_owner=INTERFACE):
            router = self.service.routers.get(interface["device_id"])
            gateway = self.service.gateways.port(router) if router else None
            on_subnet = any(item["subnet_id"] == subnet_id for item in interface["fixed_ips"])
            if on_subnet and gateway is not None and gateway["network_id"] == network_id:
                return str(interface["device_id"])
        raise refused("ExternalGatewayForFloatingIPNotFound", network=network_id, subnet=subnet_id, port=port["id"])

    def _associated(self, row: Row) -> None:
        if row["port_id"] is not None:
            delay = self.service.cloud.world.settings.delays.port_up
            self.service.cloud.world.events.at(delay, self._event, floatingip_id=row["id"])
            self.service.watch.floatingip_changed(row)

    def _up(self, floatingip_id: str) -> None:
        row = self.get(floatingip_id)
        if row is not None and row["port_id"] is not None and row["status"] != "ACTIVE":
            self.change(row, status="ACTIVE")


def _internal_address(port: Row, wanted: str | None) -> dict[str, str]:
    addresses: list[dict[str, str]] = [item for item in port["fixed_ips"] if ":" not in item["ip_address"]]
    if wanted is not None:
        addresses = [item for item in addresses if item["ip_address"] == wanted]
        if not addresses:
            raise _bad_request(f"Port {port['id']} does not have fixed ip {wanted}")
    if not addresses:
        raise _bad_request(f"Cannot add floating IP to port {port['id']} that has no fixed IPv4 addresses")
    if len(addresses) > 1:
        raise _bad_request(
            f"Port {port['id']} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning a floating IP"
        )
    return addresses[0]


def _bad_request(reason: str) -> Exception:
    return refused("BadRequest", resource="floatingip", reason=reason)
