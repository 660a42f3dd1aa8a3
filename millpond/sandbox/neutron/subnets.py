"""Subnets: prefixes that do not overlap in their network, allocation pools, gateways."""

import ipaddress
from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron import tables
from millpond.sandbox.neutron.addresses import usable
from millpond.sandbox.neutron.attributes import Default
from millpond.sandbox.neutron.collection import Collection
from millpond.sandbox.neutron.networks import SELF_DELETING
from millpond.sandbox.neutron.pools import check_gateway, check_pools, default_pools
from millpond.sandbox.neutron.refusals import refused

UNSET = Default.UNSET


class Subnets(Collection):
    singular, plural, not_found = "subnet", "subnets", "SubnetNotFound"
    attributes = tables.SUBNET

    def visible(self, caller: Caller, row: Row) -> bool:
        network = self.service.networks.require(row["network_id"])
        return self.owns(caller, row) or self.service.networks.owns(caller, network) or bool(network["shared"])

    def owns(self, caller: Caller, row: Row) -> bool:
        """Its network's owner rules over a subnet."""
        return super().owns(caller, row) or super().owns(caller, self.service.networks.require(row["network_id"]))

    def create(self, caller: Caller, body: Row) -> Row:
        if isinstance(body.get("cidr"), str) and "/" not in body["cidr"]:
            raise refused("InvalidInput", reason=f"{body['cidr']} is not in a CIDR format")
        values = self.schema.for_create(caller, body)
        network = self.service.networks.find(caller, values["network_id"])
        if not self.service.networks.owns(caller, network):
            raise refused("PolicyNotAuthorized", rule="create_subnet")
        if "cidr" not in values:
            raise refused("BadRequest", resource="subnets", reason="a subnetpool must be specified in the absence of a cidr")
        self._check_modes(values)
        self._check_prefix(values, network)
        gateway = values.pop("gateway_ip", UNSET)
        values["gateway_ip"] = self._default_gateway(values["cidr"]) if gateway is UNSET else gateway
        pools = values.pop("allocation_pools", None) or default_pools(values["cidr"], values["gateway_ip"])
        check_pools(values["cidr"], pools)
        check_gateway(values["gateway_ip"], pools)
        self.service.quotas.claim(values["project_id"], "subnet")
        row = self.add(**values, allocation_pools=pools)
        self._consume(row)
        return row

    def _default_gateway(self, cidr: str) -> str:
        """The first address; for IPv6 the network's own (neutron/db/ipam_backend_mixin.py of Antelope, _gateway_ip_str)."""
        network = ipaddress.ip_network(cidr)
        is_own = network.version == 6 and self.service.cloud.release.name == "antelope"
        return str(network[0] if is_own or network.num_addresses == 1 else network[1])

    def update(self, caller: Caller, id: str, body: Row) -> Row:
        row = self.writable(caller, "update", id)
        changes = self.schema.for_update(caller, body)
        changed = {**row, **changes}
        if "allocation_pools" in changes:
            check_pools(row["cidr"], changes["allocation_pools"])
        if changed["gateway_ip"] != row["gateway_ip"]:
            self._check_new_gateway(row)
        if {"gateway_ip", "allocation_pools"} & set(changes):
            check_gateway(changed["gateway_ip"], changed["allocation_pools"])
        self.change(row, **changes)
        if {"enable_dhcp", "allocation_pools"} & set(changes):
            self._consume(row)
        return row

    def delete(self, caller: Caller, id: str) -> None:
        row = self.writable(caller, "delete", id)
        ports = [port for port in self.service.ports.table.where(network_id=row["network_id"]) if _uses(port, id)]
        if any(port["device_owner"] not in SELF_DELETING for port in ports):
            raise refused("SubnetInUse", id=id, reason="One or more ports have an IP allocation from this subnet.")
        for port in ports:
            self.service.ports.change(port, fixed_ips=[item for item in port["fixed_ips"] if item["subnet_id"] != id])
        self.remove(row)
        self._consume(row)

    def _consume(self, row: Row) -> None:
        self.service.consumers.subnets_changed(row["network_id"])

    def _check_new_gateway(self, row: Row) -> None:
        for port in self.service.ports.table.where(network_id=row["network_id"]):
            is_router = port["device_owner"].startswith("network:router_interface")
            if is_router and any(item["ip_address"] == row["gateway_ip"] for item in port["fixed_ips"]):
                raise refused("GatewayIpInUse", ip=row["gateway_ip"], port=port["id"])

    def _check_prefix(self, values: dict[str, Any], network: Row) -> None:
        prefix = ipaddress.ip_network(values["cidr"])
        if prefix.version != values["ip_version"]:
            reason = f"cidr '{prefix}' does not match the ip_version '{values['ip_version']}'"
            raise refused("InvalidInput", reason=reason)
        gateway = values.get("gateway_ip", UNSET)
        if gateway not in (UNSET, None) and not usable(values, gateway) and not network["router:external"]:
            raise refused("InvalidInput", reason="Gateway is not valid on subnet")
        for other in self.table.where(network_id=network["id"]):
            if other["ip_version"] == prefix.version and prefix.overlaps(ipaddress.ip_network(other["cidr"])):
                reason = f"Requested subnet with cidr: {prefix} for network: {network['id']} overlaps with another subnet"
                raise refused("InvalidInput", reason=reason)

    def _check_modes(self, values: dict[str, Any]) -> None:
        ra_mode, address_mode = values["ipv6_ra_mode"], values["ipv6_address_mode"]
        if values["ip_version"] == 4 and (ra_mode or address_mode):
            raise refused("InvalidInput", reason="ipv6_ra_mode or ipv6_address_mode cannot be set when ip_version is 4")
        if ra_mode and address_mode and ra_mode != address_mode:
            reason = f"ipv6_ra_mode set to '{ra_mode}' with ipv6_address_mode set to '{address_mode}' is not valid"
            raise refused("InvalidInput", reason=reason)
        automatic = "slaac" in (ra_mode, address_mode) or "dhcpv6-stateless" in (ra_mode, address_mode)
        if automatic and ipaddress.ip_network(values["cidr"]).prefixlen != 64:
            raise refused("InvalidInput", reason=f"Invalid CIDR {values['cidr']} for IPv6 address mode. OpenStack uses the EUI-64 format")


def _uses(port: Row, subnet_id: str) -> bool:
    return any(item["subnet_id"] == subnet_id for item in port["fixed_ips"])
