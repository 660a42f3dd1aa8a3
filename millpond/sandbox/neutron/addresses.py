"""IP address management: which addresses of a network's subnets a port gets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.neutron.refusals import refused

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

FixedIps = list[dict[str, str]]


def is_automatic(subnet: Row) -> bool:
    """Whether hosts derive their address from their MAC there (SLAAC, DHCPv6 stateless)."""
    return subnet["ipv6_address_mode"] in ("slaac", "dhcpv6-stateless")


def eui64(cidr: str, mac: str) -> str:
    """The address that the interface with that MAC gives itself (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    interface = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return str(ipaddress.ip_network(cidr)[int.from_bytes(interface)])


def pool_addresses(subnet: Row) -> Iterator[str]:
    for pool in subnet["allocation_pools"]:
        first, last = ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])
        for number in range(int(first), int(last) + 1):
            yield str(type(first)(number))


@dataclass
class Allocation:
    """The addresses for one port, chosen without touching anything: the caller stores them.

    `port` is the port that is being updated: its own addresses count as free. Addresses are taken from the lowest
    free one up; Neutron itself picks at random.
    """

    service: NeutronService
    network_id: str
    mac: str
    device_owner: str = ""
    port: Row | None = None
    chosen: FixedIps = field(default_factory=list)

    def choose(self, wanted: list[dict[str, str]] | None) -> FixedIps:
        """`wanted` None: one IPv4 and one IPv6 address where there are subnets; []: none."""
        if wanted is None:
            self._choose_default()
        else:
            # Named addresses first, so that an automatic one does not take them.
            for item in sorted(wanted, key=lambda item: "ip_address" not in item):
                self._choose_one(item)
            order = [item.get("ip_address") for item in wanted]
            self.chosen.sort(key=lambda item: order.index(item["ip_address"]) if item["ip_address"] in order else len(order))
        return self.chosen

    def _subnets(self) -> list[Row]:
        return self.service.subnets.table.where(network_id=self.network_id)

    def _choose_default(self) -> None:
        subnets = [subnet for subnet in self._subnets() if not subnet.get("service_types")]
        for version in (4, 6):
            pooled = [subnet for subnet in subnets if subnet["ip_version"] == version and not is_automatic(subnet)]
            if pooled and not any(self._take_any(subnet) for subnet in pooled):
                raise refused("IpAddressGenerationFailure", id=self.network_id)
        for subnet in subnets:
            if is_automatic(subnet):
                self._take(subnet, eui64(subnet["cidr"], self.mac))

    def _choose_one(self, item: dict[str, str]) -> None:
        subnet = self._subnet_for(item)
        if is_automatic(subnet) and not self.device_owner.startswith("network:router"):
            own = eui64(subnet["cidr"], self.mac)
            if item.get("ip_address", own) != own:
                raise refused("AllocationOnAutoAddressSubnet", ip=item["ip_address"], subnet=subnet["id"])
            self._take(subnet, own)
        elif "ip_address" in item:
            self._take(subnet, item["ip_address"])
        elif not self._keep(subnet) and not self._take_any(subnet):
            raise refused("IpAddressGenerationFailure", id=self.network_id)

    def _subnet_for(self, item: dict[str, str]) -> Row:
        ip = item.get("ip_address")
        if "subnet_id" in item:
            subnet = self.service.subnets.require(item["subnet_id"])
            if subnet["network_id"] != self.network_id:
                reason = f"Failed to create port on network {self.network_id}, because fixed_ips included invalid subnet {subnet['id']}"
                raise refused("InvalidInput", reason=reason)
            if ip is not None and not usable(subnet, ip):
                raise refused("InvalidIpForSubnet", ip=ip)
            return subnet
        if ip is None:
            raise refused("InvalidInput", reason="IP allocation requires subnet_id or ip_address")
        for subnet in self._subnets():
            if usable(subnet, ip):
                return subnet
        raise refused("InvalidIpForNetwork", ip=ip)

    def _occupied(self, subnet: Row) -> set[str]:
        own = self.port["id"] if self.port else None
        others = (port for port in self.service.ports.table.where(network_id=self.network_id) if port["id"] != own)
        taken = {item["ip_address"] for port in others for item in port["fixed_ips"] if item["subnet_id"] == subnet["id"]}
        return taken | {item["ip_address"] for item in self.chosen}

    def _take(self, subnet: Row, ip: str) -> None:
        if ip in self._occupied(subnet):
            raise refused("IpAddressAlreadyAllocated", ip=ip, subnet=subnet["id"])
        self.chosen.append({"subnet_id": subnet["id"], "ip_address": ip})

    def _keep(self, subnet: Row) -> bool:
        """An update that names only the subnet leaves the port the address it has there."""
        own = self.port["fixed_ips"] if self.port else []
        kept = [item for item in own if item["subnet_id"] == subnet["id"] and item not in self.chosen][:1]
        self.chosen.extend(kept)
        return bool(kept)

    def _take_any(self, subnet: Row) -> bool:
        occupied = self._occupied(subnet)
        ip = next((ip for ip in pool_addresses(subnet) if ip not in occupied), None)
        if ip is not None:
            self.chosen.append({"subnet_id": subnet["id"], "ip_address": ip})
        return ip is not None


def usable(subnet: Row, ip: str) -> bool:
    """Whether a host of the subnet can have that address: inside, neither network nor broadcast address."""
    network, address = ipaddress.ip_network(subnet["cidr"]), ipaddress.ip_address(ip)
    if address.version != network.version or address not in network:
        return False
    if network.num_addresses <= 2:
        return True
    return address != network.network_address and not (network.version == 4 and address == network.broadcast_address)


def in_subnet(subnet: Row, ip: Any) -> bool:
    address = ipaddress.ip_address(ip)
    return address.version == subnet["ip_version"] and address in ipaddress.ip_network(subnet["cidr"])
