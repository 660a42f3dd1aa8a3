"""A tenant of any size, for timings."""

from millpond.sandbox.core.store import Row
from millpond.sandbox.scenarios.tenant import Tenant
from millpond.sandbox.simulation import Simulation

BLOCK = 25
"""Servers that share three networks and a router, which makes them one unit of cutover."""
NICS = 3
FIRST_VLAN = 300
UNLIMITED = -1


def seed(world: Simulation, servers: int) -> None:
    """`servers` servers of three volumes and three ports each."""
    tenant = Tenant(world, description=f"{servers} generated servers")
    lift_quotas(tenant)
    tenant.keypair(tenant.owner, "alice")
    for block in range((servers + BLOCK - 1) // BLOCK):
        subnets = build_block(tenant, block)
        for number in range(block * BLOCK, min(servers, (block + 1) * BLOCK)):
            build_server(tenant, number, subnets)


def lift_quotas(tenant: Tenant) -> None:
    cloud = tenant.cloud
    cloud.nova.quotas.set(tenant.id, dict.fromkeys(("instances", "cores", "ram"), UNLIMITED))
    cloud.neutron.quotas.set(tenant.id, dict.fromkeys(("network", "subnet", "port", "router"), UNLIMITED))
    cloud.cinder.quotas.set(tenant.id, dict.fromkeys(("volumes", "gigabytes"), UNLIMITED))


def build_block(tenant: Tenant, block: int) -> list[tuple[Row, Row]]:
    """Three networks with a subnet each, joined by one router."""
    made = []
    for nic in range(NICS):
        number = block * NICS + nic
        network = tenant.network(f"net-{number:03}", FIRST_VLAN + number)
        made.append((network, tenant.subnet(network, f"net-{number:03}-v4", f"10.{number}.0.0/24")))
    tenant.router(f"router-{block:03}", [subnet for _, subnet in made])
    return made


def build_server(tenant: Tenant, number: int, subnets: list[tuple[Row, Row]]) -> None:
    name = f"server-{number:04}"
    host = 10 + number % BLOCK
    ports = [
        tenant.port(network, {subnet["cidr"].replace(".0.0/24", f".0.{host}"): subnet}, f"{name}-eth{nic}")
        for nic, (network, subnet) in enumerate(subnets)
    ]
    volumes = [tenant.volume(f"{name}-root", 20, bootable=True, kind="gold" if number % 2 else "silver")]
    volumes += [tenant.volume(f"{name}-data-{letter}", 50, kind="gold" if number % 2 else "silver") for letter in "bc"]
    tenant.server(name, tenant.flavor("m1.volume"), ports, volumes, key_name="alice", metadata={"number": str(number)})
