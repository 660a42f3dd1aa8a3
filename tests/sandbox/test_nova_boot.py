"""POST /servers and what becomes of it, on the target cloud of the small scenario."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from openstack.connection import Connection
from openstack.exceptions import NotFoundException
from requests import HTTPError

from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox, start_sandbox

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0mtPGmZ0H0xW1X9b3qJ6rj0bqzJj1rT0v0aaaaaaaa someone"
Answer = dict[str, Any]


@dataclass
class Tenant:
    """A member of a new project on the target, and the parts that servers are made of."""

    sandbox: Sandbox
    cloud: Connection
    admin: Connection
    network_id: str
    flavor_id: str

    def port(self, **attributes: Any) -> str:
        return str(self.cloud.network.create_port(network_id=self.network_id, **attributes).id)

    def volume(self, bootable: bool = True, **attributes: Any) -> str:
        id = str(self.cloud.block_storage.create_volume(size=1, **attributes).id)
        self.sandbox.control.advance(3)
        self.cloud.block_storage.set_volume_bootable_status(id, bootable)
        return id

    def body(self, ports: list[str], volumes: list[str], **fields: Any) -> dict[str, Any]:
        destroy = fields.pop("delete_on_termination", False)
        devices = [
            {
                "uuid": id,
                "source_type": "volume",
                "destination_type": "volume",
                "boot_index": 0 if at == 0 else -1,
                "delete_on_termination": destroy,
            }
            for at, id in enumerate(volumes)
        ]
        hints = fields.pop("hints", None)
        server = {"name": "web-1", "flavorRef": self.flavor_id, "networks": [{"port": id} for id in ports]}
        document = {"server": {**server, "block_device_mapping_v2": devices, **fields}}
        return {**document, "os:scheduler_hints": hints} if hints else document

    def post(self, document: dict[str, Any], microversion: str = "2.95") -> Any:
        return self.cloud.compute.post("/servers", json=document, microversion=microversion)

    def boot(self, ports: list[str], volumes: list[str], **fields: Any) -> str:
        answer = self.post(self.body(ports, volumes, **fields))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["server"]["id"])

    def refused(self, status: int, ports: list[str], volumes: list[str], microversion: str = "2.95", **fields: Any) -> str:
        answer = self.post(self.body(ports, volumes, **fields), microversion)
        assert answer.status_code == status, answer.text
        return str(next(iter(answer.json().values()))["message"])

    def show(self, id: str) -> Answer:
        answer = self.admin.compute.get(f"/servers/{id}", microversion="2.95")
        return dict(answer.json()["server"])

    def after(self, seconds: float, id: str) -> Answer:
        self.sandbox.control.advance(seconds)
        return self.show(id)

    def status(self, volume_id: str) -> str:
        return str(self.admin.block_storage.get_volume(volume_id).status)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="small", speed=1)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def built(sandbox: Sandbox, target: Connection) -> Tenant:
    project = target.identity.create_project(name="acme")
    user = target.identity.create_user(name="migrator", password="migrator-secret")
    target.identity.assign_project_role_to_user(project, user, target.identity.find_role("member"))
    cloud = connect(sandbox, "target-admin", username="migrator", password="migrator-secret", project_name="acme")
    network = cloud.network.create_network(name="app")
    cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.10.1.0/24")
    return Tenant(sandbox, cloud, target, network.id, target.compute.find_flavor("v2.medium").id)


@pytest.fixture
def tenant(built: Tenant) -> Iterator[Tenant]:
    """Every test finds the world as it was built."""
    taken = built.sandbox.control.snapshot()
    yield built
    built.sandbox.control.restore(taken)


# A good boot.


def test_a_boot_from_ports_and_volumes(tenant: Tenant) -> None:
    ports = [tenant.port(mac_address=f"fa:16:3e:00:00:0{number}") for number in (2, 1)]
    volumes = [tenant.volume(), tenant.volume(bootable=False)]
    tenant.cloud.compute.create_keypair(name="work", public_key=KEY)
    fields = {"key_name": "work", "user_data": "I2Nsb3VkLWNvbmZpZwo=", "config_drive": True, "tags": ["shop"]}
    id = tenant.boot(ports, volumes, hostname="web-old", description="d", metadata={"a": "b"}, **fields)
    shown = tenant.show(id)
    assert (shown["status"], shown["addresses"], shown["OS-SRV-USG:launched_at"]) == ("BUILD", {}, None)
    assert [tenant.status(volume) for volume in volumes] == ["reserved", "reserved"]
    shown = tenant.after(20, id)
    assert (shown["status"], shown["OS-EXT-SRV-ATTR:hostname"], shown["config_drive"]) == ("ACTIVE", "web-old", "True")
    assert [one["OS-EXT-IPS-MAC:mac_addr"] for one in shown["addresses"]["app"]] == [f"fa:16:3e:00:00:0{n}" for n in (2, 1)]
    assert (shown["tags"], shown["metadata"], shown["user_id"]) == (["shop"], {"a": "b"}, tenant.cloud.current_user_id)
    assert shown["OS-EXT-SRV-ATTR:user_data"] == "I2Nsb3VkLWNvbmZpZwo="
    assert [one["id"] for one in shown["os-extended-volumes:volumes_attached"]] == volumes
    assert [tenant.status(volume) for volume in volumes] == ["in-use", "in-use"]
    assert len(tenant.sandbox.control.dump()["ibox-b/luns"]) == 2
    port = tenant.admin.network.get_port(ports[0])
    assert (port.status, port.device_id, port.binding_host_id) == ("ACTIVE", id, shown["OS-EXT-SRV-ATTR:host"])


def test_volumes_of_one_array_are_mapped_one_after_the_other(tenant: Tenant) -> None:
    tenant.sandbox.control.settings(delays={"server_boot": 0, "attach": 5})
    volumes = [tenant.volume() for _ in range(3)]
    servers = [tenant.boot([], [volume], networks="none") for volume in volumes]
    tenant.sandbox.control.advance(6)
    assert [tenant.show(id)["status"] for id in servers] == ["ACTIVE", "BUILD", "BUILD"]
    tenant.sandbox.control.advance(10)
    assert {tenant.show(id)["status"] for id in servers} == {"ACTIVE"}
    tenant.sandbox.control.settings(delays={"server_boot": 10, "attach": 2})


def test_a_network_instead_of_a_port(tenant: Tenant) -> None:
    id = tenant.boot([], [tenant.volume()], networks=[{"uuid": tenant.network_id}])
    tenant.after(20, id)
    port = next(tenant.cloud.network.ports(device_id=id))
    tenant.cloud.compute.delete_server(id)
    tenant.sandbox.control.advance(4)
    with pytest.raises(NotFoundException):
        tenant.cloud.network.get_port(port.id)


def test_a_new_volume_made_from_an_image(tenant: Tenant) -> None:
    image = tenant.admin.image.create_image(name="cirros", data=b"x" * 64, disk_format="raw", container_format="bare", visibility="public")
    device = {"uuid": image.id, "source_type": "image", "destination_type": "volume", "volume_size": 2, "boot_index": 0}
    id = tenant.boot([], [], networks="none", block_device_mapping_v2=[{**device, "delete_on_termination": True}])
    shown = tenant.after(30, id)
    assert shown["status"] == "ACTIVE"
    (volume,) = shown["os-extended-volumes:volumes_attached"]
    assert tenant.admin.block_storage.get_volume(volume["id"]).size == 2
    tenant.cloud.compute.delete_server(id)
    tenant.sandbox.control.advance(6)
    with pytest.raises(NotFoundException):
        tenant.admin.block_storage.get_volume(volume["id"])


# Refusals.


def test_the_boot_volume_is_the_idempotency_key(tenant: Tenant) -> None:
    volume = tenant.volume()
    tenant.boot([], [volume], networks="none")
    assert "status must be" in tenant.refused(400, [], [volume], networks="none")
    assert len(list(tenant.cloud.compute.servers())) == 1


def test_a_refused_boot_keeps_what_it_reserved(tenant: Tenant) -> None:
    root, taken = tenant.volume(), tenant.volume()
    tenant.boot([], [taken], networks="none")
    tenant.refused(400, [], [root, taken], networks="none")
    assert tenant.status(root) == "reserved"


def attachments(tenant: Tenant, volume: str, **query: str) -> list[Answer]:
    answer = tenant.admin.block_storage.get("/attachments", params={"all_tenants": "1", "volume_id": volume, **query}, microversion="3.27")
    return list(answer.json()["attachments"])


@pytest.mark.parametrize(("status", "told"), [(400, 400), (502, 502)])
def test_a_boot_that_dies_between_two_volumes(tenant: Tenant, status: int, told: int) -> None:
    """What is left is seen in the list of attachments alone, and taken back by deleting it there: os-unreserve does nothing to it."""
    root, data = tenant.volume(), tenant.volume(bootable=False)
    tenant.sandbox.control.fault(world="boot_refused", cloud="target", name="web-1", times=1, status=status)
    tenant.refused(told, [], [root, data], networks="none")
    assert (tenant.status(root), tenant.status(data)) == ("reserved", "available")
    assert list(tenant.cloud.compute.servers()) == []
    assert list(tenant.admin.block_storage.get_volume(root).attachments) == []
    [left] = attachments(tenant, root, attach_status="reserved")
    assert (left["status"], left["volume_id"]) == ("reserved", root)
    assert attachments(tenant, root, status="reserved") == []  # no column of the table, and no error
    tenant.admin.block_storage.post(f"/volumes/{root}/action", json={"os-unreserve": {}})
    assert tenant.status(root) == "reserved"
    gone = tenant.admin.block_storage.delete(f"/attachments/{left['id']}", microversion="3.27")
    assert (gone.status_code, gone.json()) == (200, {"attachments": []})
    assert tenant.status(root) == "available"
    assert tenant.admin.block_storage.delete(f"/attachments/{left['id']}", microversion="3.27").status_code == 404
    assert tenant.after(20, tenant.boot([], [root, data], networks="none"))["status"] == "ACTIVE"


def test_a_build_whose_reservation_is_gone_ends_before_its_guest_starts(tenant: Tenant) -> None:
    root, data = tenant.volume(), tenant.volume(bootable=False)
    id = tenant.boot([], [root, data], networks="none")
    [reserved] = attachments(tenant, data, instance_id=id)
    tenant.admin.block_storage.delete(f"/attachments/{reserved['id']}", microversion="3.27")
    shown = tenant.after(20, id)
    assert (shown["status"], shown["OS-SRV-USG:launched_at"]) == ("ERROR", None)
    assert (tenant.status(root), tenant.status(data)) == ("available", "available")


def test_an_attachment_in_use_is_nova_s_to_delete(tenant: Tenant) -> None:
    root = tenant.volume()
    id = tenant.boot([], [root], networks="none")
    tenant.after(20, id)
    [attached] = attachments(tenant, root)
    answer = tenant.admin.block_storage.delete(f"/attachments/{attached['id']}", microversion="3.27")
    assert (answer.status_code, tenant.status(root)) == (409, "in-use")
    assert tenant.cloud.block_storage.get(f"/attachments/{attached['id']}", microversion="3.27").status_code == 200


def test_a_port_in_use(tenant: Tenant) -> None:
    port = tenant.port()
    tenant.boot([port], [tenant.volume()])
    tenant.sandbox.control.advance(5)
    volume = tenant.volume()
    assert tenant.refused(409, [port], [volume]) == f"Port {port} is still in use."
    assert tenant.status(volume) == "available"


def test_another_projects_port(tenant: Tenant) -> None:
    network = tenant.admin.network.create_network(name="theirs")
    tenant.admin.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.99.0.0/24")
    foreign = tenant.admin.network.create_port(network_id=network.id).id
    volume = tenant.volume()
    assert "could not be found" in tenant.refused(400, [foreign], [volume])


def test_a_key_of_another_user(tenant: Tenant) -> None:
    tenant.admin.compute.create_keypair(name="theirs", public_key=KEY)
    volume = tenant.volume()
    assert tenant.refused(400, [], [volume], networks="none", key_name="theirs") == "Invalid key_name provided."


def test_a_root_that_is_not_bootable(tenant: Tenant) -> None:
    assert "is not bootable" in tenant.refused(400, [], [tenant.volume(bootable=False)], networks="none")


@pytest.mark.parametrize(
    ("microversion", "fields"),
    [
        ("2.95", {"colour": "red"}),
        ("2.89", {"hostname": "web"}),
        ("2.51", {"tags": ["a"]}),
        ("2.18", {"description": "d"}),
        ("2.95", {"config_drive": ""}),
        ("2.95", {"user_data": "not base64!"}),
        ("2.95", {"metadata": {"a/b": "c"}}),
        ("2.95", {"personality": []}),
        ("2.95", {"networks": [{"port": "not-a-uuid"}]}),
        ("2.95", {"flavorRef": "no-such-flavor"}),
        ("2.95", {"imageRef": "00000000-0000-0000-0000-000000000000"}),
        ("2.95", {"hints": {"group": "00000000-0000-0000-0000-000000000000"}}),
        ("2.95", {"block_device_mapping_v2": []}),
    ],
)
def test_bodies_that_nova_refuses(tenant: Tenant, microversion: str, fields: dict[str, Any]) -> None:
    volume = tenant.volume()
    networks = "none" if microversion >= "2.37" else []
    tenant.refused(400, [], [volume], microversion, **{"networks": networks, **fields})
    assert tenant.status(volume) == "available"


def test_quota(tenant: Tenant) -> None:
    tenant.admin.compute.update_quota_set(tenant.cloud.current_project_id, cores=1, instances=0)
    message = tenant.refused(403, [], [tenant.volume()], networks="none")
    assert message == ("Quota exceeded for cores, instances: Requested 2, 1, but already used 0, 0 of 1, 0 cores, instances")


def test_a_limit_below_use_needs_force(tenant: Tenant) -> None:
    tenant.boot([], [tenant.volume()], networks="none")
    path = f"/os-quota-sets/{tenant.cloud.current_project_id}"
    answer = tenant.admin.compute.put(path, json={"quota_set": {"cores": 1}})
    assert (answer.status_code, "already used" in answer.text) == (400, True)
    assert tenant.admin.compute.put(path, json={"quota_set": {"cores": 1, "force": True}}).status_code == 200


def test_only_administrators_choose_a_host(tenant: Tenant) -> None:
    root = tenant.volume()
    tenant.refused(403, [], [root], networks="none", host="target-compute-2")
    tenant.refused(400, [], [root], networks="none", availability_zone="elsewhere")
    own = tenant.admin.block_storage.create_volume(size=1).id
    tenant.sandbox.control.advance(3)
    tenant.admin.block_storage.set_volume_bootable_status(own, True)
    body = tenant.body([], [own], networks="none", host="target-compute-2")
    answer = tenant.admin.compute.post("/servers", json=body, microversion="2.95")
    assert answer.status_code == 202, answer.text
    shown = tenant.after(20, answer.json()["server"]["id"])
    assert (shown["status"], shown["OS-EXT-SRV-ATTR:host"]) == ("ACTIVE", "target-compute-2")


def test_a_disabled_host_gets_no_servers(tenant: Tenant) -> None:
    for service in tenant.admin.compute.services(binary="nova-compute"):
        if service.host != "target-compute-1":
            tenant.admin.compute.disable_service(service)
    servers = [tenant.boot([], [tenant.volume()], networks="none") for _ in range(2)]
    tenant.sandbox.control.advance(30)
    assert {tenant.show(id)["OS-EXT-SRV-ATTR:host"] for id in servers} == {"target-compute-1"}


# Builds that fail.


def test_a_port_that_is_switched_off_ends_the_build_after_five_minutes(tenant: Tenant) -> None:
    port, volume = tenant.port(is_admin_state_up=False), tenant.volume()
    id = tenant.boot([port], [volume])
    assert tenant.after(250, id)["status"] == "BUILD"
    shown = tenant.after(70, id)
    assert (shown["status"], shown["OS-SRV-USG:launched_at"]) == ("ERROR", None)
    assert "Failed to allocate the network" in shown["fault"]["message"]
    assert tenant.status(volume) == "available"
    assert tenant.cloud.network.get_port(port).device_id == ""


def test_a_failed_build_destroys_volumes_with_delete_on_termination(tenant: Tenant) -> None:
    tenant.sandbox.control.fault(world="boot_error", cloud="target", name="web-1", times=1)
    kept, lost = tenant.volume(), tenant.volume()
    assert tenant.after(30, tenant.boot([], [kept], networks="none"))["status"] == "ERROR"
    assert tenant.status(kept) == "available"
    tenant.sandbox.control.fault(world="boot_error", cloud="target", name="web-1", times=1)
    shown = tenant.after(30, tenant.boot([], [lost], networks="none", delete_on_termination=True))
    assert (shown["status"], shown["os-extended-volumes:volumes_attached"]) == ("ERROR", [])
    with pytest.raises(NotFoundException):
        tenant.admin.block_storage.get_volume(lost)
    assert tenant.after(30, tenant.boot([], [kept], networks="none"))["status"] == "ACTIVE"


def test_a_server_that_launched_and_then_failed_keeps_its_volumes(tenant: Tenant) -> None:
    tenant.sandbox.control.fault(world="boot_error", cloud="target", name="web-1", times=1, launched=True)
    volume = tenant.volume()
    shown = tenant.after(30, tenant.boot([], [volume], networks="none"))
    assert shown["status"] == "ERROR"
    assert shown["OS-SRV-USG:launched_at"] is not None
    assert tenant.status(volume) == "in-use"


def test_anti_affinity_needs_as_many_hosts_as_members(tenant: Tenant) -> None:
    group = tenant.cloud.compute.create_server_group(name="web", policy="anti-affinity")
    volumes = [tenant.volume() for _ in range(4)]
    servers = []
    for volume in volumes:
        servers.append(tenant.boot([], [volume], networks="none", hints={"group": group.id}))
        tenant.sandbox.control.advance(20)
    shown = [tenant.show(id) for id in servers]
    assert [one["status"] for one in shown] == ["ACTIVE", "ACTIVE", "ACTIVE", "ERROR"]
    assert len({one["OS-EXT-SRV-ATTR:host"] for one in shown[:3]}) == 3
    assert shown[3]["fault"]["message"].startswith("No valid host was found.")
    assert shown[0]["server_groups"] == [group.id]
    assert set(tenant.cloud.compute.get_server_group(group.id).member_ids) == set(servers)
    # Nobody cleaned up after a server that never had a host: deleting it frees its volume.
    assert tenant.status(volumes[3]) == "reserved"
    tenant.cloud.compute.delete_server(servers[3])
    assert tenant.status(volumes[3]) == "available"


def test_members_of_an_anti_affinity_group_that_boot_at_once_may_collide(tenant: Tenant) -> None:
    group = tenant.cloud.compute.create_server_group(name="web", policy="anti-affinity")
    volumes = [tenant.volume() for _ in range(3)]
    servers = [tenant.boot([], [volume], networks="none", hints={"group": group.id}) for volume in volumes]
    tenant.sandbox.control.advance(40)
    assert [tenant.show(id)["status"] for id in servers] == ["ACTIVE", "ACTIVE", "ERROR"]
    tenant.cloud.compute.delete_server(servers[2])
    again = tenant.boot([], [volumes[2]], networks="none", hints={"group": group.id})
    assert tenant.after(20, again)["status"] == "ACTIVE"


@pytest.mark.parametrize(("policy", "hosts"), [("affinity", 1), ("soft-affinity", 1), ("soft-anti-affinity", 3)])
def test_other_policies(tenant: Tenant, policy: str, hosts: int) -> None:
    group = tenant.cloud.compute.create_server_group(name="web", policy=policy)
    volumes = [tenant.volume() for _ in range(4)]
    servers = [tenant.boot([], [volume], networks="none", hints={"group": group.id}) for volume in volumes]
    tenant.sandbox.control.advance(40)
    assert len({tenant.show(id)["OS-EXT-SRV-ATTR:host"] for id in servers}) == hosts


def test_a_server_deleted_while_it_builds(tenant: Tenant) -> None:
    port, volume = tenant.port(), tenant.volume()
    id = tenant.boot([port], [volume])
    tenant.after(5, id)
    tenant.cloud.compute.delete_server(id)
    tenant.sandbox.control.advance(30)
    assert list(tenant.cloud.compute.servers()) == []
    assert tenant.status(volume) == "available"
    assert tenant.cloud.network.get_port(port).device_id == ""


# Afterwards.


def test_delete_on_termination_can_be_set_later(tenant: Tenant) -> None:
    volume = tenant.volume()
    id = tenant.boot([], [volume], networks="none")
    tenant.after(20, id)
    path = f"/servers/{id}/os-volume_attachments/{volume}"
    body = {"volumeAttachment": {"volumeId": volume, "delete_on_termination": True}}
    assert tenant.cloud.compute.put(path, json=body, microversion="2.84").status_code == 400
    assert tenant.cloud.compute.put(path, json=body, microversion="2.85").status_code == 202
    item = tenant.cloud.compute.get(path, microversion="2.89").json()["volumeAttachment"]
    assert item["delete_on_termination"] is True
    assert {"attachment_id", "bdm_uuid"} <= item.keys()
    other = {"volumeAttachment": {"volumeId": tenant.volume()}}
    assert tenant.cloud.compute.put(path, json=other, microversion="2.85").status_code == 409


def test_the_reason_of_a_lock(tenant: Tenant) -> None:
    id = tenant.boot([], [tenant.volume()], networks="none")
    tenant.after(20, id)
    lock = {"lock": {"locked_reason": "moving"}}
    assert tenant.admin.compute.post(f"/servers/{id}/action", json=lock, microversion="2.73").status_code == 202
    assert tenant.show(id)["locked_reason"] == "moving"


def test_interfaces_are_listed_in_no_order(tenant: Tenant) -> None:
    ports = [tenant.port() for _ in range(6)]
    id = tenant.boot(ports, [tenant.volume()])
    tenant.after(20, id)
    listed = [one.port_id for one in tenant.cloud.compute.server_interfaces(id)]
    assert sorted(listed) == sorted(ports)
    assert listed == sorted(ports), "stable, but by port id and not by NIC"


def test_a_write_protected_disk_lets_a_server_start_but_takes_no_write(tenant: Tenant) -> None:
    volume = tenant.volume()
    id = tenant.boot([], [volume], networks="none")
    tenant.after(20, id)
    write = {"cloud": "target", "server_id": id, "data": "x"}
    tenant.sandbox.control.write(**write)
    tenant.cloud.compute.stop_server(id)
    tenant.sandbox.control.advance(9)
    with pytest.raises(HTTPError, match="does not run"):
        tenant.sandbox.control.write(**write)
    protect(tenant.sandbox, f"openstack-vol-{volume}")
    tenant.cloud.compute.start_server(id)
    assert tenant.after(7, id)["status"] == "ACTIVE"
    with pytest.raises(HTTPError, match="write-protected"):
        tenant.sandbox.control.write(**write)


def protect(sandbox: Sandbox, name: str) -> None:
    """Write-protects the volume of that name on the target's array."""
    (row,) = [row for row in sandbox.control.dump()["ibox-b/volumes"] if row["name"] == name]
    url = f"{sandbox.urls['ibox-b']}/api/rest/volumes/{row['id']}?approved=true"
    requests.put(url, json={"write_protected": True}, auth=("admin", "123456"), timeout=10).raise_for_status()
