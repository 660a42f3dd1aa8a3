"""Allocation pools of a subnet: their defaults and what Neutron refuses (neutron/db/ipam_backend_mixin.py)."""

import ipaddress

from millpond.sandbox.neutron.refusals import refused

Pool = dict[str, str]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def default_pools(cidr: str, gateway_ip: str | None) -> list[Pool]:
    """All usable addresses but the gateway's, which splits the range when it lies within."""
    network = ipaddress.ip_network(cidr)
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 4 and network.num_addresses > 2:
        first, last = first + 1, last - 1
    elif network.version == 6 and network.num_addresses > 1:
        first += 1
    gateway = int(ipaddress.ip_address(gateway_ip)) if gateway_ip else None
    ranges = [(first, last)] if gateway is None or not first <= gateway <= last else [(first, gateway - 1), (gateway + 1, last)]
    kind = type(network.network_address)
    return [{"start": str(kind(start)), "end": str(kind(end))} for start, end in ranges if start <= end]


def check_pools(cidr: str, pools: list[Pool]) -> None:
    """Every pool runs upwards inside the prefix, and no two overlap."""
    network = ipaddress.ip_network(cidr)
    seen: list[Pool] = []
    for pool in pools:
        start, end = _bounds(pool)
        if start.version != network.version or end.version != network.version or int(end) < int(start):
            raise refused("InvalidAllocationPool", pool=_text(pool))
        if start not in network or end not in network:
            raise refused("OutOfBoundsAllocationPool", pool=_text(pool), cidr=cidr)
        for other in seen:
            other_start, other_end = _bounds(other)
            if int(start) <= int(other_end) and int(other_start) <= int(end):
                raise refused("OverlappingAllocationPools", one=_text(other), other=_text(pool), cidr=cidr)
        seen.append(pool)


def check_gateway(gateway_ip: str | None, pools: list[Pool]) -> None:
    for pool in pools:
        start, end = _bounds(pool)
        if gateway_ip and int(start) <= int(ipaddress.ip_address(gateway_ip)) <= int(end):
            raise refused("GatewayConflictWithAllocationPools", ip=gateway_ip, pool=_text(pool))


def _bounds(pool: Pool) -> tuple[Address, Address]:
    return ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])


def _text(pool: Pool) -> str:
    return f"{pool['start']}-{pool['end']}"
