"""What both clouds have before any tenant: arrays, pools, volume types, the external network, flavors."""

from typing import NamedTuple

from millpond.sandbox.clouds import SimulatedCloud
from millpond.sandbox.core.store import Row
from millpond.sandbox.simulation import Simulation

TIB = 2**40
POOL_SIZE = 200 * TIB
PHYSICAL_NETWORK = "physnet1"
EXTERNAL_NETWORK = "public"
EXTERNAL_CIDR, EXTERNAL_GATEWAY = "203.0.113.0/24", "203.0.113.1"
CUSTOMERS = "customers"
"""The domain on the target that tenants may be moved into, beside Default."""


class Site(NamedTuple):
    """What differs between the clouds. `backends`: volume type -> pool; `floating`: the external range to give from."""

    array: str
    backends: dict[str, str]
    floating: tuple[str, str]
    flavors: tuple[tuple[str, int, int, int], ...]
    """Name, vCPUs, MiB of RAM, GiB of disk."""


SITES = {
    "source": Site(
        "ibox-a",
        {"gold": "pool-a1", "silver": "pool-a2", "gold-multiattach": "pool-a1"},
        ("203.0.113.50", "203.0.113.149"),
        (("m1.small", 1, 2048, 20), ("m1.medium", 2, 4096, 40), ("m1.volume", 2, 4096, 0), ("m1.tiny", 1, 512, 1)),
    ),
    # m1.small is the same, m1.medium only by name, v2.medium is the source's m1.volume under another name.
    "target": Site(
        "ibox-b",
        {"gold": "pool-b1", "silver": "pool-b2", "gold-multiattach": "pool-b1"},
        ("203.0.113.200", "203.0.113.239"),
        (("m1.small", 1, 2048, 20), ("m1.medium", 2, 8192, 40), ("v2.medium", 2, 4096, 0), ("v2.large", 4, 16384, 0)),
    ),
}


def lay(world: Simulation) -> None:
    for name, site in SITES.items():
        cloud = world.clouds[name]
        for pool in sorted(set(site.backends.values())):
            world.arrays[site.array].create_pool(pool, POOL_SIZE)
        lay_storage(cloud, site)
        lay_external_network(cloud, site)
        for flavor, vcpus, ram, disk in site.flavors:
            cloud.nova.flavors.create(flavor, vcpus=vcpus, ram=ram, disk=disk)
    world.arrays["ibox-a"].connect(world.arrays["ibox-b"])
    world.clouds["target"].keystone.create_domain(CUSTOMERS, description="Tenants of the new platform")


def lay_storage(cloud: SimulatedCloud, site: Site) -> None:
    """One backend per pool, and a volume type that leads to each; the multi-attach type shares the first."""
    for pool in sorted(set(site.backends.values())):
        cloud.cinder.backends.add(site.array, pool, name=pool)
    for kind, pool in site.backends.items():
        specs = {"volume_backend_name": pool}
        if kind.endswith("multiattach"):
            specs["multiattach"] = "<is> True"
        cloud.cinder.types.add(kind, specs, default=kind == "gold")


def lay_external_network(cloud: SimulatedCloud, site: Site) -> Row:
    """The same prefix on both clouds, each giving out a range of its own."""
    admin = cloud.keystone.by_name("project", "admin", "default")
    assert admin is not None
    start, end = site.floating
    network = cloud.neutron.create_network(
        admin["id"],
        name=EXTERNAL_NETWORK,
        **{"router:external": True, "provider:network_type": "flat", "provider:physical_network": "physnet-external"},
    )
    cloud.neutron.create_subnet(
        admin["id"],
        name=f"{EXTERNAL_NETWORK}-v4",
        network_id=network["id"],
        cidr=EXTERNAL_CIDR,
        gateway_ip=EXTERNAL_GATEWAY,
        enable_dhcp=False,
        allocation_pools=[{"start": start, "end": end}],
    )
    return network
