"""Which addresses fence a subnet: the few that the target may give away by itself, kept from the source by ports that reserve them.

Two Neutrons draw from one range while a network is stretched. Each must know what the other may take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import islice

from millpond.model.marker import FENCE_OWNER
from millpond.model.network import AllocationPool, Port, Subnet
from millpond.reconcilers.twins import once_per

IP = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Fence:
    """`standing`: address → id of the port that reserves it on the source. `lacking`: addresses still to be reserved, highest first.

    `short` is the number that could not be found.
    """

    standing: dict[str, str]
    lacking: tuple[str, ...] = ()
    short: int = 0

    @property
    def addresses(self) -> list[str]:
        return [str(address) for address in sorted(ip_address(text) for text in (*self.standing, *self.lacking))]


@once_per
def _by_subnet(ports: tuple[Port, ...]) -> dict[str, list[tuple[str, Port]]]:
    index: dict[str, list[tuple[str, Port]]] = {}
    for port in ports:
        for fixed in port.fixed_ips:
            index.setdefault(fixed.subnet_id, []).append((fixed.ip_address, port))
    return index


def standing(subnet: Subnet, ports: tuple[Port, ...]) -> dict[str, str]:
    """The fence ports of a source subnet: address → port id."""
    return {address: port.id for address, port in _by_subnet(ports).get(subnet.id, ()) if port.device_owner == FENCE_OWNER}


def choose(subnet: Subnet, source_ports: tuple[Port, ...], twin: Subnet | None, target_ports: tuple[Port, ...], size: int) -> Fence:
    """The fence of `size` addresses, and besides them every address of the pools that only the target uses."""
    here = _by_subnet(source_ports).get(subnet.id, ())
    there = _by_subnet(target_ports).get(twin.id, ()) if twin else ()
    held = standing(subnet, source_ports)
    taken = {address for address, _ in here} | {subnet.gateway_ip} | _paired(subnet, source_ports)
    drawn = {address for address, port in there if not port.marker and address not in taken and _inside(subnet.allocation_pools, address)}
    used = taken | {address for address, _ in there}
    needed = max(0, size - len(held) - len(drawn))
    fresh = tuple(islice(_free(subnet.allocation_pools, used), needed))
    return Fence(held, (*sorted(drawn, reverse=True), *fresh), needed - len(fresh))


def _paired(subnet: Subnet, ports: tuple[Port, ...]) -> set[str]:
    """Addresses that guests of the network hold among themselves."""
    return {
        pair.ip_address.removesuffix("/32") for pairs in _pairs(ports).get(subnet.network_id, ()) for pair in pairs.allowed_address_pairs
    }


@once_per
def _pairs(ports: tuple[Port, ...]) -> dict[str, list[Port]]:
    index: dict[str, list[Port]] = {}
    for port in ports:
        if port.allowed_address_pairs:
            index.setdefault(port.network_id, []).append(port)
    return index


def _inside(pools: Iterable[AllocationPool], text: str) -> bool:
    address = int(ip_address(text))
    return any(int(ip_address(pool.start)) <= address <= int(ip_address(pool.end)) for pool in pools)


def _free(pools: Iterable[AllocationPool], used: set[str]) -> Iterator[str]:
    """Highest first."""
    for pool in sorted(pools, key=lambda pool: int(ip_address(pool.end)), reverse=True):
        start, end = ip_address(pool.start), ip_address(pool.end)
        for number in range(int(end), int(start) - 1, -1):
            text = str(type(end)(number))
            if text not in used:
                yield text


def ranges(addresses: Iterable[str]) -> list[dict[str, str]]:
    """Allocation pools that hold exactly these addresses."""
    runs: list[tuple[IP, IP]] = []
    for address in sorted({ip_address(text) for text in addresses}, key=int):
        if runs and int(address) == int(runs[-1][1]) + 1:
            runs[-1] = (runs[-1][0], address)
        else:
            runs.append((address, address))
    return [{"start": str(start), "end": str(end)} for start, end in runs]


def pools(allocation_pools: Iterable[AllocationPool]) -> list[dict[str, str]]:
    """In the order of their addresses, as Neutron's words."""
    rows = [{"start": pool.start, "end": pool.end} for pool in allocation_pools]
    return sorted(rows, key=lambda row: int(ip_address(row["start"])))
