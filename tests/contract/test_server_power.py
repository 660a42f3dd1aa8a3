"""Nova: stopping, starting and locking."""

from collections.abc import Iterator

import pytest

from tests.contract.coverage import covers
from tests.contract.ground import Ground

LOCKS = ("lock", "unlock")


@pytest.fixture
def server(ground: Ground) -> Iterator[str]:
    """One server, of which each test finds and leaves an ACTIVE and unlocked one."""
    id = ground.once("powered", lambda: ground.boot([ground.volume(bootable=True)], [ground.port()["id"]]))
    yield id
    ground.act_on_server(id, "unlock")
    if ground.show_server(id)["status"] == "SHUTOFF":
        ground.act_on_server(id, "os-start")
    ground.server_is(id, "ACTIVE")


@covers("compute.server_action", "compute.server")
def test_a_stopped_server_keeps_what_it_has(ground: Ground, server: str) -> None:
    before = ground.cloud.compute.server(server)
    assert before is not None
    ground.cloud.compute.server_action(server, "os-stop")
    ground.server_is(server, "SHUTOFF")
    after = ground.cloud.compute.server(server)
    assert after is not None
    assert (after.vm_state, after.task_state) == ("stopped", "")
    assert (after.volumes, after.nic_macs) == (before.volumes, before.nic_macs)
    [volume] = before.volumes
    assert ground.show_volume(volume.volume_id)["status"] == "in-use"
    refused = ground.act_on_server(server, "os-stop")
    assert (refused.status, set(refused.body)) == (409, {"conflictingRequest"})
    assert refused.message == f"Cannot 'stop' instance {server} while it is in vm_state stopped"
    ground.cloud.compute.server_action(server, "os-start")
    ground.server_is(server, "ACTIVE")
    refused = ground.act_on_server(server, "os-start")
    assert (refused.status, refused.message) == (409, f"Cannot 'start' instance {server} while it is in vm_state active")


@covers("compute.server_action", "compute.set_server_metadata", "compute.delete_server_metadata")
def test_under_an_administrators_lock_the_tenant_can_do_nothing(ground: Ground, server: str) -> None:
    ground.cloud.compute.server_action(server, "lock")
    assert ground.show_server(server)["locked"] is True
    path = f"/servers/{server}/metadata"
    attempts = [
        ground.act_on_server(server, "os-stop", api=ground.member),
        ground.act_on_server(server, "reboot", {"type": "SOFT"}, api=ground.member),
        ground.member.call("POST", "compute", path, {"metadata": {"mine": "1"}}),
        ground.member.call("DELETE", "compute", f"/servers/{server}"),
    ]
    assert [(one.status, one.message) for one in attempts] == [(409, f"Instance {server} is locked")] * 4
    assert ground.act_on_server(server, "unlock", api=ground.member).status == 403
    ground.cloud.compute.set_server_metadata(server, {"millpond:record": "r"})
    assert ground.show_server(server)["metadata"]["millpond:record"] == "r"
    assert ground.member.call("DELETE", "compute", f"{path}/millpond:record").status == 409
    ground.cloud.compute.delete_server_metadata(server, "millpond:record")
    ground.cloud.compute.server_action(server, "os-stop")
    ground.server_is(server, "SHUTOFF")
    assert ground.act_on_server(server, "os-start", api=ground.member).status == 409
    ground.cloud.compute.server_action(server, "unlock")
    assert ground.show_server(server)["locked"] is False


def test_locks_can_be_taken_and_given_twice(ground: Ground, server: str) -> None:
    assert [ground.act_on_server(server, action).status for action in ("lock", "lock", "unlock", "unlock")] == [202] * 4


@covers("compute.server_action")
def test_a_lock_with_the_projects_own_token_is_the_owners(ground: Ground, server: str) -> None:
    ground.cloud.compute.server_action(server, "lock", project_id=ground.project_id)
    assert ground.act_on_server(server, "os-stop", api=ground.member).status == 409
    assert ground.act_on_server(server, "unlock", api=ground.member).status == 202
    assert ground.show_server(server)["locked"] is False


def test_the_tenants_own_lock_does_not_hold_the_administrator(ground: Ground, server: str) -> None:
    assert ground.act_on_server(server, "lock", api=ground.member).status == 202
    assert ground.act_on_server(server, "os-stop").status == 202
    ground.server_is(server, "SHUTOFF")
    assert ground.act_on_server(server, "unlock").status == 202


@pytest.mark.parametrize("action", [*LOCKS, "os-stop", "os-start"])
def test_nobody_acts_on_another_projects_server(ground: Ground, server: str, action: str) -> None:
    assert ground.act_on_server(server, action, api=ground.stranger).status == 404


def test_actions_that_nova_does_not_know(ground: Ground, server: str) -> None:
    assert ground.act_on_server(server, "os-fly").status == 400
    refused = ground.admin.call("POST", "compute", f"/servers/{server}/action", {"os-stop": None, "lock": None})
    assert refused.status == 400
    absent = ground.act_on_server("00000000-0000-0000-0000-000000000000", "os-stop")
    assert (absent.status, set(absent.body)) == (404, {"itemNotFound"})


def test_the_root_disk_of_a_server_stays(ground: Ground, server: str) -> None:
    [volume] = ground.show_server(server)["os-extended-volumes:volumes_attached"]
    refused = ground.admin.call("DELETE", "compute", f"/servers/{server}/os-volume_attachments/{volume['id']}")
    assert refused.status in (400, 403)  # 403 on old Novas
    assert ground.show_volume(volume["id"])["status"] == "in-use"
