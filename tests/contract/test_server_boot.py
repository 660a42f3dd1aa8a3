"""Nova: what a boot takes, reserves and refuses, and what is left when a server goes."""

from typing import Any

import pytest

from millpond.errors import Refused
from tests.contract.coverage import covers
from tests.contract.ground import NOWHERE, Ground


@pytest.fixture
def volume(ground: Ground) -> str:
    """Bootable and available; shared by the tests that do not get to use it."""
    id = ground.once("untaken", lambda: ground.volume(bootable=True))
    assert ground.show_volume(id)["status"] == "available"
    return id


def refused(ground: Ground, status: int, volumes: list[str], ports: list[str] | None = None, **fields: Any) -> str:
    answer = ground.post_server(volumes, ports, **fields)
    assert answer.status == status, answer
    assert set(answer.body) == {{400: "badRequest", 403: "forbidden", 409: "conflictingRequest"}[status]}
    return answer.message


def test_a_boot_reserves_its_volumes_before_it_answers(ground: Ground) -> None:
    volumes = [ground.volume(bootable=True), ground.volume()]
    answer = ground.post_server(volumes)
    assert answer.status == 202
    assert {ground.show_volume(id)["status"] for id in volumes} <= {"reserved", "attaching", "in-use"}
    said = refused(ground, 400, [volumes[0]])
    assert "status must be available" in said
    ground.server_is(answer["server"]["id"], "ACTIVE")
    said = refused(ground, 400, [volumes[0]])
    assert "status must be available" in said
    assert {ground.show_volume(id)["status"] for id in volumes} == {"in-use"}


def test_a_refused_boot_keeps_what_it_had_reserved(ground: Ground) -> None:
    """Nova takes nothing back: a volume before the one that is refused stays reserved for a server that never was."""
    root, taken = ground.volume(bootable=True), ground.volume()
    ground.post_server([ground.volume(bootable=True), taken])
    refused(ground, 400, [root, taken])
    assert (ground.show_volume(root)["status"], ground.show_volume(root)["attachments"]) == ("reserved", [])
    refused(ground, 400, [root])
    ground.act_on_volume(root, "os-reset_status", {"status": "available"})
    ground.server_is(ground.post_server([root])["server"]["id"], "ACTIVE")


def test_a_volume_in_maintenance_boots_nothing(ground: Ground) -> None:
    id = ground.volume(bootable=True)
    ground.act_on_volume(id, "os-reset_status", {"status": "maintenance"})
    assert "status must be available" in refused(ground, 400, [id])


def test_what_is_not_bootable_boots_nothing(ground: Ground) -> None:
    id = ground.volume()
    assert refused(ground, 400, [id]) == f"Block Device {id} is not bootable."


def test_a_volume_that_is_not_there(ground: Ground) -> None:
    assert refused(ground, 400, [NOWHERE]) == f"Block Device Mapping is Invalid: failed to get volume {NOWHERE}."


def test_a_port_that_is_not_there(ground: Ground, volume: str) -> None:
    assert refused(ground, 400, [volume], [NOWHERE]) == f"Port id {NOWHERE} could not be found."


def test_a_port_that_another_server_has(ground: Ground, volume: str) -> None:
    port = ground.port()["id"]
    ground.boot([ground.volume(bootable=True)], [port])
    assert refused(ground, 409, [volume], [port]) == f"Port {port} is still in use."
    assert ground.show_volume(volume)["status"] == "available"


def test_a_port_of_another_project_is_no_port_to_the_tenant(ground: Ground, volume: str) -> None:
    """Unless it is on the tenant's own network, whose owner sees all of its ports."""
    net = ground.network(project_id=ground.other_project_id)[0]
    foreign = ground.port(project_id=ground.other_project_id, network_id=net)["id"]
    answer = ground.post_server([volume], [foreign], api=ground.member)
    assert (answer.status, answer.message) == (400, f"Port id {foreign} could not be found.")


@pytest.mark.parametrize("who", ["owner", "member"])
def test_a_boot_with_a_port_of_another_project_that_is_seen_fails_later(ground: Ground, who: str) -> None:
    """Nova looks whose port it is when it builds."""
    id, foreign = ground.volume(bootable=True), ground.port(project_id=ground.other_project_id)["id"]
    answer = ground.post_server([id], [foreign], api=getattr(ground, who))
    assert answer.status == 202, answer

    def failed() -> bool:
        return bool(ground.show_server(answer["server"]["id"])["status"] == "ERROR")

    ground.subject.eventually(failed, "the boot fails")
    found = ground.admin.done("GET", "network", f"/ports/{foreign}")["port"]
    assert found["device_id"] == ""
    ground.admin.done("DELETE", "compute", f"/servers/{answer['server']['id']}")
    ground.gone("compute", f"/servers/{answer['server']['id']}")
    ground.volume_is(id, "available")


def test_a_port_without_an_address(ground: Ground, volume: str) -> None:
    port = ground.port(fixed_ips=[])["id"]
    said = refused(ground, 400, [volume], [port])
    assert said == f"Port {port} requires a FixedIP in order to be used."


def test_a_flavor_that_is_not_there(ground: Ground, volume: str) -> None:
    assert refused(ground, 400, [volume], flavorRef="no-such-flavor") == "Flavor no-such-flavor could not be found."


def test_a_key_is_looked_up_among_the_callers_own(ground: Ground, volume: str) -> None:
    assert refused(ground, 400, [volume], key_name="no-such-key") == "Invalid key_name provided."


def test_a_server_group_that_is_not_there(ground: Ground, volume: str) -> None:
    body = {"server": ground.server_body([volume], []), "os:scheduler_hints": {"group": NOWHERE}}
    answer = ground.owner.call("POST", "compute", "/servers", body)
    assert answer.status == 400


@pytest.mark.parametrize(
    "fields",
    [{"colour": "red"}, {"config_drive": ""}, {"hostname": "h"}, {"metadata": {"a": 1}}, {"user_data": "not base64!"}, {"name": ""}],
)
def test_what_the_schema_does_not_know(ground: Ground, volume: str, fields: dict[str, Any]) -> None:
    refused(ground, 400, [volume], **fields)


def test_the_quota_of_servers(ground: Ground) -> None:
    path = f"/os-quota-sets/{ground.other_project_id}"
    ground.admin.done("PUT", "compute", path, {"quota_set": {"instances": 0, "force": True}})
    answer = ground.stranger.call(
        "POST", "compute", "/servers", {"server": ground.server_body([ground.volume(ground.stranger, bootable=True)], [])}
    )
    ground.admin.done("PUT", "compute", path, {"quota_set": {"instances": 100, "force": True}})
    assert (answer.status, set(answer.body)) == (403, {"forbidden"})
    assert answer.message == "Quota exceeded for instances: Requested 1, but already used 0 of 0 instances"


@covers("compute.delete_server")
def test_a_deleted_server_leaves_ports_and_volumes_that_were_there_before(ground: Ground) -> None:
    port, id = ground.port(), ground.volume(bootable=True)
    server = ground.boot([id], [port["id"]])
    bound = ground.admin.done("GET", "network", f"/ports/{port['id']}")["port"]
    assert (bound["device_id"], bound["device_owner"].split(":")[0]) == (server, "compute")
    assert bound["binding:host_id"]
    ground.subject.eventually(
        lambda: ground.admin.done("GET", "network", f"/ports/{port['id']}")["port"]["status"] == "ACTIVE", "the port is ACTIVE"
    )
    ground.cloud.compute.delete_server(server)
    ground.gone("compute", f"/servers/{server}")
    again = ground.admin.call("DELETE", "compute", f"/servers/{server}")
    assert (again.status, again.message) == (404, f"Instance {server} could not be found.")
    ground.volume_is(id, "available")
    left = ground.admin.done("GET", "network", f"/ports/{port['id']}")["port"]
    assert (left["device_id"], left["device_owner"], left["binding:host_id"], left["mac_address"]) == ("", "", "", port["mac_address"])
    assert left["fixed_ips"] == port["fixed_ips"]
    second = ground.boot([id], [port["id"]])
    assert ground.show_server(second)["addresses"]


@covers("compute.set_delete_on_termination", "compute.server")
def test_a_volume_that_dies_with_its_server(ground: Ground) -> None:
    if ground.compute_version < (2, 85):
        id, server = NOWHERE, ground.small_server()
        body = {"volumeAttachment": {"volumeId": id, "delete_on_termination": True}}
        assert ground.admin.call("PUT", "compute", f"/servers/{server}/os-volume_attachments/{id}", body, version="2.85").status == 406
        with pytest.raises(Refused, match=r"2\.85"):
            ground.cloud.compute.set_delete_on_termination(server, id, True)
        assert ground.cloud.compute.server(server) is not None
        return
    kept, dying = ground.volume(bootable=True), ground.volume()
    server = ground.boot([kept, dying])
    ground.cloud.compute.set_delete_on_termination(server, dying, True)
    found = ground.cloud.compute.server(server)
    assert found is not None
    assert {one.volume_id: one.delete_on_termination for one in found.volumes} == {kept: False, dying: True}
    path = f"/servers/{server}/os-volume_attachments/{NOWHERE}"
    absent = ground.admin.call(
        "PUT", "compute", path, {"volumeAttachment": {"volumeId": NOWHERE, "delete_on_termination": True}}, version="2.85"
    )
    assert absent.status == 404
    ground.admin.done("DELETE", "compute", f"/servers/{server}")
    ground.gone("compute", f"/servers/{server}")
    ground.volume_is(kept, "available")
    ground.gone("block_storage", f"/volumes/{dying}")
