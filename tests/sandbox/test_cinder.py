"""Cinder as the real client meets it: statuses, refusals, quotas, and what stays behind on the array."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from openstack.connection import Connection
from openstack.exceptions import HttpException

from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox, start_sandbox

GIB = 2**30


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="small", speed=0.001)
    yield running
    assert running.stop() == 0


@pytest.fixture(autouse=True)
def same_world(sandbox: Sandbox) -> Iterator[None]:
    taken = sandbox.control.snapshot()
    yield
    sandbox.control.restore(taken)


@pytest.fixture(scope="module")
def alice(sandbox: Sandbox) -> Connection:
    """A member of the tenant on the old cloud."""
    return connect(sandbox, "source-acme")


def call(cloud: Connection, method: str, path: str, document: Any = None, version: str = "3.50") -> requests.Response:
    return cloud.block_storage.request(path, method, json=document, microversion=version, raise_exc=False)  # type: ignore[no-any-return]


def create(cloud: Connection, sandbox: Sandbox, **fields: Any) -> dict[str, Any]:
    """A new volume that has become available."""
    answer = call(cloud, "POST", "/volumes", {"volume": {"size": 1, "volume_type": "gold", **fields}})
    assert answer.status_code == 202, answer.text
    assert answer.json()["volume"]["status"] == "creating"
    sandbox.control.advance(2)
    row = show(cloud, answer.json()["volume"]["id"])
    assert row["status"] == "available"
    return row


def show(cloud: Connection, id: str, version: str = "3.50") -> dict[str, Any]:
    answer = call(cloud, "GET", f"/volumes/{id}", version=version)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["volume"])


def act(cloud: Connection, id: str, action: str, document: Any = None) -> requests.Response:
    return call(cloud, "POST", f"/volumes/{id}/action", {action: document or {}}, version="3.42")


def tenant_volume(cloud: Connection, name: str) -> dict[str, Any]:
    rows = call(cloud, "GET", f"/volumes/detail?all_tenants=1&name={name}").json()["volumes"]
    assert len(rows) == 1
    return dict(rows[0])


def on_array(sandbox: Sandbox, array: str, name: str) -> dict[str, Any] | None:
    rows = sandbox.control.dump()[f"{array}/volumes"]
    return next((row for row in rows if row["name"] == name), None)


def test_versions_tell_the_release(source: Connection, target: Connection, sandbox: Sandbox) -> None:
    assert source.block_storage.get_endpoint_data().max_microversion == (3, 50)
    assert target.block_storage.get_endpoint_data().max_microversion == (3, 70)
    assert call(source, "GET", "/volumes", version="3.51").status_code == 406
    assert requests.get(f"{sandbox.urls['source']}/volume/", timeout=5).json()["versions"][0]["version"] == "3.50"


def test_a_new_volume_is_on_the_array_as_the_driver_makes_it(target: Connection, sandbox: Sandbox) -> None:
    row = create(target, sandbox, name="disk", metadata={"millpond:source": "1"})
    made = on_array(sandbox, "ibox-b", f"openstack-vol-{row['id']}")
    assert made is not None
    assert (made["size"], made["provtype"]) == (GIB, "THIN")
    marks = {one["key"]: one["value"] for one in sandbox.control.dump()["ibox-b/metadata"] if one["object"] == made["id"]}
    assert (marks["system"], marks["cinder_id"], marks["cinder_name"]) == ("openstack", row["id"], f"volume-{row['id']}")
    assert row["metadata"] == {"millpond:source": "1"}
    assert row["os-vol-host-attr:host"] == "target-controller-0@pool-b1#pool-b1"


def test_maintenance_refuses_every_change(target: Connection, sandbox: Sandbox) -> None:
    id = create(target, sandbox)["id"]
    assert act(target, id, "os-set_image_metadata", {"metadata": {"hw_disk_bus": "virtio"}}).status_code == 200
    assert act(target, id, "os-set_bootable", {"bootable": True}).status_code == 200
    assert act(target, id, "os-reset_status", {"status": "maintenance"}).status_code == 202
    refused = [
        act(target, id, "os-set_image_metadata", {"metadata": {"a": "b"}}),
        act(target, id, "os-unset_image_metadata", {"key": "hw_disk_bus"}),
        act(target, id, "os-set_bootable", {"bootable": False}),
        act(target, id, "os-extend", {"new_size": 2}),
        act(target, id, "os-reserve"),
        act(target, id, "os-unmanage"),
        call(target, "POST", f"/volumes/{id}/metadata", {"metadata": {"a": "b"}}),
        call(target, "PUT", f"/volumes/{id}", {"volume": {"name": "new"}}),
        call(target, "DELETE", f"/volumes/{id}"),
    ]
    assert [answer.status_code for answer in refused] == [400] * 9
    assert act(target, id, "os-reset_status", {"status": "available"}).status_code == 202
    row = show(target, id)
    assert (row["status"], row["bootable"], row["volume_image_metadata"]) == ("available", "true", {"hw_disk_bus": "virtio"})


def test_deleting_a_replicated_volume_ends_in_an_error(target: Connection, sandbox: Sandbox) -> None:
    id = create(target, sandbox)["id"]
    replicate_onto(sandbox, id)
    assert call(target, "DELETE", f"/volumes/{id}").status_code == 202
    sandbox.control.advance(2)
    assert show(target, id)["status"] == "error_deleting"


def replicate_onto(sandbox: Sandbox, volume_id: str) -> None:
    """Through the arrays' own API: a new source volume onto the one behind the Cinder volume."""
    session = requests.Session()
    session.auth = ("admin", "123456")
    session.headers["X-Remote-Authorization"] = "Basic YWRtaW46MTIzNDU2"
    base = f"{sandbox.urls['ibox-a']}/api/rest"
    target = on_array(sandbox, "ibox-b", f"openstack-vol-{volume_id}")
    assert target is not None
    pool = session.get(f"{base}/pools?name=eq:pool-a1").json()["result"][0]["id"]
    body = {"name": "other", "pool_id": pool, "size": target["size"], "provtype": "THIN"}
    local = session.post(f"{base}/volumes?approved=true", json=body).json()["result"]["id"]
    pair = {"remote_base_action": "NO_BASE_DATA", "local_entity_id": local, "remote_entity_id": int(target["id"])}
    link = session.get(f"{base}/links").json()["result"][0]["id"]
    answer = session.post(f"{base}/replicas?approved=true", json={"link_id": link, "entity_type": "VOLUME", "entity_pairs": [pair]})
    assert answer.status_code == 201, answer.text


def test_snapshots_that_replication_left_make_a_volume_busy(target: Connection, sandbox: Sandbox) -> None:
    id = create(target, sandbox)["id"]
    made = on_array(sandbox, "ibox-b", f"openstack-vol-{id}")
    assert made is not None
    body = {"name": "leftover", "parent_id": int(made["id"])}
    url = f"{sandbox.urls['ibox-b']}/api/rest/volumes?approved=true"
    assert requests.post(url, json=body, auth=("admin", "123456"), timeout=5).status_code == 201
    assert call(target, "DELETE", f"/volumes/{id}").status_code == 202
    sandbox.control.advance(2)
    assert show(target, id)["status"] == "available"


def test_extending_takes_time_and_quota(target: Connection, sandbox: Sandbox) -> None:
    id = create(target, sandbox)["id"]
    assert act(target, id, "os-extend", {"new_size": 1}).status_code == 400
    assert act(target, id, "os-extend", {"new_size": 5000}).status_code == 413
    assert act(target, id, "os-extend", {"new_size": 3}).status_code == 202
    assert show(target, id)["status"] == "extending"
    sandbox.control.advance(1)
    assert (show(target, id)["status"], show(target, id)["size"]) == ("available", 3)
    made = on_array(sandbox, "ibox-b", f"openstack-vol-{id}")
    assert made is not None
    assert made["size"] == 3 * GIB


@pytest.mark.parametrize(
    ("quota", "fields"),
    [({"volumes": 0}, {}), ({"gigabytes": 1}, {"size": 2}), ({"volumes_gold": 0}, {}), ({"gigabytes_gold": 1}, {"size": 2})],
)
def test_quotas_hold_in_general_and_per_type(target: Connection, quota: dict[str, int], fields: dict[str, int]) -> None:
    path = f"/os-quota-sets/{target.current_project_id}"
    assert call(target, "PUT", path, {"quota_set": quota}).status_code == 200
    answer = call(target, "POST", "/volumes", {"volume": {"size": 1, "volume_type": "gold", **fields}})
    assert answer.status_code == 413
    assert "overLimit" in answer.json()


def test_quota_sets(target: Connection, sandbox: Sandbox) -> None:
    path = f"/os-quota-sets/{target.current_project_id}"
    create(target, sandbox, size=2)
    usage = call(target, "GET", f"{path}?usage=true").json()["quota_set"]
    assert (usage["volumes"]["in_use"], usage["gigabytes"]["in_use"], usage["gigabytes_gold"]["in_use"]) == (1, 2, 2)
    assert call(target, "PUT", path, {"quota_set": {"volumes_platinum": 1}}).status_code == 400
    assert call(target, "PUT", path, {"quota_set": {"volumes": -2}}).status_code == 400
    assert call(target, "GET", f"{path}/defaults").json()["quota_set"]["volumes"] == 10


def test_lists_are_per_project_filtered_and_paged(source: Connection, alice: Connection, sandbox: Sandbox) -> None:
    assert call(source, "GET", "/volumes").json()["volumes"] == []
    everything = call(source, "GET", "/volumes/detail?all_tenants=1").json()["volumes"]
    acme = alice.current_project_id
    assert {row["os-vol-tenant-attr:tenant_id"] for row in everything} == {acme}
    per_project = call(source, "GET", f"/volumes?all_tenants=1&project_id={acme}").json()["volumes"]
    assert len(per_project) == len(everything) == 4
    first = call(source, "GET", "/volumes?all_tenants=1&limit=3").json()
    assert len(first["volumes"]) == 3
    rest = requests.get(first["volumes_links"][0]["href"], headers={"X-Auth-Token": source.session.get_token()}, timeout=5).json()
    assert [row["id"] for row in first["volumes"] + rest["volumes"]] == [row["id"] for row in everything]
    marked = create(alice, sandbox, name="marked", metadata={"k": "v"})
    assert [row["id"] for row in call(alice, "GET", "/volumes?metadata={'k':'v'}").json()["volumes"]] == [marked["id"]]
    assert len(call(alice, "GET", "/volumes?status=in-use").json()["volumes"]) == 4
    assert call(alice, "GET", "/volumes?colour=red").status_code == 400
    assert len(call(alice, "GET", "/volumes?colour=red", version="3.30").json()["volumes"]) == 5


def test_what_members_cannot_see_or_do(source: Connection, alice: Connection, sandbox: Sandbox) -> None:
    own = tenant_volume(source, "web-1-root")["id"]
    assert "os-vol-host-attr:host" not in show(alice, own)
    assert act(alice, own, "os-reset_status", {"status": "available"}).status_code == 403
    assert call(alice, "GET", "/scheduler-stats/get_pools").status_code == 403
    foreign = create(source, sandbox)["id"]
    assert call(alice, "GET", f"/volumes/{foreign}").status_code == 404
    assert alice.block_storage.get(f"{sandbox.urls['source']}/volume/v3/{source.current_project_id}/volumes").status_code == 400


def test_fields_come_with_their_versions(target: Connection, sandbox: Sandbox) -> None:
    id = create(target, sandbox)["id"]
    assert "group_id" not in show(target, id, "3.12")
    assert "service_uuid" in show(target, id, "3.48")
    assert "volume_type_id" not in show(target, id, "3.62")
    assert show(target, id, "3.63")["volume_type_id"]


def test_attached_volumes(source: Connection, sandbox: Sandbox) -> None:
    row = tenant_volume(source, "db-1-root")
    assert row["status"] == "in-use"
    assert row["metadata"]["attached_mode"] == "rw"
    assert row["attachments"][0]["device"] == "/dev/vda"
    made = on_array(sandbox, "ibox-a", f"openstack-vol-{row['id']}")
    assert made is not None
    hosts = {one["id"]: one["name"] for one in sandbox.control.dump()["ibox-a/hosts"]}
    luns = [one for one in sandbox.control.dump()["ibox-a/luns"] if one["volume"] == made["id"]]
    assert [hosts[one["host"]].startswith("openstack-host-iqn.") for one in luns] == [True]
    assert call(source, "DELETE", f"/volumes/{row['id']}").status_code == 400
    assert act(source, row["id"], "os-unmanage").status_code == 400
    assert act(source, row["id"], "os-reserve").status_code == 400
    listed = call(source, "GET", f"/attachments?all_tenants=1&volume_id={row['id']}").json()["attachments"]
    assert [one["id"] for one in listed] == [row["attachments"][0]["attachment_id"]]
    assert call(source, "GET", "/attachments", version="3.26").status_code == 404


def test_reserving_is_exclusive_unless_the_type_allows_more(target: Connection, sandbox: Sandbox) -> None:
    single, many = create(target, sandbox)["id"], create(target, sandbox, volume_type="gold-multiattach")
    assert many["multiattach"] is True
    assert act(target, single, "os-reserve").status_code == 202
    assert show(target, single)["status"] == "attaching"
    assert act(target, single, "os-reserve").status_code == 400
    assert act(target, single, "os-unreserve").status_code == 202
    assert show(target, single)["status"] == "available"
    for server in ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"):
        assert act(target, many["id"], "os-reserve").status_code == 202
        assert act(target, many["id"], "os-attach", {"instance_uuid": server, "mountpoint": "/dev/vdb"}).status_code == 202
    assert len(show(target, many["id"])["attachments"]) == 2
    assert (
        act(target, many["id"], "os-detach", {"attachment_id": show(target, many["id"])["attachments"][0]["attachment_id"]}).status_code
        == 202
    )
    assert show(target, many["id"])["status"] == "in-use"


def test_readonly_shows_among_the_owners_metadata(target: Connection, sandbox: Sandbox) -> None:
    id = create(target, sandbox, metadata={"a": "b"})["id"]
    assert act(target, id, "os-update_readonly_flag", {"readonly": True}).status_code == 202
    assert show(target, id)["metadata"] == {"a": "b", "readonly": "True"}
    assert call(target, "PUT", f"/volumes/{id}/metadata", {"metadata": {"c": "d"}}).json()["metadata"] == {"c": "d"}
    assert call(target, "DELETE", f"/volumes/{id}/metadata/c").status_code == 200
    assert show(target, id)["metadata"] == {"readonly": "True"}


def test_backups_are_the_callers_and_build_on_each_other(target: Connection, sandbox: Sandbox) -> None:
    id = create(target, sandbox)["id"]
    wanted = {"volume_id": id, "name": "weekly"}
    refused = call(target, "POST", "/backups", {"backup": {**wanted, "incremental": True}})
    assert (refused.status_code, "No backups available" in refused.text) == (400, True)
    full = call(target, "POST", "/backups", {"backup": wanted}).json()["backup"]["id"]
    assert call(target, "GET", f"/volumes/{id}").json()["volume"]["status"] == "backing-up"
    assert call(target, "POST", "/backups", {"backup": wanted}).status_code == 400
    assert call(target, "DELETE", f"/backups/{full}").status_code == 400
    sandbox.control.advance(5)
    assert call(target, "GET", f"/volumes/{id}").json()["volume"]["status"] == "available"
    delta = call(target, "POST", "/backups", {"backup": {**wanted, "incremental": True}}).json()["backup"]["id"]
    sandbox.control.advance(5)
    shown = call(target, "GET", f"/backups/{full}").json()["backup"]
    assert (shown["status"], shown["is_incremental"], shown["has_dependent_backups"]) == ("available", False, True)
    assert [row["id"] for row in call(target, "GET", "/backups?name=weekly").json()["backups"]] == [delta, full]
    assert call(target, "GET", "/backups?name=daily").json()["backups"] == []
    refused = call(target, "DELETE", f"/backups/{full}")
    assert (refused.status_code, "Incremental backups exist" in refused.text) == (400, True)
    for backup in (delta, full):
        assert call(target, "DELETE", f"/backups/{backup}").status_code == 202
        sandbox.control.advance(5)
    assert call(target, "GET", f"/backups/{full}").status_code == 404


def test_snapshots_hold_their_volume(target: Connection, sandbox: Sandbox) -> None:
    id = create(target, sandbox)["id"]
    snapshot = call(target, "POST", "/snapshots", {"snapshot": {"volume_id": id, "name": "s"}}).json()["snapshot"]
    sandbox.control.advance(1)
    assert call(target, "GET", f"/snapshots/{snapshot['id']}").json()["snapshot"]["status"] == "available"
    assert call(target, "DELETE", f"/volumes/{id}").status_code == 400
    assert act(target, id, "os-unmanage").status_code == 400
    copy = create(target, sandbox, snapshot_id=snapshot["id"], size=None)
    assert copy["size"] == 1
    assert call(target, "DELETE", f"/snapshots/{snapshot['id']}").status_code == 202
    sandbox.control.advance(1)
    assert call(target, "DELETE", f"/volumes/{id}").status_code == 202
    sandbox.control.advance(1)
    assert call(target, "GET", f"/volumes/{id}").status_code == 404


def test_private_types_are_for_those_with_access(target: Connection) -> None:
    types = call(target, "POST", "/types", {"volume_type": {"name": "secret", "os-volume-type-access:is_public": False}}).json()
    id = types["volume_type"]["id"]
    assert call(target, "POST", "/volumes", {"volume": {"size": 1, "volume_type": "secret"}}).status_code == 404
    access = {"addProjectAccess": {"project": target.current_project_id}}
    assert call(target, "POST", f"/types/{id}/action", access).status_code == 202
    assert call(target, "POST", f"/types/{id}/action", access).status_code == 409
    assert call(target, "POST", "/volumes", {"volume": {"size": 1, "volume_type": "secret"}}).status_code == 202
    assert call(target, "GET", "/types/default").json()["volume_type"]["name"] == "gold"


def test_no_backend_for_the_type_is_an_error_status(target: Connection, sandbox: Sandbox) -> None:
    call(target, "POST", "/types", {"volume_type": {"name": "nowhere", "extra_specs": {"volume_backend_name": "none"}}})
    id = call(target, "POST", "/volumes", {"volume": {"size": 1, "volume_type": "nowhere"}}).json()["volume"]["id"]
    sandbox.control.advance(2)
    assert show(target, id)["status"] == "error"


def test_an_unknown_route_and_action_in_cinders_own_words(target: Connection, sandbox: Sandbox) -> None:
    id = create(target, sandbox)["id"]
    assert call(target, "GET", "/nothing").json()["itemNotFound"]["code"] == 404
    assert act(target, id, "os-migrate_volume", {"host": "x"}).json()["badRequest"]["code"] == 400
    assert act(target, id, "os-retype", {"new_type": "silver"}).status_code == 400
    assert call(target, "PUT", f"/volumes/{id}", {"volume": {"size": 3}}).status_code == 400


def test_the_clients_own_calls(target: Connection, sandbox: Sandbox) -> None:
    proxy = target.block_storage
    assert {one.name for one in proxy.types()} == {"gold", "silver", "gold-multiattach"}
    assert {one.name for one in proxy.backend_pools()} == {"target-controller-0@pool-b1#pool-b1", "target-controller-0@pool-b2#pool-b2"}
    assert all(one.state == "up" for one in proxy.services())
    assert proxy.get_limits().absolute.max_total_volumes == 10
    assert list(proxy.backups()) == list(proxy.groups()) == list(proxy.transfers()) == []
    with pytest.raises(HttpException):
        proxy.create_volume(size=0)
