"""A small tenant with disks: two servers in two waves on one routed network, a user with a key, a floating IP, a detached volume."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from millpond.model.block_storage import Attachment, Volume
from millpond.model.compute import AttachedVolume, Flavor, Server
from millpond.model.desired import Desired, DesiredWave
from millpond.model.identity import KeyPair, Quota, RoleAssignment, User
from millpond.model.inventory import Inventory
from millpond.model.manifest import Manifest, ProjectRef, Reference, Wave
from millpond.model.secret import Secret
from millpond.model.site import Fabric, Limits, Maps, PoolEnd, PoolPair, Site
from millpond.schemas.resolve import names
from tests.planning.arrays import GIB, LunMapping
from tests.planning.world import World
from tests.reconcilers import builders as net

PROJECT = replace(net.INVENTORY.project, domain_id="default", domain_name="Default", description="shop")
ADA = User("u-ada", "ada", "Default", email="ada@example.com")
KEY = KeyPair("ops", "u-ada", "ada", "ssh-ed25519 AAAAC3ops ada@laptop", "aa:bb")
SMALL = Flavor("m1.small", 1, 2048, 0)

SITE = Site(
    "test",
    pool_pairs=(PoolPair("ssd", PoolEnd("ibox-a", "pool-1"), PoolEnd("ibox-b", "pool-1")),),
    fabric=Fabric("provider-vlan", {"physnet1": "datacentre"}),
    maps=Maps(networks={"public": "internet"}, domains={"Default": "customers"}),
    limits=Limits(mac_move=0),
)


def volume(id: str, name: str, size: int, server: str = "", device: str = "", **values: Any) -> Volume:
    attachments = (Attachment(server, device),) if server else ()
    made = Volume(id, name, size, "ssd", "in-use" if server else "available", attachments=attachments, host="hosta@infinidat#infinidat-a")
    return replace(made, **values)


def server(number: int, disks: tuple[AttachedVolume, ...], **values: Any) -> Server:
    made = Server(
        f"server-{number}",
        f"web-{number}",
        SMALL,
        hostname=f"web-{number}",
        key_name="ops",
        user_id="u-ada",
        metadata={"role": "web"},
        nic_macs=(f"fa:16:3e:00:01:{number:02x}",),
        port_ids=(f"port-{number}",),
        root_device_name="/dev/vda",
        volumes=disks,
        launched_at="2026-01-01T00:00:00+00:00",
        updated_at="2026-01-01T00:00:00+00:00",
    )
    return replace(made, **values)


VOLUMES = (
    volume("root-1", "web-1-root", 10, "server-1", "/dev/vda", bootable=True, image_metadata={"hw_disk_bus": "virtio"}),
    volume("data-1", "web-1-data", 20, "server-1", "/dev/vdb"),
    volume("root-2", "web-2-root", 10, "server-2", "/dev/vda", bootable=True),
)
SERVERS = (
    server(1, (AttachedVolume("root-1", "/dev/vda"), AttachedVolume("data-1", "/dev/vdb"))),
    server(2, (AttachedVolume("root-2", "/dev/vda"),)),
)
INVENTORY = replace(
    net.INVENTORY,
    project=PROJECT,
    quotas=(Quota("compute", {"cores": 20, "instances": 10}, {"cores": 2, "instances": 2}),),
    users=(ADA,),
    role_assignments=(RoleAssignment("ada", "Default", "member", "u-ada", "role-member"),),
    key_pairs=(KEY,),
    volumes=VOLUMES,
    servers=SERVERS,
)
PILOT, REST = "pilot", "rest"


def desired(inventory: Inventory = INVENTORY, site: Site = SITE, **manifest: Any) -> Desired:
    """`server-1` is wave `pilot`, everything else wave `rest`."""
    first = tuple(v.volume_id for s in inventory.servers[:1] for v in s.volumes)
    others = tuple(v.id for v in inventory.volumes if v.id not in first)
    waves = [DesiredWave(PILOT, tuple(s.id for s in inventory.servers[:1]), first, cutover=False)]
    if inventory.servers[1:] or others:
        waves.append(DesiredWave(REST, tuple(s.id for s in inventory.servers[1:]), others, cutover=False))
    listed = (Wave(PILOT, servers=(Reference("web-1"),)),)
    source, target = ProjectRef("source", "Default", "acme"), ProjectRef("target", "customers", "acme")
    made = Manifest("acme", source, target, waves=listed, file="tenants/acme.yaml", **manifest)
    return Desired(site, made, inventory, tuple(waves), names(inventory))


def world(inventory: Inventory = INVENTORY, site: Site = SITE, *, mechanism: str = "ovs") -> World:
    """The source as the inventory has it; the target without the tenant."""
    made = World(site)
    source, target = made.source, made.target
    source.identity.rows = {PROJECT.id: inventory.project}
    source.identity.users_ = {user.id: user for user in inventory.users}
    source.identity.assignments = list(inventory.role_assignments)
    source.compute.keys = {(key.user_id, key.name): key for key in inventory.key_pairs}
    source.compute.groups_ = {group.id: group for group in inventory.server_groups}
    for one in inventory.servers:
        source.compute.rows[one.id] = one
        source.compute.raw[one.id] = dict(one.metadata)
        if one.has_user_data:
            source.compute.secrets[one.id] = Secret(f"#cloud-config {one.id}")
    array = made.arrays["ibox-a"]
    for disk in inventory.volumes:
        source.block_storage.rows[disk.id] = disk
        id = array.make(disk.backend_name, disk.size * GIB)
        for number, _ in enumerate(disk.attachments):
            array.mappings.add(LunMapping(f"openstack-host-iqn-{number}", id))
    source.block_storage.snapshots_ = {s.id: s for s in inventory.snapshots}
    for kind, items in (
        ("network", inventory.networks),
        ("subnet", inventory.subnets),
        ("router", inventory.routers),
        ("port", (*inventory.ports, *inventory.router_ports)),
        ("floatingip", inventory.floating_ips),
        ("security_group", inventory.security_groups),
    ):
        source.network.put(kind, items)
    target.network.put("network", [net.INTERNET])
    target.network.put("subnet", [net.INTERNET_SUBNET])
    target.compute.flavors_ = {"f-small": replace(SMALL, id="f-small")}
    if mechanism == "ovn":
        target.network.agents_ = (net.Agent("OVN Controller agent", "compute-1"),)
    return made


@cache
def _prepared(mechanism: str) -> World:
    made = world(mechanism=mechanism)
    made.tick()
    made.advance(desired())
    made.tick(3600)
    return made


def prepared(mechanism: str = "ovs") -> World:
    """Everything that goes ahead of a cut is done, the replicas are in sync, an hour has passed."""
    return _prepared(mechanism).copy()
