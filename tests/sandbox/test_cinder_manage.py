"""Bringing existing volumes of an array under Cinder, and letting them go."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from openstack.connection import Connection

from tests.sandbox.running import Sandbox, start_sandbox
from tests.sandbox.test_cinder import act, call, create, on_array, show

HOST = "target-controller-0@pool-b1#pool-b1"
MIB = 2**20
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


def stray(sandbox: Sandbox, name: str, pool: str = "pool-b1", size: int = GIB, **fields: Any) -> int:
    """A volume on the new cloud's array that no Cinder made; its id."""
    base = f"{sandbox.urls['ibox-b']}/api/rest"
    auth = ("admin", "123456")
    pool_id = requests.get(f"{base}/pools?name=eq:{pool}", auth=auth, timeout=5).json()["result"][0]["id"]
    body = {"name": name, "pool_id": pool_id, "size": size, "provtype": "THIN", **fields}
    answer = requests.post(f"{base}/volumes?approved=true", json=body, auth=auth, timeout=5)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["result"]["id"])


def manage(cloud: Connection, sandbox: Sandbox, ref: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The volume after Cinder has tried."""
    document = {"volume": {"host": HOST, "ref": ref, "volume_type": "gold", **fields}}
    answer = call(cloud, "POST", "/manageable_volumes", document, version="3.8")
    assert answer.status_code == 202, answer.text
    assert answer.json()["volume"]["status"] == "creating"
    sandbox.control.advance(3)
    return show(cloud, answer.json()["volume"]["id"])


@pytest.mark.parametrize("by", ["source-name", "source-id"])
def test_a_managed_volume_is_renamed_and_belongs_to_the_callers_project(target: Connection, sandbox: Sandbox, by: str) -> None:
    id = stray(sandbox, "disk", size=GIB + MIB)
    row = manage(target, sandbox, {by: "disk" if by == "source-name" else str(id)}, name="mine", bootable=True, metadata={"k": "v"})
    assert (row["status"], row["size"], row["bootable"], row["metadata"]) == ("available", 2, "true", {"k": "v"})
    assert row["os-vol-tenant-attr:tenant_id"] == target.current_project_id
    made = on_array(sandbox, "ibox-b", f"openstack-vol-{row['id']}")
    assert made is not None
    assert made["id"] == str(id)
    assert on_array(sandbox, "ibox-b", "disk") is None


@pytest.mark.parametrize("ref", [{"source-name": "nothing"}, {"source-id": "742b0f0000004e82"}, {"serial": "x"}])
def test_a_reference_the_driver_cannot_use_ends_in_error(target: Connection, sandbox: Sandbox, ref: dict[str, Any]) -> None:
    assert manage(target, sandbox, ref)["status"] == "error"


def test_another_pool_ends_in_error(target: Connection, sandbox: Sandbox) -> None:
    stray(sandbox, "elsewhere", pool="pool-b2")
    assert manage(target, sandbox, {"source-name": "elsewhere"})["status"] == "error"


def test_what_this_cinder_has_already_is_refused(target: Connection, sandbox: Sandbox) -> None:
    row = create(target, sandbox)
    again = manage(target, sandbox, {"source-name": f"openstack-vol-{row['id']}"})
    assert again["status"] == "error"
    assert on_array(sandbox, "ibox-b", f"openstack-vol-{row['id']}") is not None


def test_write_protection_does_not_stop_it(target: Connection, sandbox: Sandbox) -> None:
    stray(sandbox, "protected", write_protected=True)
    assert manage(target, sandbox, {"source-name": "protected"})["status"] == "available"


def test_a_volume_over_quota_ends_in_error(target: Connection, sandbox: Sandbox) -> None:
    call(target, "PUT", f"/os-quota-sets/{target.current_project_id}", {"quota_set": {"gigabytes": 1}})
    stray(sandbox, "large", size=2 * GIB)
    assert manage(target, sandbox, {"source-name": "large"})["status"] == "error"
    assert on_array(sandbox, "ibox-b", "large") is not None


def test_the_list_says_what_is_unsafe(target: Connection, sandbox: Sandbox) -> None:
    free = stray(sandbox, "free")
    known = create(target, sandbox)
    rows = call(target, "GET", f"/manageable_volumes/detail?host={HOST}", version="3.8").json()["manageable-volumes"]
    found = {row["reference"]["source-name"]: row for row in rows}
    assert found["free"]["reference"]["source-id"] == str(free)
    assert found["free"]["safe_to_manage"] is True
    taken = found[f"openstack-vol-{known['id']}"]
    assert (taken["safe_to_manage"], taken["reason_not_safe"], taken["cinder_id"]) == (False, "volume already managed", known["id"])
    assert len(call(target, "GET", f"/os-volume-manage?host={HOST}", version="3.0").json()["manageable-volumes"]) == len(rows)


def test_requests_that_are_refused_at_once(target: Connection, sandbox: Sandbox) -> None:
    good = {"host": HOST, "ref": {"source-name": "x"}}
    assert call(target, "POST", "/manageable_volumes", {"volume": good}, version="3.7").status_code == 404
    assert call(target, "POST", "/manageable_volumes", {"volume": {**good, "host": "other@x#y"}}, version="3.8").status_code == 400
    assert call(target, "POST", "/manageable_volumes", {"volume": {**good, "volume_type": "none"}}, version="3.8").status_code == 400
    assert call(target, "POST", "/manageable_volumes", {"volume": {**good, "size": 1}}, version="3.8").status_code == 400
    assert call(target, "POST", "/manageable_volumes", {"volume": {"host": HOST}}, version="3.8").status_code == 400
    assert call(target, "GET", "/manageable_volumes", version="3.8").status_code == 400


def test_the_old_releases_driver_cannot_manage(source: Connection, sandbox: Sandbox) -> None:
    host = "source-controller-0@pool-a1#pool-a1"
    assert call(source, "GET", f"/manageable_volumes?host={host}", version="3.8").status_code == 500
    document = {"volume": {"host": host, "ref": {"source-name": "x"}}}
    id = call(source, "POST", "/manageable_volumes", document, version="3.8").json()["volume"]["id"]
    sandbox.control.advance(3)
    assert show(source, id)["status"] == "error"


def test_letting_go_leaves_name_and_data_and_takes_the_marks(target: Connection, sandbox: Sandbox) -> None:
    row = create(target, sandbox)
    assert act(target, row["id"], "os-unmanage").status_code == 202
    sandbox.control.advance(3)
    assert call(target, "GET", f"/volumes/{row['id']}").status_code == 404
    left = on_array(sandbox, "ibox-b", f"openstack-vol-{row['id']}")
    assert left is not None
    assert not [one for one in sandbox.control.dump()["ibox-b/metadata"] if one["object"] == left["id"]]
    assert manage(target, sandbox, {"source-name": left["name"]})["status"] == "available"
