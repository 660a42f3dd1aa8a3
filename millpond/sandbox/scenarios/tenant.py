"""A project on the source cloud, as its administrator and its people build it."""

import base64
import random
from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.credentials import TENANT, TENANT_PASSWORD, TENANT_USER
from millpond.sandbox.scenarios.foundation import EXTERNAL_NETWORK, PHYSICAL_NETWORK
from millpond.sandbox.simulation import Simulation

MEMBER = "_member_"
"""The role's name on Queens."""
MINOR = 60
GIB = 2**30
ADMINISTRATOR = Caller("admin", None, "default", frozenset({"admin"}), is_admin=True, token="", user_name="admin")


class Tenant:
    """Everything is made through the services' own rules, at once. The same name makes the same MAC addresses and keys."""

    def __init__(self, world: Simulation, name: str = TENANT, **properties: Any) -> None:
        self.world = world
        self.cloud = world.clouds["source"]
        self.array = world.arrays["ibox-a"]
        self.random = random.Random(name)
        self.project: Row = self.cloud.keystone.create_project(name, **properties)
        self.id: str = self.project["id"]
        self.owner = self.user(TENANT_USER, TENANT_PASSWORD)

    # Identity.

    def user(self, name: str, password: str | None = None, role: str = MEMBER, **properties: Any) -> Caller:
        """A person with a role in the project, as the services see them."""
        row = self.cloud.keystone.create_user(name, password=password or f"{name}-secret", **properties)
        self.cloud.keystone.grant(role, row["id"], self.id)
        return Caller(row["id"], self.id, "default", frozenset({role}), is_admin=False, token="", user_name=name)

    def keypair(self, user: Caller, name: str, kind: str = "ssh") -> Row:
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + self.random.randbytes(32)
        public_key = f"ssh-ed25519 {base64.b64encode(blob).decode()} {user.user_name}@{name}"
        return self.cloud.nova.keypairs.create(user.user_id, name, public_key, kind, self.id)

    # Network.

    def network(self, name: str, vlan: int, **attributes: Any) -> Row:
        """A provider VLAN, made for the project by the administrator."""
        provider = {
            "provider:network_type": "vlan",
            "provider:physical_network": PHYSICAL_NETWORK,
            "provider:segmentation_id": vlan,
        }
        return self.cloud.neutron.create_network(self.id, name=name, **provider, **attributes)

    def subnet(self, network: Row, name: str, cidr: str, **attributes: Any) -> Row:
        return self.cloud.neutron.create_subnet(self.id, network_id=network["id"], name=name, cidr=cidr, **attributes)

    def router(self, name: str, subnets: list[Row], **attributes: Any) -> Row:
        """With its gateway on the external network, and an interface in each of the subnets."""
        gateway = {"network_id": self.external_network["id"]}
        router = self.cloud.neutron.create_router(self.id, name=name, external_gateway_info=gateway, **attributes)
        for subnet in subnets:
            self.cloud.neutron.add_router_interface(router["id"], subnet_id=subnet["id"])
        return router

    def port(self, network: Row, addresses: dict[str, Row], name: str = "", **attributes: Any) -> Row:
        """`addresses`: address -> subnet, in order; without any Neutron chooses."""
        fixed = [{"subnet_id": subnet["id"], "ip_address": address} for address, subnet in addresses.items()]
        wanted = {"mac_address": self.mac(), **({"fixed_ips": fixed} if fixed else {}), **attributes}
        return self.cloud.neutron.create_port(self.id, network_id=network["id"], name=name, **wanted)

    def floating_ip(self, port: Row | None, **attributes: Any) -> Row:
        target = {"port_id": port["id"]} if port else {}
        return self.cloud.neutron.create_floatingip(self.id, floating_network_id=self.external_network["id"], **target, **attributes)

    def security_group(self, name: str, *rules: dict[str, Any], **attributes: Any) -> Row:
        """`rules` as the API takes them; ingress unless they say otherwise."""
        group = self.cloud.neutron.create_security_group(self.id, name=name, **attributes)
        for rule in rules:
            self.cloud.neutron.create_security_group_rule(self.id, security_group_id=group["id"], **{"direction": "ingress", **rule})
        return group

    @property
    def external_network(self) -> Row:
        return self.cloud.neutron.networks.table.where(name=EXTERNAL_NETWORK)[0]

    def mac(self) -> str:
        return "fa:16:3e:" + ":".join(f"{byte:02x}" for byte in self.random.randbytes(3))

    # Storage.

    def volume(self, name: str, size: int, *, kind: str = "gold", bootable: bool = False, **order: Any) -> Row:
        """`size` in GiB, of which a quarter is written."""
        user = self.owner.user_id
        return self.cloud.cinder.create_volume(self.id, user, name, size, kind, used=size * GIB // 4, bootable=bootable, **order)

    def adopted_volume(self, name: str, size: int, **order: Any) -> Row:
        """A volume of `size` bytes on the array, which Cinder counts as the next whole GiB."""
        row = self.volume(name, -(-size // GIB), **order)
        self.array.volumes.change(self.cloud.cinder.array_volume(row["id"])["id"], size=size)
        return row

    # Compute.

    def server(
        self,
        name: str,
        flavor: Row,
        ports: list[Row],
        volumes: list[Row],
        *,
        user: Caller | None = None,
        group: Row | None = None,
        delete_on_termination: bool = False,
        **attributes: Any,
    ) -> Row:
        """A running server; the first volume is its root unless `imageRef` is given."""
        first = -1 if attributes.get("imageRef") else 0
        devices = [
            {
                "uuid": volume["id"],
                "source_type": "volume",
                "destination_type": "volume",
                "boot_index": first if at == 0 else -1,
                "delete_on_termination": delete_on_termination,
            }
            for at, volume in enumerate(volumes)
        ]
        body = {
            "name": name,
            "flavorRef": flavor["id"],
            "networks": [{"port": port["id"]} for port in ports],
            "block_device_mapping_v2": devices,
            **attributes,
        }
        hints = {"group": group["id"]} if group else {}
        row = self.cloud.nova.boot.prepare(user or self.owner, body, hints, MINOR)
        self.cloud.nova.builds.at_once(row)
        return row

    def stop(self, server: Row) -> None:
        self.cloud.nova.power.act(self.owner, server, "stop")
        self.cloud.nova.power.done(server["id"], "stop")

    def image(self, name: str, **properties: Any) -> Row:
        return self.cloud.glance.create_image(self.id, name, visibility="private", **properties)

    def flavor(self, name: str) -> Row:
        return self.cloud.nova.flavors.table.where(name=name)[0]
