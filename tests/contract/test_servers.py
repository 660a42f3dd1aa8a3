"""Nova: reading servers."""

from typing import Any

import pytest

from millpond.model.secret import Secret
from tests.contract.coverage import covers
from tests.contract.ground import NOWHERE, Ground

USER_DATA = "I2Nsb3VkLWNvbmZpZwo="


def rows(ground: Ground, **query: Any) -> list[dict[str, Any]]:
    return list(ground.admin.done("GET", "compute", "/servers/detail", all_tenants="1", project_id=ground.project_id, **query)["servers"])


@covers("compute.create_server", "compute.servers", "compute.server", "compute.user_data")
def test_a_server_reads_as_it_was_asked_for(ground: Ground) -> None:
    compute, nics = ground.cloud.compute, [ground.port(), ground.port()]
    volumes = [ground.volume(bootable=True), ground.volume()]
    fields: dict[str, Any] = {"description": "d", "metadata": {"role": "web"}, "tags": ["b", "a"], "config_drive": True}
    body = ground.server_body(volumes, [one["id"] for one in nics], **fields)
    id = compute.create_server(ground.project_id, body, {}, Secret(USER_DATA))
    ground.server_is(id, "ACTIVE")
    found = compute.server(id)
    assert found is not None
    [listed] = [one for one in compute.servers(ground.project_id) if one.id == id]
    assert listed == found
    assert (found.name, found.description, found.metadata, found.tags) == (body["name"], "d", {"role": "web"}, ("a", "b"))
    assert (found.status, found.vm_state, found.task_state, found.locked, found.config_drive) == ("ACTIVE", "active", "", False, True)
    assert found.nic_macs == tuple(one["mac_address"] for one in nics)
    assert [one.volume_id for one in found.volumes] == volumes
    assert {one.delete_on_termination for one in found.volumes} == {False}
    assert (found.flavor.vcpus, found.flavor.ram, found.flavor.disk, found.flavor.id) == (1, 64, 0, "")
    assert (found.user_id, found.image_id, found.key_name, found.fault) == (ground.admin.user_id, "", "", "")
    assert found.launched_at
    assert found.hostname
    secret = compute.user_data(id)
    assert secret is not None
    assert secret.reveal() == USER_DATA
    devices = [ground.show_volume(volume)["attachments"][0]["device"] for volume in volumes]
    assert [name[:-1] for name in devices] == [found.root_device_name[:-1]] * 2  # /dev/vd or /dev/sd: the hypervisor's choice
    assert ([name[-1] for name in devices], found.root_device_name) == (["a", "b"], devices[0])


@covers("compute.server")
def test_no_such_server(ground: Ground) -> None:
    refused = ground.admin.get("compute", f"/servers/{NOWHERE}")
    assert (refused.status, set(refused.body)) == (404, {"itemNotFound"})
    assert refused.message == f"Instance {NOWHERE} could not be found."
    assert ground.cloud.compute.server(NOWHERE) is None


@pytest.fixture
def three(ground: Ground) -> list[str]:
    """Servers, in the order of their birth; shared by the tests of this file."""
    return ground.once("three", lambda: [ground.small_server() for _ in range(3)])


def test_the_newest_server_comes_first(ground: Ground, three: list[str]) -> None:
    found = [row for row in rows(ground) if row["id"] in three]
    assert [row["created"] for row in found] == sorted((row["created"] for row in found), reverse=True)


def test_paging_by_limit_and_marker_shows_each_once(ground: Ground, three: list[str]) -> None:
    whole = [row["id"] for row in rows(ground)]
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        answer = ground.admin.done("GET", "compute", "/servers/detail", all_tenants="1", project_id=ground.project_id, limit="1", **marker)
        seen += [row["id"] for row in answer["servers"]]
        if not any(link["rel"] == "next" for link in answer.body.get("servers_links", ())):
            break
        marker = {"marker": seen[-1]}
    assert seen == whole
    assert set(three) <= set(seen)


def test_a_marker_that_is_not_there_is_400(ground: Ground) -> None:
    refused = ground.admin.get("compute", "/servers/detail", marker=NOWHERE)
    assert (refused.status, set(refused.body)) == (400, {"badRequest"})


def test_the_tenant_sees_its_own_without_what_is_the_administrators(ground: Ground, three: list[str]) -> None:
    found = {row["id"]: row for row in ground.member.done("GET", "compute", "/servers/detail")["servers"]}
    assert set(three) <= set(found)
    assert "OS-EXT-SRV-ATTR:user_data" not in found[three[0]]
    assert "OS-EXT-SRV-ATTR:host" not in found[three[0]]
    assert ground.stranger.done("GET", "compute", "/servers")["servers"] == []
    assert ground.stranger.get("compute", f"/servers/{three[0]}").status == 404
    assert ground.member.get("compute", "/servers/detail", all_tenants="1").status == 403


def test_filters_of_name_and_status(ground: Ground, three: list[str]) -> None:
    name = ground.show_server(three[1])["name"]
    assert [row["id"] for row in rows(ground, name=f"^{name}$")] == [three[1]]
    assert rows(ground, status="ERROR") == []


def test_changes_since_shows_what_was_deleted(ground: Ground, three: list[str]) -> None:
    id, born = ground.small_server(), ground.show_server(three[0])["created"]
    ground.admin.done("DELETE", "compute", f"/servers/{id}")
    ground.gone("compute", f"/servers/{id}")
    found = {row["id"]: row["status"] for row in rows(ground, **{"changes-since": born})}
    assert found[id] == "DELETED"
    assert id not in [row["id"] for row in rows(ground)]


@covers("compute.rename_server")
def test_a_new_name_leaves_the_hostname(ground: Ground, three: list[str]) -> None:
    before, name = ground.show_server(three[2]), ground.name("renamed")
    ground.cloud.compute.rename_server(three[2], name)
    after = ground.show_server(three[2])
    assert (after["name"], after["OS-EXT-SRV-ATTR:hostname"]) == (name, before["OS-EXT-SRV-ATTR:hostname"])
    refused = ground.admin.call("PUT", "compute", f"/servers/{three[2]}", {"server": {"status": "ERROR"}})
    assert (refused.status, set(refused.body)) == (400, {"badRequest"})


@covers("compute.set_server_metadata", "compute.delete_server_metadata")
def test_metadata_is_merged_and_taken_away_by_key(ground: Ground, three: list[str]) -> None:
    compute, id = ground.cloud.compute, three[0]
    compute.set_server_metadata(id, {"a": "1", "millpond:run": "r"})
    compute.set_server_metadata(id, {"a": "2"})
    assert ground.show_server(id)["metadata"] == {"a": "2", "millpond:run": "r"}
    compute.delete_server_metadata(id, "millpond:run")
    compute.delete_server_metadata(id, "a")
    assert ground.show_server(id)["metadata"] == {}
    gone = ground.admin.call("DELETE", "compute", f"/servers/{id}/metadata/a")
    assert (gone.status, gone.message) == (404, "Metadata item was not found")
    long = ground.admin.call("POST", "compute", f"/servers/{id}/metadata", {"metadata": {"k" * 256: "v"}})
    assert long.status == 400
    number = ground.admin.call("POST", "compute", f"/servers/{id}/metadata", {"metadata": {"k": 1}})
    assert number.status == 400
    assert ground.admin.call("POST", "compute", f"/servers/{NOWHERE}/metadata", {"metadata": {"k": "v"}}).status == 404


def test_metadata_has_a_quota(ground: Ground, three: list[str]) -> None:
    limit = ground.admin.done("GET", "compute", f"/os-quota-sets/{ground.project_id}")["quota_set"]["metadata_items"]
    many = {f"k{at}": "v" for at in range(limit + 1)}
    refused = ground.admin.call("POST", "compute", f"/servers/{three[0]}/metadata", {"metadata": many})
    assert (refused.status, set(refused.body)) == (403, {"forbidden"})
