"""Where a network or subnet of the source is on the target: its twin, or the shared or external one that the site maps it to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from millpond.model.change import UNKNOWN
from millpond.model.desired import Desired
from millpond.model.network import FixedIP, Network, Subnet
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.fabric import driver
from millpond.reconcilers.twins import by_id, once_per, only


@once_per
def carried(desired: Desired) -> frozenset[str]:
    """Source ids of the networks that are created on the target: the tenant's own, neither shared nor external nor excluded."""
    if not driver(desired.site.fabric).carries:
        return frozenset()
    own = desired.inventory.project.id
    return frozenset(
        network.id
        for network in desired.inventory.networks
        if network.project_id == own and not network.shared and not network.external and network.id not in desired.excluded
    )


def named(desired: Desired, snapshot: Snapshot, network: Network) -> tuple[Network, ...]:
    """The target's networks that a shared or external one may be mapped to: those of the mapped name, external as it is."""
    name = desired.site.maps.networks.get(network.name, network.name)
    return tuple(found for found in snapshot.target.networks if found.name == name and found.external == network.external)


def network_of(desired: Desired, snapshot: Snapshot, source_id: str) -> Network | None:
    """The target network that stands for a source network; None while there is none, or more than one."""
    if source_id in carried(desired):
        return only(snapshot.target.networks, source_id)
    network = by_id(desired.inventory.networks).get(source_id)
    found = named(desired, snapshot, network) if network else ()
    return found[0] if len(found) == 1 else None


def subnet_of(desired: Desired, snapshot: Snapshot, source_id: str) -> Subnet | None:
    """The target subnet that stands for a source subnet: by marker on carried networks, by CIDR on mapped ones."""
    subnet = by_id(desired.inventory.subnets).get(source_id)
    if subnet is None:
        return None
    if subnet.network_id in carried(desired):
        return only(snapshot.target.subnets, source_id)
    network = network_of(desired, snapshot, subnet.network_id)
    found = [s for s in snapshot.target.subnets if network and s.network_id == network.id and s.cidr == subnet.cidr]
    return found[0] if len(found) == 1 else None


def network_id(desired: Desired, snapshot: Snapshot, source_id: str) -> str:
    found = network_of(desired, snapshot, source_id)
    return found.id if found else UNKNOWN


def fixed_ips(desired: Desired, snapshot: Snapshot, addresses: tuple[FixedIP, ...]) -> list[dict[str, str]]:
    """The same addresses on the target's subnets. Where Neutron derives the address from the MAC, only the subnet may be named.

    In an order that no id of the target has a part in: a saved plan is compared with it that was made before there were any.
    """
    subnets = by_id(desired.inventory.subnets)
    rows = []
    for address in sorted(addresses, key=partial(_rank, subnets)):
        found = subnet_of(desired, snapshot, address.subnet_id)
        row = {"subnet_id": found.id if found else UNKNOWN}
        like = found or subnets.get(address.subnet_id)
        if like is None or not is_derived(like):
            row["ip_address"] = address.ip_address
        rows.append(row)
    return rows


def shown_fixed_ips(snapshot: Snapshot, addresses: tuple[FixedIP, ...]) -> list[dict[str, str]]:
    """A target port's addresses in the form of `fixed_ips`."""
    subnets = by_id(snapshot.target.subnets)
    rows = []
    for address in sorted(addresses, key=partial(_rank, subnets)):
        row = {"subnet_id": address.subnet_id}
        if address.subnet_id not in subnets or not is_derived(subnets[address.subnet_id]):
            row["ip_address"] = address.ip_address
        rows.append(row)
    return rows


def _rank(subnets: Mapping[str, Subnet], address: FixedIP) -> tuple[str, str]:
    """Networks of a subnet have the same CIDR on both clouds; an address that a subnet derives may not be known yet."""
    subnet = subnets.get(address.subnet_id)
    return (subnet.cidr if subnet else "", "" if subnet and is_derived(subnet) else address.ip_address)


def is_derived(subnet: Subnet) -> bool:
    """Whether addresses follow from the MAC (SLAAC and stateless DHCPv6): no pool is drawn on, an explicit address is refused."""
    return subnet.ipv6_address_mode in ("slaac", "dhcpv6-stateless")


def target_project(snapshot: Snapshot) -> str:
    return snapshot.target.project.id if snapshot.target.project else UNKNOWN
