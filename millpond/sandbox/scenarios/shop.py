"""A tenant with a bit of everything that a migration has to carry."""

import base64

from millpond.sandbox.core.store import Row
from millpond.sandbox.scenarios.shop_networks import Networks, build_networks
from millpond.sandbox.scenarios.tenant import Tenant
from millpond.sandbox.simulation import Simulation

IMAGE_METADATA = {"os_distro": "rhel", "hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi", "hw_qemu_guest_agent": "yes"}
USER_DATA = base64.b64encode(b"#cloud-config\nchpasswd: {list: 'root:canary-9f31', expire: false}\n").decode()
VIP = "10.20.1.100"
ODD_SIZE = 10 * 2**30 + 300 * 2**20
"""Bytes of a volume that an operator once brought under Cinder's management: no whole number of GiB."""


def seed(world: Simulation) -> None:
    tenant = Tenant(world, description="ACME web shop", tags=["prod", "tier1"], cost_centre="4711", contact="ops@acme.example")
    people(tenant)
    quotas(tenant)
    nets = build_networks(tenant)
    flavor = private_flavor(tenant)
    web_servers(tenant, nets)
    app_servers(tenant, nets, flavor)
    databases(tenant, nets, flavor)
    odds_and_ends(tenant, nets)
    detached_volumes(tenant)


def people(tenant: Tenant) -> None:
    """Alice has two key pairs; Bob and she each have one called `work`."""
    bob = tenant.user("bob", email="bob@acme.example", description="Operator")
    tenant.user("carol", email="carol@acme.example", enabled=False)
    tenant.keypair(tenant.owner, "alice")
    tenant.keypair(tenant.owner, "work")
    tenant.keypair(bob, "work")
    operators = tenant.cloud.keystone.create_group("acme-operators", description="On call")
    tenant.cloud.keystone.add_member(operators["id"], bob.user_id)


def quotas(tenant: Tenant) -> None:
    tenant.cloud.nova.quotas.set(tenant.id, {"instances": 25, "cores": 60, "ram": 131072})
    tenant.cloud.neutron.quotas.set(tenant.id, {"security_group": 20, "floatingip": 8})
    tenant.cloud.cinder.quotas.set(tenant.id, {"volumes": 40, "gigabytes": 2000, "volumes_silver": 10})


def private_flavor(tenant: Tenant) -> Row:
    return tenant.cloud.nova.flavors.create(
        "acme.db",
        vcpus=4,
        ram=8192,
        disk=0,
        swap=512,
        is_public=False,
        description="ACME databases",
        extra_specs={"hw:watchdog_action": "reset", "quota:disk_total_iops_sec": "5000"},
        access=[tenant.id],
    )


def web_servers(tenant: Tenant, nets: Networks) -> None:
    """Two behind a virtual address that keepalived moves; its holder is a port that nothing is bound to."""
    tenant.port(nets.front, {VIP: nets.front_v4}, "web-vip", security_groups=[nets.web["id"]])
    group = tenant.cloud.nova.server_groups.create(tenant.owner, "web", "anti-affinity")
    for number in (1, 2):
        name = f"web-{number}"
        addresses = {f"10.20.1.1{number}": nets.front_v4, f"fd20:1::1{number}": nets.front_v6}
        pairs = [{"ip_address": VIP}]
        port = tenant.port(nets.front, addresses, f"{name}-eth0", security_groups=[nets.web["id"]], allowed_address_pairs=pairs)
        root = tenant.volume(f"{name}-root", 20, bootable=True, image_metadata=IMAGE_METADATA)
        tenant.server(
            name,
            tenant.flavor("m1.volume"),
            [port],
            [root],
            group=group,
            key_name="alice",
            metadata={"role": "web", "backup": "daily"},
            tags=["shop", "web"],
        )
        tenant.floating_ip(port, description=f"shop front {number}")


def app_servers(tenant: Tenant, nets: Networks, flavor: Row) -> None:
    """app-1 has two NICs and a config drive; app-2 is stopped; two workers share one name."""
    first = tenant.port(nets.app, {"10.20.2.11": nets.app_v4}, "app-1-eth0", security_groups=[nets.apps["id"]])
    second = tenant.port(nets.data, {"10.20.3.111": nets.data_v4}, "app-1-eth1", security_groups=[nets.apps["id"]])
    volumes = [tenant.volume("app-1-root", 20, bootable=True), tenant.volume("app-1-spool", 40, kind="silver")]
    tenant.server("app-1", flavor, [first, second], volumes, key_name="work", config_drive=True, user_data=USER_DATA, tags=["shop"])
    app_2 = simple(tenant, "app-2", nets.app, {"10.20.2.12": nets.app_v4}, nets.apps)
    tenant.stop(app_2)
    for number in (21, 22):
        simple(tenant, "worker", nets.app, {f"10.20.2.{number}": nets.app_v4}, nets.apps, kind="silver")


def databases(tenant: Tenant, nets: Networks, flavor: Row) -> None:
    """A cluster with a shared disk, and a single one whose data volume is no whole number of GiB."""
    shared = tenant.volume("db-quorum", 1, kind="gold-multiattach", metadata={"cluster": "db"})
    for number in (1, 2):
        name = f"db-{number}"
        port = tenant.port(nets.data, {f"10.20.3.1{number}": nets.data_v4}, f"{name}-eth0", security_groups=[nets.db["id"]])
        volumes = [
            tenant.volume(f"{name}-root", 20, bootable=True),
            tenant.volume(f"{name}-data", 100, metadata={"backup": "hourly"}),
            shared,
        ]
        tenant.server(name, flavor, [port], volumes, key_name="alice", metadata={"role": "db"}, description="shop database")
    addresses = {"10.20.3.21": nets.data_v4, "10.20.3.22": nets.data_v4}
    port = tenant.port(nets.data, addresses, "reports-eth0", security_groups=[nets.db["id"]])
    volumes = [tenant.volume("reports-root", 20, bootable=True), tenant.adopted_volume("reports-data", ODD_SIZE)]
    tenant.server("reports", flavor, [port], volumes, key_name="alice", delete_on_termination=True)


def odds_and_ends(tenant: Tenant, nets: Networks) -> None:
    """A firewall without port security, a server its owner locked, and one that booted from an image."""
    ports = [
        tenant.port(net, {address: subnet}, f"firewall-{at}", port_security_enabled=False, security_groups=[])
        for at, (net, address, subnet) in enumerate(((nets.front, "10.20.1.254", nets.front_v4), (nets.app, "10.20.2.254", nets.app_v4)))
    ]
    root = tenant.volume("firewall-root", 10, kind="silver", bootable=True)
    tenant.server("firewall", tenant.flavor("m1.volume"), ports, [root], key_name="alice")
    vault = simple(tenant, "vault", nets.data, {"10.20.3.31": nets.data_v4}, nets.db)
    tenant.cloud.nova.servers.lock(tenant.owner, vault)
    image = tenant.image("cirros", hw_disk_bus="virtio", os_distro="cirros")
    port = tenant.port(nets.app, {"10.20.2.31": nets.app_v4}, security_groups=[nets.apps["id"]])
    tenant.server("legacy", tenant.flavor("m1.tiny"), [port], [], imageRef=image["id"], key_name="alice")


def detached_volumes(tenant: Tenant) -> None:
    """Two of them without a name."""
    tenant.volume("archive-2024", 50, kind="silver", metadata={"keep": "10y"}, description="tax records")
    tenant.volume("", 5)
    tenant.volume("", 5)


def simple(tenant: Tenant, name: str, network: Row, addresses: dict[str, Row], group: Row, kind: str = "gold") -> Row:
    """A server with one NIC and one volume."""
    port = tenant.port(network, addresses, f"{name}-eth0", security_groups=[group["id"]])
    root = tenant.volume(f"{name}-root", 10, kind=kind, bootable=True)
    return tenant.server(name, tenant.flavor("m1.volume"), [port], [root], key_name="alice")
