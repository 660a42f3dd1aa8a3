"""A realistic tenant on the source cloud, built through the public APIs: by the administrator what is his, by its people the rest."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openstack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.lab import clouds_yaml
from tests.lab.foundation import Cloud, connect
from tests.lab.planes import SOURCE

PASSWORD = "lab-tenant"
VIP = "10.20.1.100"
USER_DATA = base64.b64encode(b"#cloud-config\nchpasswd: {list: 'root:canary-9f31', expire: false}\n").decode()
IMAGE_METADATA = {"os_distro": "debian", "hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi", "hw_qemu_guest_agent": "yes"}
PATIENCE, POLL = 240, 0.5
CLUSTER_DISK = "cluster"
"""A multi-attach volume that two servers have."""
HTTPS = {"direction": "ingress", "protocol": "tcp", "port_range_min": 443, "port_range_max": 443}

Resource = Any
"""openstacksdk's own objects, whose attributes are only known when it runs."""


def login(user: str, project: str) -> Cloud:
    cloud = clouds_yaml.entry(SOURCE.auth_url, project, user, PASSWORD)
    return openstack.connect(load_yaml_config=False, load_envvars=False, **cloud)


class Tenant:
    """`<name>-alice` builds and owns all of it; `<name>-bob` only looks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.admin = connect(SOURCE)
        self.key_name = f"{name}-key"
        """Of its own: while two tenants are under way, Millpond's login cannot hold a copy of both keys under one name."""
        self.servers: dict[str, Resource] = {}

    def build(self, only_database: bool = False) -> None:
        """The whole shop, or its database server alone."""
        begun = time.monotonic()
        self.build_people()
        self.build_quotas()
        self.alice = login(f"{self.name}-alice", self.name)
        self.build_networks()
        self.build_router()
        self.build_security_groups()
        self.alice.compute.create_keypair(name=self.key_name, public_key=public_key(f"{self.name}-alice"))
        together(self.build_archive, *([self.build_database] if only_database else [self.build_cluster, self.build_web_servers]))
        print(f"{self.name} with {len(self.servers)} servers in {time.monotonic() - begun:.0f} s")

    # By the administrator.

    def build_people(self) -> None:
        identity = self.admin.identity
        self.project = identity.create_project(name=self.name, domain_id="default", description="ACME web shop", tags=["prod", "tier1"])
        roles = {role.name: role for role in identity.roles()}
        for person, role in (("alice", "member"), ("bob", "reader")):
            email = f"{person}@acme.example"
            user = identity.create_user(name=f"{self.name}-{person}", domain_id="default", password=PASSWORD, email=email)
            identity.assign_project_role_to_user(self.project, user, roles[role])

    def build_quotas(self) -> None:
        self.admin.compute.update_quota_set(self.project, instances=25, cores=60, ram=131072)
        self.admin.network.update_quota(self.project.id, security_groups=20, floating_ips=8)
        self.admin.block_storage.update_quota_set(self.project, volumes=40, gigabytes=2000)
        specs = {"hw:watchdog_action": "reset", "quota:disk_total_iops_sec": "5000"}
        flavor = self.admin.compute.create_flavor(name=f"{self.name}.db", vcpus=4, ram=8192, disk=0, swap=512, is_public=False)
        self.admin.compute.create_flavor_extra_specs(flavor, specs)
        self.admin.compute.flavor_add_tenant_access(flavor, self.project.id)
        self.own_flavor = flavor

    # By Alice.

    def build_networks(self) -> None:
        """Two networks of two address families; Neutron chooses the VLANs."""
        network = self.alice.network
        self.front = network.create_network(name="front", description="what the world sees")
        network.set_tags(self.front, ["shop"])
        self.data = network.create_network(name="data", mtu=1450)
        self.front_v4 = network.create_subnet(
            name="front-v4",
            network_id=self.front.id,
            ip_version=4,
            cidr="10.20.1.0/24",
            dns_nameservers=["9.9.9.9", "1.1.1.1"],
            host_routes=[{"destination": "192.168.77.0/24", "nexthop": "10.20.1.254"}],
            allocation_pools=[{"start": "10.20.1.10", "end": "10.20.1.199"}],
        )
        modes = {"ipv6_ra_mode": "dhcpv6-stateful", "ipv6_address_mode": "dhcpv6-stateful"}
        self.front_v6 = network.create_subnet(name="front-v6", network_id=self.front.id, ip_version=6, cidr="fd20:1::/64", **modes)
        self.data_v4 = network.create_subnet(name="data-v4", network_id=self.data.id, ip_version=4, cidr="10.20.3.0/24")

    def build_router(self) -> None:
        network = self.alice.network
        public = network.find_network("public", ignore_missing=False)
        router = network.create_router(name="edge", description="front and data", external_gateway_info={"network_id": public.id})
        for subnet in (self.front_v4, self.front_v6, self.data_v4):
            network.add_interface_to_router(router, subnet_id=subnet.id)
        network.update_router(router, routes=[{"destination": "10.99.0.0/16", "nexthop": "10.20.3.254"}])
        self.public = public

    def build_security_groups(self) -> None:
        network = self.alice.network
        self.web = network.create_security_group(name="web", description="web servers")
        self.db = network.create_security_group(name="db")
        to_db = {"direction": "ingress", "protocol": "tcp", "port_range_min": 5432, "port_range_max": 5432}
        for group, rule in (
            (self.web, {**HTTPS, "description": "https"}),
            (self.web, {**HTTPS, "ether_type": "IPv6", "remote_ip_prefix": "::/0"}),
            (self.web, {"direction": "ingress", "protocol": "112", "description": "vrrp"}),
            (self.web, {"direction": "ingress", "protocol": "icmp"}),
            (self.db, {**to_db, "remote_group_id": self.web.id}),
            (self.db, {"direction": "ingress", "remote_group_id": self.db.id, "description": "cluster"}),
        ):
            network.create_security_group_rule(security_group_id=group.id, **rule)

    def build_archive(self) -> None:
        """A volume that no server has, with a snapshot."""
        archive = self.create_volume("archive", 1, metadata={"keep": "10y"})
        storage = self.alice.block_storage
        snapshot = storage.create_snapshot(name="archive-2025", volume_id=archive.id)
        storage.wait_for_status(snapshot, "available", interval=POLL, wait=PATIENCE)

    def build_cluster(self) -> None:
        """Two servers with one disk in common: what is stopped keeps its attachment. Cinder reserves no disk that is being attached."""
        shared = self.create_volume(CLUSTER_DISK, 1, volume_type="gold-multiattach")
        self.build_database(shared)
        self.build_app_server(shared)

    def build_database(self, *more: Resource) -> None:
        """Two addresses, two disks of its own."""
        port = self.create_port("db-1-eth0", self.data, [(self.data_v4, "10.20.3.11"), (self.data_v4, "10.20.3.12")], self.db)
        self.alice.network.set_tags(port, ["primary"])
        volumes = [self.create_volume("db-1-root", 1, bootable=True), self.create_volume("db-1-data", 3, metadata={"backup": "hourly"})]
        self.boot("db-1", self.own_flavor, [port], [*volumes, *more], metadata={"role": "db"}, description="shop database")

    def build_web_servers(self) -> None:
        """Two on different hosts, behind a virtual address that belongs to a port of its own."""
        flavor = self.alice.compute.find_flavor("m1.volume", ignore_missing=False)
        self.create_port("web-vip", self.front, [(self.front_v4, VIP)], self.web)
        group = self.alice.compute.create_server_group(name="web", policy="anti-affinity")
        for number in (1, 2):
            addresses = [(self.front_v4, f"10.20.1.1{number}"), (self.front_v6, f"fd20:1::1{number}")]
            port = self.create_port(f"web-{number}-eth0", self.front, addresses, self.web, allowed_address_pairs=[{"ip_address": VIP}])
            root = self.create_volume(f"web-{number}-root", 1, bootable=True)
            more = {"scheduler_hints": {"group": group.id}, "metadata": {"role": "web", "backup": "daily"}, "tags": ["shop", "web"]}
            self.boot(f"web-{number}", flavor, [port], [root], **more)
            self.alice.network.create_ip(floating_network_id=self.public.id, port_id=port.id, fixed_ip_address=f"10.20.1.1{number}")

    def build_app_server(self, *more: Resource) -> None:
        """Two networks, two disks of its own, user data on a config drive; stopped."""
        first = self.create_port("app-1-eth0", self.front, [(self.front_v4, "10.20.1.21")], self.web)
        second = self.create_port("app-1-eth1", self.data, [(self.data_v4, "10.20.3.111")], self.db)
        volumes = [self.create_volume("app-1-root", 2, bootable=True), self.create_volume("app-1-spool", 1)]
        app = self.boot("app-1", self.own_flavor, [first, second], [*volumes, *more], config_drive=True, user_data=USER_DATA)
        self.alice.compute.stop_server(app)
        self.alice.compute.wait_for_server(app, status="SHUTOFF", interval=POLL, wait=PATIENCE)

    def create_port(
        self, name: str, network: Resource, addresses: Iterable[tuple[Resource, str]], group: Resource, **more: Any
    ) -> Resource:
        fixed = [{"subnet_id": subnet.id, "ip_address": address} for subnet, address in addresses]
        return self.alice.network.create_port(name=name, network_id=network.id, fixed_ips=fixed, security_groups=[group.id], **more)

    def create_volume(self, name: str, size: int, bootable: bool = False, **more: Any) -> Resource:
        """Empty: to fill it from an image cinder-volume would have to attach it to this machine."""
        storage = self.alice.block_storage
        volume = storage.create_volume(name=name, size=size, **{"volume_type": "gold", **more})
        storage.wait_for_status(volume, "available", interval=POLL, wait=PATIENCE)
        if bootable:
            storage.set_volume_bootable_status(volume, True)
            body = {"os-set_image_metadata": {"metadata": IMAGE_METADATA}}
            openstack.exceptions.raise_from_response(storage.post(f"/volumes/{volume.id}/action", json=body))
        return volume

    def boot(self, name: str, flavor: Resource, ports: list[Resource], volumes: list[Resource], **more: Any) -> Resource:
        """Waits: members of an anti-affinity group that boot at once race for the hosts."""
        disks = [
            {"uuid": volume.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0 if at == 0 else -1}
            for at, volume in enumerate(volumes)
        ]
        nics = [{"port": port.id} for port in ports]
        server = self.alice.compute.create_server(
            name=name, flavor_id=flavor.id, networks=nics, block_device_mapping=disks, key_name=self.key_name, **more
        )
        self.servers[name] = self.alice.compute.wait_for_server(server, interval=POLL, wait=PATIENCE)
        return self.servers[name]


def together(*steps: Callable[[], None]) -> None:
    with ThreadPoolExecutor() as pool:
        for step in [pool.submit(step) for step in steps]:
            step.result()


def public_key(comment: str) -> str:
    key = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return f"{key} {comment}"
