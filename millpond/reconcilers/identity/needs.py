"""How much of each quota what is carried takes on the target."""

from __future__ import annotations

from collections import Counter

from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.compute import flavor
from millpond.reconcilers.storage.volume import volume_type
from millpond.reconcilers.usage import kept_ports, moving_servers


def needs(desired: Desired, snapshot: Snapshot) -> Counter[str]:
    """Quota key → amount, per-type keys under the target's names. What the tenant uses on the source and excludes is not in it.

    Never too much; what Neutron adds by itself (ports of its DHCP agents) is left out.
    """
    return _servers(desired, snapshot) + _volumes(desired) + _network(desired)


def _servers(desired: Desired, snapshot: Snapshot) -> Counter[str]:
    moving = set(moving_servers(desired))
    found: Counter[str] = Counter()
    for server in desired.inventory.servers:
        if server.id in moving:
            there = flavor.existing(desired, snapshot, server) or server.flavor
            found += Counter(instances=1, cores=there.vcpus, ram=there.ram)
    return found


def _volumes(desired: Desired) -> Counter[str]:
    moving = {volume for wave in desired.waves for volume in wave.volumes}
    found: Counter[str] = Counter()
    for volume in desired.inventory.volumes:
        if volume.id in moving:
            kind = volume_type(desired, volume)
            found += Counter({"volumes": 1, "gigabytes": volume.size, f"volumes_{kind}": 1, f"gigabytes_{kind}": volume.size})
    return found


def _network(desired: Desired) -> Counter[str]:
    inventory = desired.inventory
    networks = {n.id for n in inventory.networks if n.project_id == inventory.project.id and n.id not in desired.excluded}
    ports = {port.id for port in (*inventory.ports, *inventory.router_ports)} - kept_ports(desired)
    return Counter(
        network=len(networks),
        subnet=sum(1 for subnet in inventory.subnets if subnet.network_id in networks),
        port=len(ports),
        router=len(inventory.routers),
        floatingip=len(inventory.floating_ips),
    )
