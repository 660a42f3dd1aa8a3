"""Ports: MAC and IP addresses, what they are bound to, and when they may go."""

from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron import tables
from millpond.sandbox.neutron.addresses import Allocation, FixedIps
from millpond.sandbox.neutron.collection import Collection, Filters
from millpond.sandbox.neutron.protection import check_protection, protect
from millpond.sandbox.neutron.refusals import refused

ROUTER_OWNED = (
    "network:router_interface",
    "network:router_interface_distributed",
    "network:ha_router_replicated_interface",
    "network:router_gateway",
    "network:floatingip",
    "network:router_centralized_snat",
)
UNBOUND = {"binding:vif_type": "unbound", "binding:vif_details": {}}


class Ports(Collection):
    singular, plural, not_found = "port", "ports", "PortNotFound"
    attributes = tables.PORT

    def visible(self, caller: Caller, row: Row) -> bool:
        return self.owns(caller, row)

    def owns(self, caller: Caller, row: Row) -> bool:
        """Its network's owner sees and deletes a port too."""
        return super().owns(caller, row) or self._owns_network(caller, row["network_id"])

    def complete(self, row: Row) -> Row:
        name = row["dns_name"]
        assignment = [_dns(name, item["ip_address"]) for item in row["fixed_ips"]]
        return {**row, "dns_assignment": assignment, "qos_network_policy_id": None, "resource_request": None}

    # Creation

    def create(self, caller: Caller, body: Row) -> Row:
        return self.make(caller, body, counted=True)

    def make(self, caller: Caller, body: Row, *, counted: bool = False, **fields: Any) -> Row:
        """A port; services set `fields` themselves and are not `counted` against the quota."""
        network = self.service.networks.find(caller, str(body.get("network_id")))
        owns_network = self.service.networks.owns(caller, network)
        values = self.schema.for_create(caller, body, owns_network=owns_network)
        self._authorize(caller, "create", network, values, owns_network)
        if counted:
            self.service.quotas.claim(values["project_id"], "port")
        values["mac_address"] = self._claim_mac(network["id"], values.get("mac_address"))
        allocation = Allocation(self.service, network["id"], values["mac_address"], values["device_owner"])
        values["fixed_ips"] = allocation.choose(values.get("fixed_ips"))
        protect(self.service, caller, network, values)
        binding = self.service.bindings.resolve(values["binding:host_id"] or "")
        row = self.add(**{**values, "status": "DOWN", "_plugged": False, **binding, **fields})
        self.service.watch.port_changed(row)
        return row

    def _authorize(self, caller: Caller, action: str, network: Row, values: Row, owns_network: bool) -> None:
        if owns_network:
            return
        if action == "create" and not network["shared"]:
            raise refused("PolicyNotAuthorized", rule="create_port")
        if values.get("device_owner", "").startswith("network:"):
            raise refused("PolicyNotAuthorized", rule=f"{action}_port:device_owner")
        if any("ip_address" in item for item in values.get("fixed_ips") or []):
            raise refused("PolicyNotAuthorized", rule=f"{action}_port:fixed_ips:ip_address")

    def _claim_mac(self, network_id: str, mac: str | None) -> str:
        taken = {port["mac_address"].lower() for port in self.table.where(network_id=network_id)}
        if mac is None:
            return next(mac for mac in iter(self.service.next_mac, None) if mac not in taken)
        if mac.lower() in taken:
            raise refused("MacAddressInUse", id=network_id, mac=mac)
        return mac

    def allocation(self, port: Row) -> Allocation:
        """New addresses for an existing port."""
        return Allocation(self.service, port["network_id"], port["mac_address"], port["device_owner"], port)

    # Changes

    def update(self, caller: Caller, id: str, body: Row) -> Row:
        row = self.find(caller, id)
        network = self.service.networks.require(row["network_id"])
        owns_network = self.service.networks.owns(caller, network)
        if not Collection.owns(self, caller, row):
            raise refused("PolicyNotAuthorized", rule="update_port")
        changes = self.schema.for_update(caller, body, owns_network=owns_network)
        self._authorize(caller, "update", network, changes, owns_network)
        if (changes.get("mac_address") or row["mac_address"]).lower() != row["mac_address"].lower():
            self._check_new_mac(row, changes["mac_address"])
        if "fixed_ips" in changes:
            changes["fixed_ips"] = self._reallocate(row, changes["fixed_ips"])
        for group in changes.get("security_groups", []):
            self.service.security_groups.find(caller, group)
        if "extra_dhcp_opts" in changes:
            changes["extra_dhcp_opts"] = _merged(row["extra_dhcp_opts"], changes["extra_dhcp_opts"])
        check_protection({**row, **changes})
        if "binding:host_id" in changes:
            changes["binding:host_id"] = changes["binding:host_id"] or ""
            changes.update(self.service.bindings.resolve(changes["binding:host_id"]))
        self.change(row, **changes)
        self.service.bindings.port_changed(row, changes)
        return row

    def _check_new_mac(self, row: Row, mac: str) -> None:
        if row["binding:vif_type"] != "unbound":
            raise refused("PortBound", id=row["id"], vif=row["binding:vif_type"], old=row["mac_address"], new=mac)
        self._claim_mac(row["network_id"], mac)

    def _reallocate(self, row: Row, wanted: FixedIps) -> FixedIps:
        gone = {item["ip_address"] for item in row["fixed_ips"]}
        chosen = self.allocation(row).choose(wanted)
        for address in gone - {item["ip_address"] for item in chosen}:
            self.service.floatingips.release_address(row["id"], address)
        return chosen

    # Deletion

    def delete(self, caller: Caller, id: str) -> None:
        row = self.writable(caller, "delete", id)
        if row["device_owner"] in ROUTER_OWNED:
            raise refused("ServicePortInUse", id=id, reason=f"has device owner {row['device_owner']}")
        self.remove(row)
        if row["device_owner"] == "network:dhcp":
            self.service.consumers.subnets_changed(row["network_id"])

    def remove(self, row: Row) -> None:
        self.service.floatingips.release_port(row["id"])
        super().remove(row)

    def rows(self, caller: Caller, filters: Filters) -> list[Row]:
        networks = filters.get("network_id", [])
        if len(networks) == 1:
            return [row for row in self.table.where(network_id=networks[0]) if self.visible(caller, row)]
        return super().rows(caller, filters)

    def of_device(self, device_id: str, *owners: str) -> list[Row]:
        """The ports of a device in the order of their creation; all owners when none is named."""
        return [row for row in self.table.where(device_id=device_id) if not owners or row["device_owner"] in owners]

    def _owns_network(self, caller: Caller, network_id: str) -> bool:
        return self.service.networks.owns(caller, self.service.networks.require(network_id))


def _merged(options: list[Row], changes: list[Row]) -> list[Row]:
    """Options that an update does not name stay (neutron/db/extradhcpopt_db.py)."""
    found = {(option["opt_name"], option["ip_version"]): option for option in [*options, *changes]}
    return [option for option in found.values() if option["opt_value"] is not None]


def _dns(name: str, ip: str) -> dict[str, str]:
    hostname = name or "host-" + ip.replace(".", "-").replace(":", "-")
    return {"ip_address": ip, "hostname": hostname, "fqdn": f"{hostname}.openstacklocal."}
