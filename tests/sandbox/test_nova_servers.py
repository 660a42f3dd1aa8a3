"""Running servers as the real client sees and handles them: a world with the small scenario."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openstack.compute.v2.server import Server
from openstack.connection import Connection
from openstack.exceptions import BadRequestException, ConflictException, ForbiddenException, NotFoundException

from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="small", speed=1)
    running.control.advance(60)
    yield running
    assert running.stop() == 0


@pytest.fixture(autouse=True)
def same_world(sandbox: Sandbox) -> Iterator[None]:
    """Every test finds the world as it was seeded."""
    taken = sandbox.control.snapshot()
    yield
    sandbox.control.restore(taken)


@pytest.fixture
def admin(source: Connection) -> Connection:
    return source


@pytest.fixture(scope="module")
def alice(sandbox: Sandbox) -> Connection:
    return connect(sandbox, "source-acme")


def server(cloud: Connection, name: str) -> Server:
    return next(one for one in cloud.compute.servers() if one.name == name)


def show(cloud: Connection, id: str, microversion: str) -> dict[str, Any]:
    answer = cloud.compute.get(f"/servers/{id}", microversion=microversion)
    assert answer.status_code == 200
    return dict(answer.json()["server"])


def names(cloud: Connection, query: str) -> list[str]:
    answer = cloud.compute.get(f"/servers/detail{query}", microversion="2.60")
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["servers"]]


def stopped(sandbox: Sandbox, cloud: Connection, id: str) -> None:
    cloud.compute.stop_server(id)
    sandbox.control.advance(9)


# What is shown.


def test_fields_come_with_their_microversion(admin: Connection, alice: Connection) -> None:
    id = server(alice, "db-1").id
    oldest = show(admin, id, "2.1")
    assert {"locked", "description", "tags", "OS-EXT-SRV-ATTR:user_data"}.isdisjoint(oldest)
    assert oldest["os-extended-volumes:volumes_attached"][0].keys() == {"id"}
    assert "id" in oldest["flavor"]
    newest = show(admin, id, "2.60")
    assert newest["flavor"] == {
        "vcpus": 2,
        "ram": 4096,
        "disk": 0,
        "ephemeral": 0,
        "swap": 0,
        "original_name": "m1.volume",
        "extra_specs": {},
    }
    assert (newest["locked"], newest["tags"], newest["image"], newest["config_drive"]) == (False, [], "", "")
    assert [one["delete_on_termination"] for one in newest["os-extended-volumes:volumes_attached"]] == [False, False]
    assert (newest["OS-EXT-SRV-ATTR:root_device_name"], newest["OS-EXT-SRV-ATTR:hostname"]) == ("/dev/vda", "db-1")
    assert "server_groups" not in newest


def test_tenants_do_not_see_where_a_server_runs(alice: Connection) -> None:
    shown = show(alice, server(alice, "db-1").id, "2.60")
    assert not [name for name in shown if name.startswith("OS-EXT-SRV-ATTR")]
    assert "host_status" not in shown
    assert shown["hostId"]


def test_addresses_name_fixed_and_floating_with_the_mac(alice: Connection) -> None:
    (entries,) = show(alice, server(alice, "web-1").id, "2.60")["addresses"].values()
    assert [one["OS-EXT-IPS:type"] for one in entries] == ["fixed", "floating"]
    assert entries[0]["addr"] == "10.10.1.11"
    (interface,) = alice.compute.server_interfaces(server(alice, "web-1").id)
    assert {one["OS-EXT-IPS-MAC:mac_addr"] for one in entries} == {interface.mac_addr}


def test_lists_belong_to_the_project_unless_all_are_asked_for(admin: Connection, alice: Connection) -> None:
    project = alice.current_project_id
    assert sorted(names(alice, "")) == ["db-1", "web-1", "web-2"]
    assert names(admin, "") == []
    assert names(admin, f"?project_id={project}") == []
    assert len(names(admin, f"?all_tenants=1&project_id={project}")) == 3
    assert names(admin, "?all_tenants=1&project_id=nobody") == []
    assert alice.compute.get("/servers/detail?all_tenants=1").status_code == 403


def test_filters(alice: Connection) -> None:
    assert sorted(names(alice, "?name=web")) == ["web-1", "web-2"]
    assert names(alice, "?name=^web-2$") == ["web-2"]
    assert len(names(alice, "?status=active")) == 3
    assert names(alice, "?status=SHUTOFF") == []
    assert alice.compute.get("/servers?status=nonsense", microversion="2.60").status_code == 400


def test_paging_and_order(alice: Connection) -> None:
    assert names(alice, "?sort_key=display_name&sort_dir=asc") == ["db-1", "web-1", "web-2"]
    first = alice.compute.get("/servers?limit=2&sort_key=display_name&sort_dir=asc").json()
    assert [one["name"] for one in first["servers"]] == ["db-1", "web-1"]
    (link,) = first["servers_links"]
    second = alice.compute.get(link["href"]).json()
    assert [one["name"] for one in second["servers"]] == ["web-2"]
    assert "servers_links" not in second
    assert len(list(alice.compute.servers(limit=1))) == 3
    assert alice.compute.get("/servers?marker=unknown").status_code == 400


def test_a_server_of_another_project_is_not_there(sandbox: Sandbox, admin: Connection, alice: Connection) -> None:
    admin.identity.create_project(name="other")
    admin.identity.create_user(name="eve", password="eve-secret")
    admin.identity.assign_project_role_to_user(
        admin.identity.find_project("other"), admin.identity.find_user("eve"), admin.identity.find_role("_member_")
    )
    eve = connect(sandbox, "source-acme", username="eve", password="eve-secret", project_name="other")
    with pytest.raises(NotFoundException):
        eve.compute.get_server(server(alice, "db-1").id)


def test_deleted_servers_are_the_administrators_to_list(sandbox: Sandbox, admin: Connection, alice: Connection) -> None:
    alice.compute.delete_server(server(alice, "web-2"))
    sandbox.control.advance(4)
    assert names(admin, "?all_tenants=1&deleted=true") == ["web-2"]
    assert "web-2" not in names(alice, "?deleted=true")
    assert alice.compute.get("/servers?status=deleted", microversion="2.60").status_code == 403


def test_tenants_filter_only_by_what_is_theirs_to_see(admin: Connection, alice: Connection) -> None:
    host = show(admin, server(alice, "web-1").id, "2.60")["OS-EXT-SRV-ATTR:host"]
    assert names(admin, f"?all_tenants=1&host={host}") == ["web-1"]
    assert len(names(alice, f"?host={host}")) == 3, "ignored"


def test_a_server_shows_a_security_group_per_port(alice: Connection) -> None:
    one = server(alice, "web-1")
    alice.compute.create_server_interface(one, net_id=next(alice.network.networks(name="app")).id)
    groups = show(alice, one.id, "2.60")["security_groups"]
    assert sorted(group["name"] for group in groups) == ["default", "web"]


# Power.


def test_a_stop_takes_its_time_and_keeps_everything_attached(sandbox: Sandbox, admin: Connection, alice: Connection) -> None:
    one = server(alice, "db-1")
    array = sandbox.control.dump()["ibox-a/luns"]
    alice.compute.stop_server(one)
    shown = show(alice, one.id, "2.60")
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("ACTIVE", "powering-off")
    with pytest.raises(ConflictException, match="task_state powering-off"):
        alice.compute.stop_server(one)
    sandbox.control.advance(9)
    shown = show(alice, one.id, "2.60")
    assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("SHUTOFF", 4)
    assert sandbox.control.dump()["ibox-a/luns"] == array
    volumes = [admin.block_storage.get_volume(one["id"]) for one in shown["os-extended-volumes:volumes_attached"]]
    assert [one.status for one in volumes] == ["in-use", "in-use"]
    port = next(alice.network.ports(device_id=one.id))
    assert (port.status, port.device_owner) == ("DOWN", "compute:nova")


def test_only_what_runs_stops_and_only_what_is_stopped_starts(sandbox: Sandbox, alice: Connection) -> None:
    one = server(alice, "web-2")
    with pytest.raises(ConflictException, match=r"Cannot 'start' instance .* vm_state active"):
        alice.compute.start_server(one)
    stopped(sandbox, alice, one.id)
    with pytest.raises(ConflictException, match=r"Cannot 'stop' instance .* vm_state stopped"):
        alice.compute.stop_server(one)
    alice.compute.start_server(one)
    sandbox.control.advance(7)
    assert alice.compute.get_server(one.id).status == "ACTIVE"
    assert next(alice.network.ports(device_id=one.id)).status == "ACTIVE"


def test_a_guest_that_does_not_react_is_killed_after_a_minute(sandbox: Sandbox, alice: Connection) -> None:
    sandbox.control.fault(world="deaf_guest", cloud="source", name="web-2")
    one = server(alice, "web-2")
    alice.compute.stop_server(one)
    sandbox.control.advance(50)
    assert alice.compute.get_server(one.id).task_state == "powering-off"
    sandbox.control.advance(11)
    assert alice.compute.get_server(one.id).status == "SHUTOFF"


@pytest.mark.parametrize(
    ("there", "back", "status"), [("pause_server", "unpause_server", "PAUSED"), ("suspend_server", "resume_server", "SUSPENDED")]
)
def test_pause_and_suspend(sandbox: Sandbox, alice: Connection, there: str, back: str, status: str) -> None:
    one = server(alice, "web-2")
    getattr(alice.compute, there)(one)
    sandbox.control.advance(7)
    assert alice.compute.get_server(one.id).status == status
    with pytest.raises(ConflictException):
        alice.compute.stop_server(one)
    getattr(alice.compute, back)(one)
    sandbox.control.advance(7)
    assert alice.compute.get_server(one.id).status == "ACTIVE"


def test_reset_state_is_the_administrators(admin: Connection, alice: Connection) -> None:
    one = server(alice, "web-2")
    with pytest.raises(ForbiddenException):
        alice.compute.reset_server_state(one, "error")
    admin.compute.reset_server_state(one, "error")
    assert alice.compute.get_server(one.id).status == "ERROR"
    with pytest.raises(ConflictException):
        alice.compute.set_server_metadata(one, a="b")


def test_unknown_actions(alice: Connection) -> None:
    answer = alice.compute.post(f"/servers/{server(alice, 'web-1').id}/action", json={"os-fly": None})
    assert (answer.status_code, answer.json()["badRequest"]["message"]) == (400, "There is no such action: os-fly")


# Locks.


def locked_out(alice: Connection, one: Server) -> None:
    attempts: list[Callable[[], Any]] = [
        lambda: alice.compute.stop_server(one),
        lambda: alice.compute.delete_server(one),
        lambda: alice.compute.set_server_metadata(one, a="b"),
        lambda: alice.compute.reboot_server(one, "HARD"),
    ]
    for attempt in attempts:
        with pytest.raises(ConflictException, match="is locked"):
            attempt()


def test_an_administrators_lock_cannot_be_undone_by_the_tenant(admin: Connection, alice: Connection) -> None:
    one = server(alice, "web-1")
    admin.compute.lock_server(one)
    assert show(alice, one.id, "2.9")["locked"] is True
    locked_out(alice, one)
    with pytest.raises(ForbiddenException, match="unlock_override"):
        alice.compute.unlock_server(one)
    admin.compute.set_server_metadata(one, **{"millpond.cut": "1"})
    admin.compute.stop_server(one)
    admin.compute.unlock_server(one)
    assert show(alice, one.id, "2.9")["locked"] is False


def test_a_lock_taken_in_the_tenants_own_scope_is_the_tenants(sandbox: Sandbox, admin: Connection, alice: Connection) -> None:
    one = server(alice, "web-1")
    acme = admin.identity.find_project("acme")
    admin.identity.assign_project_role_to_user(acme, admin.current_user_id, admin.identity.find_role("admin"))
    inside = connect(sandbox, "source-admin", project_name="acme")
    inside.compute.lock_server(one)
    locked_out(alice, one)
    alice.compute.unlock_server(one)
    assert show(alice, one.id, "2.9")["locked"] is False


def test_the_owners_lock_does_not_weaken_an_administrators(admin: Connection, alice: Connection) -> None:
    one = server(alice, "web-1")
    admin.compute.lock_server(one)
    alice.compute.lock_server(one)
    with pytest.raises(ForbiddenException):
        alice.compute.unlock_server(one)


# Metadata and tags.


def test_metadata(alice: Connection) -> None:
    one = server(alice, "web-1")
    alice.compute.set_server_metadata(one, a="1", b="2")
    assert alice.compute.get_server(one.id).metadata == {"role": "web", "a": "1", "b": "2"}
    alice.compute.delete_server_metadata(one, ["a"])
    assert alice.compute.get(f"/servers/{one.id}/metadata/a").status_code == 404
    path = f"/servers/{one.id}/metadata"
    assert alice.compute.put(path, json={"metadata": {"only": "x"}}).json()["metadata"] == {"only": "x"}
    assert alice.compute.put(f"{path}/k", json={"meta": {"k": "v"}}).json() == {"meta": {"k": "v"}}
    assert alice.compute.put(f"{path}/k", json={"meta": {"other": "v"}}).status_code == 400


@pytest.mark.parametrize("metadata", [{"a/b": "x"}, {"k" * 256: "x"}, {"k": "v" * 256}, {"k": 1}, {"": "x"}])
def test_metadata_that_nova_refuses(alice: Connection, metadata: dict[str, Any]) -> None:
    path = f"/servers/{server(alice, 'web-1').id}/metadata"
    assert alice.compute.post(path, json={"metadata": metadata}).status_code == 400


def test_metadata_has_a_quota(alice: Connection) -> None:
    path = f"/servers/{server(alice, 'web-1').id}/metadata"
    fitting = {f"k{number}": "v" for number in range(127)}
    assert alice.compute.post(path, json={"metadata": fitting}).status_code == 200
    answer = alice.compute.post(path, json={"metadata": {"more": "v"}})
    assert (answer.status_code, answer.json()["forbidden"]["message"]) == (403, "Maximum number of metadata items exceeds 128")


def test_tags(alice: Connection) -> None:
    one = server(alice, "web-1")
    alice.compute.add_tag_to_server(one, "shop")
    assert alice.compute.get_server(one.id).tags == ["shop"]
    assert names(alice, "?tags=shop") == ["web-1"]
    alice.compute.remove_tag_from_server(one, "shop")
    assert alice.compute.get(f"/servers/{one.id}/tags", microversion="2.26").json() == {"tags": []}
    assert alice.compute.get(f"/servers/{one.id}/tags", microversion="2.25").status_code == 404


def test_a_new_name_leaves_the_host_name(admin: Connection, alice: Connection) -> None:
    one = server(alice, "web-1")
    alice.compute.update_server(one, name="Front door", description="new")
    shown = show(admin, one.id, "2.60")
    assert (shown["name"], shown["description"], shown["OS-EXT-SRV-ATTR:hostname"]) == ("Front door", "new", "web-1")
    assert alice.compute.put(f"/servers/{one.id}", json={"server": {"hostname": "x1"}}, microversion="2.60").status_code == 400


# Volumes.


def test_attachments_name_devices_in_order(alice: Connection) -> None:
    one = server(alice, "db-1")
    assert [item.device for item in alice.compute.volume_attachments(one)] == ["/dev/vda", "/dev/vdb"]
    item = alice.compute.get(f"/servers/{one.id}/os-volume_attachments", microversion="2.60").json()["volumeAttachments"][0]
    assert item.keys() == {"id", "volumeId", "serverId", "device"}


def test_a_volume_comes_and_goes(sandbox: Sandbox, alice: Connection) -> None:
    one = server(alice, "web-1")
    volume = alice.block_storage.create_volume(size=1, name="late")
    sandbox.control.advance(3)
    attached = alice.compute.create_volume_attachment(one, volume_id=volume.id)
    assert attached.device == "/dev/vdb"
    with pytest.raises(BadRequestException):
        alice.compute.create_volume_attachment(server(alice, "web-2"), volume_id=volume.id)
    sandbox.control.advance(3)
    assert alice.block_storage.get_volume(volume.id).status == "in-use"
    alice.compute.delete_volume_attachment(one, volume.id)
    sandbox.control.advance(3)
    assert alice.block_storage.get_volume(volume.id).status == "available"
    assert len(list(alice.compute.volume_attachments(one))) == 1


def test_the_root_volume_stays(alice: Connection) -> None:
    one = server(alice, "web-1")
    (root,) = alice.compute.volume_attachments(one)
    with pytest.raises(BadRequestException, match="Cannot detach a root device volume"):
        alice.compute.delete_volume_attachment(one, root.volume_id)


def test_an_interface_comes_and_goes(alice: Connection) -> None:
    one, network = server(alice, "web-1"), next(alice.network.networks(name="app"))
    given = alice.network.create_port(network_id=network.id)
    alice.compute.create_server_interface(one, port_id=given.id)
    made = alice.compute.create_server_interface(one, net_id=network.id)
    assert len(show(alice, one.id, "2.60")["addresses"]["app"]) == 4
    with pytest.raises(ConflictException, match="still in use"):
        alice.compute.create_server_interface(server(alice, "web-2"), port_id=given.id)
    for port in (given.id, made.port_id):
        alice.compute.delete_server_interface(port, server=one)
    assert alice.network.get_port(given.id).device_id == ""
    with pytest.raises(NotFoundException):
        alice.network.get_port(made.port_id)


def test_deleting_a_server_keeps_what_it_was_given(sandbox: Sandbox, alice: Connection) -> None:
    one = server(alice, "db-1")
    port = next(alice.network.ports(device_id=one.id))
    volumes = [item.volume_id for item in alice.compute.volume_attachments(one)]
    alice.compute.delete_server(one)
    assert alice.compute.get_server(one.id).task_state == "deleting"
    sandbox.control.settings(speed=0)
    sandbox.control.advance(3)
    last = alice.compute.get_server(one.id)
    assert (last.status, last.vm_state, last.task_state) == ("DELETED", "deleted", None)
    alice.compute.delete_server(one)
    sandbox.control.advance(1)
    sandbox.control.settings(speed=50)
    with pytest.raises(NotFoundException):
        alice.compute.get_server(one.id)
    kept = alice.network.get_port(port.id)
    assert (kept.device_id, kept.device_owner, kept.mac_address) == ("", "", port.mac_address)
    assert {alice.block_storage.get_volume(id).status for id in volumes} == {"available"}
    mapped = {lun["volume"] for lun in sandbox.control.dump()["ibox-a/luns"]}
    assert len(mapped) == 2
    assert len(names(alice, "?deleted=true")) == 2, "tenants cannot ask for deleted servers"


def test_resize_is_confirmed_or_reverted(sandbox: Sandbox, alice: Connection) -> None:
    one, flavor = server(alice, "web-1"), alice.compute.find_flavor("m1.small")
    alice.compute.resize_server(one, flavor)
    sandbox.control.advance(11)
    assert alice.compute.get_server(one.id).status == "VERIFY_RESIZE"
    alice.compute.revert_server_resize(one)
    assert alice.compute.get_server(one.id).flavor["original_name"] == "m1.volume"
    alice.compute.resize_server(one, flavor)
    sandbox.control.advance(11)
    alice.compute.confirm_server_resize(one)
    shown = alice.compute.get_server(one.id)
    assert (shown.status, shown.flavor["original_name"]) == ("ACTIVE", "m1.small")


def test_what_was_done_is_recorded(alice: Connection) -> None:
    one = server(alice, "web-1")
    alice.compute.lock_server(one)
    assert [item.action for item in alice.compute.server_actions(one)] == ["lock", "create"]
