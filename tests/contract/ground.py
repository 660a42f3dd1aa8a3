"""What the tests of one cloud stand on: a tenant of their own, its people, a network, and ways to make servers and volumes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from tests.contract.api import Answer, Api
from tests.contract.coverage import WatchedCloud
from tests.contract.subject import Subject

T = TypeVar("T")
PASSWORD = "Contract-1-secret"
NOWHERE = "00000000-0000-0000-0000-000000000000"
PHYSICAL_NETWORK = "physnet1"
VOLUME_TYPE = "gold"
"""Its volumes lie on an array, on both subjects."""
AMPLE = {
    "compute": ("/os-quota-sets/{}", "quota_set", {"instances": 100, "cores": 200, "ram": 400000, "server_groups": 50, "key_pairs": 50}),
    "block_storage": ("/os-quota-sets/{}", "quota_set", {"volumes": 200, "gigabytes": 1000, "snapshots": 50}),
    "network": (
        "/quotas/{}",
        "quota",
        {"network": 50, "subnet": 50, "port": 300, "router": 20, "floatingip": 30, "security_group": 50, "security_group_rule": 300},
    ),
}

VLANS = iter(random.sample(range(1000, 4000), 3000))
"""Each once: networks of earlier tests may still have theirs."""


class Ground:
    """`admin`: the login of clouds.yaml. `owner`: the same user with a token of the tenant's project, as Millpond creates. `member`: one
    of the tenant's own people. `stranger`: a member of another project."""

    def __init__(self, subject: Subject, side: str) -> None:
        self.subject, self.side = subject, side
        self.tag = f"contract-{uuid4().hex[:8]}"
        self.seen: set[str] = set()
        self.provider = subject.provider(side)
        self.scopes = self.provider.compute._nova.scopes
        self.cloud = WatchedCloud(self.provider, self.seen)
        self.admin = Api(subject.login(side))
        self.roles = {row["name"]: row["id"] for row in self.admin.done("GET", "identity", "/roles")["roles"]}
        self.project_id, self.other_project_id = self.new_project("tenant"), self.new_project("other")
        for project in (self.project_id, self.other_project_id):
            self.grant(project, self.admin.user_id, "admin")
        self.owner = Api(subject.login(side, project_name="", project_id=self.project_id, project_domain_name="", project_domain_id=""))
        self.member = self.person("member", self.project_id)
        self.stranger = self.person("stranger", self.other_project_id)
        self.compute_version = self.provider.compute._nova.microversion
        self._made: dict[str, Any] = {}

    def name(self, what: str = "thing") -> str:
        return f"{self.tag}-{what}-{uuid4().hex[:6]}"

    def once(self, what: str, make: Callable[[], T]) -> T:
        """Made by the first test that needs it, and shared with the others."""
        if what not in self._made:
            self._made[what] = make()
        return self._made[what]  # type: ignore[no-any-return]

    # People.

    def new_project(self, what: str) -> str:
        body = {"project": {"name": self.name(what), "domain_id": "default"}}
        return str(self.admin.done("POST", "identity", "/projects", body)["project"]["id"])

    @property
    def member_role(self) -> str:
        return "member" if "member" in self.roles else "_member_"

    def grant(self, project: str, user: str, role: str) -> None:
        self.admin.done("PUT", "identity", f"/projects/{project}/users/{user}/roles/{self.roles[role]}")

    def person(self, what: str, project: str) -> Api:
        name = self.name(what)
        body = {"user": {"name": name, "password": PASSWORD, "domain_id": "default"}}
        id = self.admin.done("POST", "identity", "/users", body)["user"]["id"]
        self.grant(project, id, self.member_role)
        nobody = {"username": "", "user_domain_name": "", "user_domain_id": "", "project_name": "", "project_domain_name": ""}
        where = {"user_id": id, "password": PASSWORD, "project_id": project, "project_domain_id": ""}
        return Api(self.subject.login(self.side, **{**nobody, **where}))

    # Quotas: services take them from their own defaults, which are smaller than the whole suite needs.

    def ample(self) -> None:
        for service, (path, key, limits) in AMPLE.items():
            for project in (self.project_id, self.other_project_id):
                self.admin.done("PUT", service, path.format(project), {key: limits})

    # Network.

    def vlan(self, name: str = "net", **fields: Any) -> dict[str, Any]:
        """The body of a tenant network on a VLAN of the provider's, as Millpond asks for one."""
        provider = {
            "provider:network_type": "vlan",
            "provider:physical_network": PHYSICAL_NETWORK,
            "provider:segmentation_id": next(VLANS),
        }
        return {"name": self.name(name), "project_id": self.project_id, **provider, **fields}

    def network(self, **fields: Any) -> tuple[str, str]:
        """A new network and a subnet of it, 10.77.0.0/24 without DHCP: their ids."""
        network = self.admin.done("POST", "network", "/networks", {"network": self.vlan(**fields)})["network"]["id"]
        return network, self.subnet(network)

    def subnet(self, network: str, **fields: Any) -> str:
        body = {
            "network_id": network,
            "ip_version": 4,
            "cidr": "10.77.0.0/24",
            "enable_dhcp": False,
            "project_id": self.project_id,
            **fields,
        }
        return str(self.admin.done("POST", "network", "/subnets", {"subnet": body})["subnet"]["id"])

    @property
    def shared_network(self) -> tuple[str, str]:
        """One for all tests that need some network."""
        found: tuple[str, str] = self.once("network", self.network)
        return found

    def port(self, **fields: Any) -> dict[str, Any]:
        body = {
            "network_id": fields.pop("network_id", "") or self.shared_network[0],
            "project_id": self.project_id,
            "name": self.name("port"),
            **fields,
        }
        return dict(self.admin.done("POST", "network", "/ports", {"port": body})["port"])

    def security_group(self, **fields: Any) -> dict[str, Any]:
        body = {"name": self.name("group"), "project_id": self.project_id, **fields}
        return dict(self.admin.done("POST", "network", "/security-groups", {"security_group": body})["security_group"])

    @property
    def external_network(self) -> dict[str, Any]:
        rows = self.admin.done("GET", "network", "/networks", router__external="True")["networks"]
        return dict(next(row for row in rows if row["subnets"]))

    # Volumes.

    def volume(self, api: Api | None = None, *, bootable: bool = False, **fields: Any) -> str:
        """A volume that has become available."""
        body = {"size": 1, "volume_type": VOLUME_TYPE, "name": self.name("volume"), **fields}
        id = str((api or self.owner).done("POST", "block_storage", "/volumes", {"volume": body})["volume"]["id"])
        self.volume_is(id, "available")
        if bootable:
            self.act_on_volume(id, "os-set_bootable", {"bootable": True})
        return id

    def show_volume(self, id: str) -> dict[str, Any]:
        return dict(self.admin.done("GET", "block_storage", f"/volumes/{id}")["volume"])

    def volume_is(self, id: str, status: str) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            row = self.show_volume(id)
            assert row["status"] == status or not row["status"].startswith("error"), row
            return row if row["status"] == status else None

        return self.subject.eventually(reached, f"volume {id} {status}")

    def act_on_volume(self, id: str, action: str, argument: Any = None) -> Answer:
        return self.admin.done("POST", "block_storage", f"/volumes/{id}/action", {action: argument or {}})

    # Servers.

    @property
    def flavor(self) -> str:
        """Small, and without a disk of its own."""

        def make() -> str:
            body = {"flavor": {"name": self.name("flavor"), "vcpus": 1, "ram": 64, "disk": 0}}
            return str(self.admin.done("POST", "compute", "/flavors", body)["flavor"]["id"])

        return self.once("flavor", make)

    def server_body(self, volumes: list[str], ports: list[str], **fields: Any) -> dict[str, Any]:
        """As Millpond boots: existing ports, existing volumes, the first of which is the root."""
        devices = [
            {
                "source_type": "volume",
                "destination_type": "volume",
                "uuid": id,
                "boot_index": 0 if at == 0 else -1,
                "delete_on_termination": False,
            }
            for at, id in enumerate(volumes)
        ]
        networks: Any = [{"port": id} for id in ports] or "none"
        return {"name": self.name("server"), "flavorRef": self.flavor, "networks": networks, "block_device_mapping_v2": devices, **fields}

    def post_server(self, volumes: list[str], ports: list[str] | None = None, api: Api | None = None, **fields: Any) -> Answer:
        body = {"server": self.server_body(volumes, ports or [], **fields)}
        return (api or self.owner).call("POST", "compute", "/servers", body)

    def boot(self, volumes: list[str], ports: list[str] | None = None, **fields: Any) -> str:
        """An ACTIVE server's id."""
        answer = self.post_server(volumes, ports, **fields)
        assert answer.status == 202, answer
        id = str(answer["server"]["id"])
        self.server_is(id, "ACTIVE")
        return id

    def small_server(self) -> str:
        """With one volume and no network."""
        return self.boot([self.volume(bootable=True)])

    def show_server(self, id: str, version: str = "") -> dict[str, Any]:
        return dict(self.admin.done("GET", "compute", f"/servers/{id}", version=version)["server"])

    def server_is(self, id: str, status: str) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            row = self.show_server(id)
            assert row["status"] in (status, "BUILD", "ACTIVE", "SHUTOFF"), (row["status"], row.get("fault"))
            return row if row["status"] == status and not row["OS-EXT-STS:task_state"] else None

        return self.subject.eventually(reached, f"server {id} {status}")

    def act_on_server(self, id: str, action: str, argument: Any = None, api: Api | None = None) -> Answer:
        return (api or self.admin).call("POST", "compute", f"/servers/{id}/action", {action: argument})

    def gone(self, service: str, path: str) -> None:
        self.subject.eventually(lambda: self.admin.get(service, path).status == 404, f"{path} deleted")
