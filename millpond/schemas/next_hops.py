"""Which servers others send their traffic through, as an inventory tells it."""

from __future__ import annotations

from collections import Counter

from millpond.model.inventory import Inventory
from millpond.model.network import Port


def plain_servers(inventory: Inventory) -> frozenset[str]:
    """Source ids of those with one port, through which nothing is routed, and in no server group: they can move before all others."""
    ports = Counter(port.device_id for port in inventory.ports)
    hops = next_hops(inventory)
    routing = {port.device_id for port in inventory.ports if hops & _addresses(port)}
    grouped = {member for group in inventory.server_groups for member in group.members}
    return frozenset(server.id for server in inventory.servers if ports[server.id] == 1) - routing - grouped


def next_hops(inventory: Inventory) -> frozenset[str]:
    """Addresses in routes of subnets and routers, and the gateways of subnets."""
    routes = [route for holder in inventory.subnets for route in holder.host_routes]
    routes += [route for router in inventory.routers for route in router.routes]
    return frozenset({route.nexthop for route in routes} | {subnet.gateway_ip for subnet in inventory.subnets if subnet.gateway_ip})


def _addresses(port: Port) -> set[str]:
    """With those that it takes over from another port, as a pair of firewalls does."""
    return {fixed.ip_address for fixed in port.fixed_ips} | {pair.ip_address for pair in port.allowed_address_pairs}
