"""Cinder: volumes, snapshots, types, pools, quotas, manage and unmanage."""

from typing import Any

import pytest

from tests.contract.api import Api
from tests.contract.coverage import covers
from tests.contract.ground import NOWHERE, VOLUME_TYPE, Ground


def refused(ground: Ground, status: int, method: str, path: str, body: Any = None) -> str:
    answer = ground.admin.call(method, "block_storage", path, body)
    assert answer.status == status, (answer.status, answer.body)
    assert set(answer.body) == {{400: "badRequest", 403: "forbidden", 404: "itemNotFound", 413: "overLimit"}[status]}
    return answer.message


def act(ground: Ground, status: int, id: str, action: str, argument: Any = None) -> None:
    answer = ground.admin.call("POST", "block_storage", f"/volumes/{id}/action", {action: argument or {}})
    assert answer.status == status, (action, answer.status, answer.body)


@pytest.fixture
def volume(ground: Ground) -> str:
    """Available; shared by the tests that leave it as it was."""
    return ground.once("volume", ground.volume)


@covers("block_storage.create_volume", "block_storage.volumes", "block_storage.volume_action", "block_storage.delete_volume")
def test_a_volume_is_the_tenants_from_its_first_moment(ground: Ground) -> None:
    storage = ground.cloud.block_storage
    body = {
        "name": ground.name("volume"),
        "description": "d",
        "size": 2,
        "volume_type": VOLUME_TYPE,
        "metadata": {"a": "b", "millpond": "v"},
    }
    id = storage.create_volume(ground.project_id, body)
    ground.volume_is(id, "available")
    storage.volume_action(ground.project_id, id, "os-set_bootable", {"bootable": True})
    image = {"hw_disk_bus": "scsi", "os_distro": "debian"}
    storage.volume_action(ground.project_id, id, "os-set_image_metadata", {"metadata": image})
    [found] = [one for one in storage.volumes(ground.project_id) if one.id == id]
    assert (found.name, found.description, found.size, found.volume_type, found.status) == (body["name"], "d", 2, VOLUME_TYPE, "available")
    assert (found.bootable, found.multiattach, found.encrypted, found.attachments) == (True, False, False, ())
    assert {"a": "b"}.items() <= found.metadata.items()
    assert dict(found.image_metadata) == image
    assert "#" in found.host
    assert (found.user_id, found.group_id) == (ground.admin.user_id, "")
    assert found.name_id in ("", id)
    row = ground.show_volume(id)
    assert row["os-vol-tenant-attr:tenant_id"] == ground.project_id
    storage.delete_volume(ground.project_id, id)
    ground.gone("block_storage", f"/volumes/{id}")
    assert refused(ground, 404, "DELETE", f"/volumes/{id}") == f"Volume {id} could not be found."


def test_what_is_the_administrators_stays_hidden(ground: Ground, volume: str) -> None:
    row = ground.member.done("GET", "block_storage", f"/volumes/{volume}")["volume"]
    assert "os-vol-host-attr:host" not in row
    assert ground.stranger.get("block_storage", f"/volumes/{volume}").status == 404
    others = ground.stranger.done("GET", "block_storage", "/volumes/detail", all_tenants="1")["volumes"]
    assert volume not in [row["id"] for row in others]
    assert ground.stranger.get("block_storage", "/volumes/detail", project_id=ground.project_id).status == 400
    answer = ground.member.call("POST", "block_storage", f"/volumes/{volume}/action", {"os-reset_status": {"status": "maintenance"}})
    assert answer.status == 403


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"size": 0}, 400),
        ({"size": "big"}, 400),
        ({"volume_type": "no-such-type"}, 404),
        ({"availability_zone": "nowhere"}, 400),
        ({"metadata": {"k": "v" * 256}}, 400),
        ({"name": "n" * 256}, 400),
    ],
)
def test_volumes_that_cannot_be(ground: Ground, fields: dict[str, Any], status: int) -> None:
    body = {"size": 1, "volume_type": VOLUME_TYPE, **fields}
    answer = ground.owner.call("POST", "block_storage", "/volumes", {"volume": body})
    assert answer.status == status, answer


def test_paging_by_limit_and_marker_shows_each_once_newest_first(ground: Ground) -> None:
    made = [ground.volume() for _ in range(3)]
    where = {"all_tenants": "1", "project_id": ground.project_id}
    whole = [row["id"] for row in ground.admin.done("GET", "block_storage", "/volumes/detail", **where)["volumes"]]
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        answer = ground.admin.done("GET", "block_storage", "/volumes/detail", limit="2", **where, **marker)
        seen += [row["id"] for row in answer["volumes"]]
        if not any(link["rel"] == "next" for link in answer.body.get("volumes_links", ())):
            break
        marker = {"marker": seen[-1]}
    assert seen == whole
    times = [row["created_at"] for row in ground.admin.done("GET", "block_storage", "/volumes/detail", **where)["volumes"]]
    assert times == sorted(times, reverse=True)
    assert set(made) <= set(seen)
    assert ground.admin.get("block_storage", "/volumes/detail", marker=NOWHERE).status == 404


@covers("block_storage.set_volume_metadata", "block_storage.delete_volume_metadata", "block_storage.volumes")
def test_metadata_is_merged_and_taken_away_by_key(ground: Ground, volume: str) -> None:
    storage = ground.cloud.block_storage
    storage.set_volume_metadata(ground.project_id, volume, {"a": "1", "b": "2"})
    storage.set_volume_metadata(ground.project_id, volume, {"a": "3"})
    [found] = [one for one in storage.volumes(ground.project_id) if one.id == volume]
    assert found.metadata == {"a": "3", "b": "2"}
    storage.delete_volume_metadata(ground.project_id, volume, "a")
    storage.delete_volume_metadata(ground.project_id, volume, "b")
    assert ground.show_volume(volume)["metadata"] == {}
    refused(ground, 404, "DELETE", f"/volumes/{volume}/metadata/a")
    refused(ground, 404, "POST", f"/volumes/{NOWHERE}/metadata", {"metadata": {"a": "b"}})


@covers("block_storage.volume_action")
def test_maintenance_refuses_every_change(ground: Ground) -> None:
    id, storage = ground.volume(), ground.cloud.block_storage
    storage.volume_action(ground.project_id, id, "os-reset_status", {"status": "maintenance"})
    assert ground.show_volume(id)["status"] == "maintenance"
    act(ground, 400, id, "os-set_image_metadata", {"metadata": {"a": "b"}})
    act(ground, 400, id, "os-set_bootable", {"bootable": True})
    act(ground, 400, id, "os-extend", {"new_size": 2})
    act(ground, 400, id, "os-reserve")
    refused(ground, 400, "POST", f"/volumes/{id}/metadata", {"metadata": {"a": "b"}})
    refused(ground, 400, "PUT", f"/volumes/{id}", {"volume": {"name": "new"}})
    refused(ground, 400, "DELETE", f"/volumes/{id}")
    refused(ground, 400, "POST", "/snapshots", {"snapshot": {"volume_id": id}})
    storage.volume_action(ground.project_id, id, "os-reset_status", {"status": "available"})
    act(ground, 200, id, "os-set_bootable", {"bootable": True})


def test_reset_status_knows_its_words(ground: Ground, volume: str) -> None:
    act(ground, 400, volume, "os-reset_status", {"status": "perfect"})
    act(ground, 404, NOWHERE, "os-reset_status", {"status": "available"})
    act(ground, 400, volume, "os-fly")


def test_a_volume_in_use_stays(ground: Ground) -> None:
    id = ground.volume(bootable=True)
    server = ground.boot([id])
    row = ground.show_volume(id)
    assert (row["status"], [one["server_id"] for one in row["attachments"]]) == ("in-use", [server])
    refused(ground, 400, "DELETE", f"/volumes/{id}")
    act(ground, 400, id, "os-unmanage")
    act(ground, 400, id, "os-reserve")
    assert ground.show_volume(id)["status"] == "in-use"


@covers("block_storage.snapshots", "block_storage.delete_snapshot")
def test_a_snapshot_holds_its_volume(ground: Ground) -> None:
    id, storage, name = ground.volume(), ground.cloud.block_storage, ground.name("snapshot")
    body = {"snapshot": {"volume_id": id, "name": name}}
    snapshot = ground.owner.done("POST", "block_storage", "/snapshots", body)["snapshot"]["id"]
    path = f"/snapshots/{snapshot}"
    ground.subject.eventually(lambda: ground.admin.done("GET", "block_storage", path)["snapshot"]["status"] == "available", "the snapshot")
    [found] = [one for one in storage.snapshots(ground.project_id) if one.id == snapshot]
    assert (found.name, found.volume_id) == (name, id)
    refused(ground, 400, "DELETE", f"/volumes/{id}")
    act(ground, 400, id, "os-unmanage")
    storage.delete_snapshot(ground.project_id, snapshot)
    ground.gone("block_storage", path)
    assert refused(ground, 404, "DELETE", path) == f"Snapshot {snapshot} could not be found."
    ground.admin.done("DELETE", "block_storage", f"/volumes/{id}")
    ground.gone("block_storage", f"/volumes/{id}")


@covers("block_storage.volume_types", "block_storage.storage_pools")
def test_types_lead_to_pools(ground: Ground) -> None:
    storage = ground.cloud.block_storage
    [gold] = [one for one in storage.volume_types() if one.name == VOLUME_TYPE]
    assert gold.is_public
    [pool] = [one for one in storage.storage_pools() if one.backend == gold.extra_specs["volume_backend_name"]]
    assert pool.name.count("@") == 1
    assert pool.name.split("@")[1].partition("#")[2]
    assert pool.free_gib > 1
    assert ground.member.get("block_storage", "/scheduler-stats/get_pools", detail="True").status == 403


def test_private_types_are_listed_only_when_asked_for(ground: Ground) -> None:
    body = {"volume_type": {"name": ground.name("type"), "os-volume-type-access:is_public": False}}
    id = ground.admin.done("POST", "block_storage", "/types", body)["volume_type"]["id"]

    def listed(**query: str) -> bool:
        return id in [row["id"] for row in ground.admin.done("GET", "block_storage", "/types", **query)["volume_types"]]

    assert (listed(is_public="None"), listed(is_public="True")) == (True, False)
    first = ground.admin.done("GET", "block_storage", "/types", is_public="None", limit="1")
    assert [link["rel"] for link in first["volume_type_links"]] == ["next"]
    ground.admin.done("DELETE", "block_storage", f"/types/{id}")


@covers("block_storage.quota", "block_storage.update_quota")
def test_quotas_say_limit_and_use(ground: Ground) -> None:
    storage = ground.cloud.block_storage
    before = storage.quota(ground.project_id)
    ground.volume()
    after = storage.quota(ground.project_id)
    kinds = ("volumes", "gigabytes", f"volumes_{VOLUME_TYPE}", f"gigabytes_{VOLUME_TYPE}")
    assert [after.used[kind] - before.used[kind] for kind in kinds] == [1, 1, 1, 1]
    assert {"snapshots", "backups", "per_volume_gigabytes"} <= set(after.limits)
    storage.update_quota(ground.project_id, {"volumes": 199, f"volumes_{VOLUME_TYPE}": 198})
    changed = storage.quota(ground.project_id).limits
    assert (changed["volumes"], changed[f"volumes_{VOLUME_TYPE}"]) == (199, 198)
    storage.update_quota(ground.project_id, {f"volumes_{VOLUME_TYPE}": -1})
    assert ground.member.call("PUT", "block_storage", f"/os-quota-sets/{ground.project_id}", {"quota_set": {"volumes": 1000}}).status == 403


def test_what_exceeds_a_quota_is_413(ground: Ground) -> None:
    path = f"/os-quota-sets/{ground.other_project_id}"
    used = ground.admin.done("GET", "block_storage", path, usage="True")["quota_set"]["volumes"]["in_use"]
    ground.admin.done("PUT", "block_storage", path, {"quota_set": {"volumes": used}})
    body = {"volume": {"size": 1, "volume_type": VOLUME_TYPE}}
    answer = ground.stranger.call("POST", "block_storage", "/volumes", body)
    assert (answer.status, set(answer.body)) == (413, {"overLimit"})
    assert f"VolumeLimitExceeded: Maximum number of volumes allowed ({used}) exceeded for quota 'volumes'." in answer.message
    used = ground.admin.done("GET", "block_storage", path, usage="True")["quota_set"]["gigabytes"]["in_use"]
    ground.admin.done("PUT", "block_storage", path, {"quota_set": {"volumes": 200, "gigabytes": used}})
    answer = ground.stranger.call("POST", "block_storage", "/volumes", body)
    ground.admin.done("PUT", "block_storage", path, {"quota_set": {"gigabytes": 1000}})
    assert (answer.status, set(answer.body)) == (413, {"overLimit"})
    assert "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota." in answer.message


def test_a_quota_below_use_is_taken_once(ground: Ground) -> None:
    """Only where the project has a limit of its own already it is held against what is used."""
    project = ground.new_project("crowded")
    ground.grant(project, ground.admin.user_id, "admin")
    owner = Api(ground.subject.login(ground.side, project_name="", project_id=project, project_domain_name="", project_domain_id=""))
    volume = ground.volume(owner, size=2)
    path = f"/os-quota-sets/{project}"
    assert ground.admin.done("PUT", "block_storage", path, {"quota_set": {"gigabytes": 1}})["quota_set"]["gigabytes"] == 1
    said = "Quota gigabytes limit must be equal or greater than existing resources. Current usage is 2 and the requested limit is 0."
    assert refused(ground, 400, "PUT", path, {"quota_set": {"gigabytes": 0}}) == said
    refused(ground, 400, "PUT", path, {"quota_set": {"gigabytes": 1}})
    for limit in (2, -1):
        assert ground.admin.done("PUT", "block_storage", path, {"quota_set": {"gigabytes": limit}})["quota_set"]["gigabytes"] == limit
    answer = ground.admin.done("PUT", "block_storage", path, {"quota_set": {"volumes": 0, "per_volume_gigabytes": 1}})
    assert answer["quota_set"]["volumes"] == 0
    owner.done("DELETE", "block_storage", f"/volumes/{volume}")
    ground.gone("block_storage", f"/volumes/{volume}")


def managing(ground: Ground, host: str) -> None:
    """Old drivers cannot."""
    if ground.admin.get("block_storage", "/manageable_volumes", host=host).status != 200:
        pytest.skip("this Cinder's driver does not manage existing volumes")


@covers("block_storage.manage_volume", "block_storage.volume_action", "block_storage.delete_volume")
def test_what_is_unmanaged_can_be_managed_again(ground: Ground) -> None:
    storage, first = ground.cloud.block_storage, ground.volume()
    host = ground.show_volume(first)["os-vol-host-attr:host"]
    managing(ground, host)
    storage.volume_action(ground.project_id, first, "os-unmanage", {})
    ground.gone("block_storage", f"/volumes/{first}")
    body = {
        "host": host,
        "ref": {"source-name": f"openstack-vol-{first}"},
        "name": ground.name("managed"),
        "description": "d",
        "volume_type": VOLUME_TYPE,
        "bootable": True,
        "metadata": {"millpond": "m"},
    }
    second = storage.manage_volume(ground.project_id, body)
    assert second != first
    row = ground.volume_is(second, "available")
    assert (row["name"], row["description"], row["size"], row["volume_type"], row["bootable"]) == (
        body["name"],
        "d",
        1,
        VOLUME_TYPE,
        "true",
    )
    assert row["metadata"]["millpond"] == "m"
    assert row["os-vol-tenant-attr:tenant_id"] == ground.project_id
    storage.delete_volume(ground.project_id, second)
    ground.gone("block_storage", f"/volumes/{second}")


def test_manage_refuses(ground: Ground, volume: str) -> None:
    host = ground.show_volume(volume)["os-vol-host-attr:host"]
    good = {"host": host, "ref": {"source-name": "openstack-vol-x"}, "volume_type": VOLUME_TYPE}
    for wrong, status in (
        ({"colour": "red"}, 400),
        ({"ref": 5}, 400),
        ({"volume_type": "no-such-type"}, 400),
        ({"host": "nobody@nowhere#x"}, 400),
    ):
        answer = ground.owner.call("POST", "block_storage", "/manageable_volumes", {"volume": {**good, **wrong}})
        assert answer.status == status, (wrong, answer)
    assert ground.owner.get("block_storage", "/manageable_volumes", host="nobody@nowhere#x").status == 404
    answer = ground.member.call("POST", "block_storage", "/manageable_volumes", {"volume": good})
    assert answer.status == 403


def test_what_is_not_on_the_array_ends_in_an_error(ground: Ground, volume: str) -> None:
    body = {
        "host": ground.show_volume(volume)["os-vol-host-attr:host"],
        "ref": {"source-name": ground.name("nothing")},
        "volume_type": VOLUME_TYPE,
    }
    answer = ground.owner.done("POST", "block_storage", "/manageable_volumes", {"volume": body})
    id = answer["volume"]["id"]
    assert answer["volume"]["status"] == "creating"
    ground.subject.eventually(lambda: ground.show_volume(id)["status"] != "creating", "an end")
    assert ground.show_volume(id)["status"] == "error"
    managing(ground, body["host"])
    act(ground, 202, id, "os-unmanage")  # the driver looks for what it is to take its marks off
    ground.subject.eventually(lambda: ground.show_volume(id)["status"] == "error_unmanaging", "error_unmanaging")
