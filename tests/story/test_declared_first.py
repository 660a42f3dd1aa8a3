"""A cut that ends between two disks: what the tenant writes to the one that is free by then is not thrown away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import connect
from tests.story.stage import Stage
from tests.story.test_faults import whole

ACME = {"project_name": "acme", "project_domain_name": "customers"}


@pytest.fixture
def half_released(untouched: Stage) -> Stage:
    """Of db-1's disks, in a wave of its own, the first is available on the target, and Cinder refuses the other."""
    untouched.manifest["waves"] = [{"name": "db", "servers": ["db-1"]}, {"name": "rest"}]
    assert not untouched.settle().remaining
    data = twin(untouched, "db-1-data")["id"]
    refused = {"badRequest": {"code": 400, "message": "the policy of this cloud says no"}}
    untouched.sandbox.control.fault(
        action={"status": 400, "body": refused}, cloud="target", service="cinder", path=f"/volumes/{data}/action", count=0
    )
    flag(untouched, cutover=True)
    assert untouched.apply().remaining
    assert (twin(untouched, "db-1-root")["status"], twin(untouched, "db-1-data")["status"]) == ("available", "maintenance")
    assert untouched.rows("target/nova/servers") == []
    untouched.sandbox.control.clear_faults()
    return untouched


def flag(stage: Stage, **values: Any) -> None:
    stage.manifest["waves"] = [{"name": "db", "servers": ["db-1"], **values}, {"name": "rest"}]


def twin(stage: Stage, name: str) -> dict[str, Any]:
    return next(row for row in stage.rows("target/cinder/volumes") if row["name"] == name)


def test_what_the_tenant_wrote_meanwhile_is_asked_for_and_carried_back(half_released: Stage) -> None:
    stage, control = half_released, half_released.sandbox.control
    with connect(stage.sandbox, "target-admin", **ACME) as tenant:
        flavor = next(iter(tenant.compute.flavors()))
        disk = {"source_type": "volume", "destination_type": "volume", "uuid": twin(stage, "db-1-root")["id"], "boot_index": 0}
        theirs = tenant.compute.create_server(
            name="rescue", flavor_id=flavor.id, networks="none", block_device_mapping_v2=[{**disk, "delete_on_termination": False}]
        )
        theirs = tenant.compute.wait_for_server(theirs, interval=0.05)
        [written] = control.write(cloud="target", server_id=theirs.id, data="orders")["volumes"].values()
        flag(stage, cutover=False)
        with stage.counted() as mutating:
            assert [finding.code for finding in stage.apply().plan.tenants[0].blockers] == ["rollback_undecided"]
        assert {entry["service"] for entry in mutating} <= {"nova"}  # a key pair that no boot needs any more
        flag(stage, cutover=False, rollback={"cut": stage.cut(), "target_writes": "carry_back"})
        assert "volume_used_elsewhere" in {finding.code for finding in stage.apply().plan.tenants[0].blockers}
        tenant.compute.delete_server(theirs)
        tenant.compute.wait_for_delete(theirs, interval=0.05)
    assert not stage.settle().remaining
    here = next(row for row in stage.rows("source/nova/servers") if row["name"] == "db-1")
    assert here["vm_state"] == "active"
    assert control.violations() == []
    kept = [row["content"] for row in stage.rows("ibox-a/volumes") if row["type"] == "MASTER"]
    assert written in {f"{one['writes']}:{one['chain']}:{one['last']}" for one in kept}


def test_the_next_run_releases_the_other_and_boots_once(half_released: Stage) -> None:
    flag(half_released, cutover=True)
    half_released.manifest["cutover"] = True
    with half_released.counted() as mutating:
        assert not half_released.settle().remaining
    boots = [entry for entry in mutating if entry["cloud"] == "target" and entry["method"] == "POST" and entry["path"].endswith("/servers")]
    assert len(boots) == 3
    whole(half_released)
