"""The end of the source: approved, soaked, in safe order."""

from datetime import UTC, datetime, timedelta

from tests.sandbox.conftest import connect
from tests.story.command import millpond
from tests.story.stage import Stage
from tests.story.test_small import cut_over, statuses


def approve(stage: Stage) -> None:
    stage.manifest |= {"decommission": True, "soak": "0s"}
    digest = stage.plan().digest
    expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    stage.manifest["approvals"] = [{"action": "decommission", "digest": digest, "expires": expires}]


def test_nothing_dies_without_an_approval(stage: Stage) -> None:
    cut_over(stage)
    stage.manifest |= {"decommission": True, "soak": "0s"}
    with stage.counted() as mutating:
        result = stage.apply()
    assert mutating == []
    assert result.held
    assert [finding.code for finding in result.plan.tenants[0].blockers] == ["decommission_unapproved"]


def test_nothing_dies_before_the_soak_has_passed(stage: Stage) -> None:
    cut_over(stage)
    approve(stage)
    stage.manifest["soak"] = "72h"
    with stage.counted() as mutating:
        result = stage.apply()
    assert mutating == []
    assert result.remaining


def test_nothing_dies_while_the_tenant_has_made_something_new_there(stage: Stage) -> None:
    cut_over(stage)
    with connect(stage.sandbox, "source-acme") as tenant:
        made = tenant.block_storage.create_volume(size=1, name="afterwards")
        tenant.block_storage.wait_for_status(made, "available", interval=0.05)
        shot = tenant.block_storage.create_snapshot(volume_id=made.id, name="nightly")
        tenant.block_storage.wait_for_status(shot, "available", interval=0.05)
        tenant.network.create_router(name="afterwards")
    approve(stage)
    with stage.counted() as mutating:
        result = stage.apply()
    assert mutating == []
    found = {finding.code for finding in result.plan.tenants[0].blockers}
    assert found == {"late_volume", "late_volume_snapshot", "late_router"}
    drift = millpond(stage.directory, "drift")
    assert drift.code == 3
    assert all(f"[{code}]" in drift.out for code in found)
    assert f"acme/volume/afterwards@{made.id[:8]} is not in the inventory" in " ".join(drift.out.split())


def test_nothing_dies_while_something_would_be_left_without_its_project(stage: Stage) -> None:
    """Until each of it was taken care of, in the ways that the findings name."""
    cut_over(stage)
    with connect(stage.sandbox, "source-acme") as tenant, connect(stage.sandbox, "source-admin") as admin:
        image = tenant.image.create_image(name="golden", disk_format="raw", container_format="bare", data=b"disk", wait=True)
        volume = next(iter(tenant.block_storage.volumes()))
        backup = tenant.block_storage.create_backup(volume_id=volume.id, name="weekly", force=True)
        tenant.block_storage.wait_for_status(backup, "available", interval=0.05)
        network, project = tenant.network.find_network("app"), tenant.current_project_id
        balancer = admin.network.create_port(network_id=network.id, project_id=project, name="octavia-lb-1", device_owner="Octavia")
        amphora = admin.network.create_port(network_id=network.id, name="octavia-lb-vrrp-1", device_owner="compute:nova")
        assert codes(stage) == []  # nobody asks while the source stays
        approve(stage)
        assert codes(stage) == ["backups_left", "images_left", "service_port", "foreign_port"]
        with stage.counted() as mutating:
            assert stage.apply().held
        assert mutating == []
        tenant.block_storage.delete_backup(backup)
        tenant.block_storage.wait_for_delete(backup, interval=0.05)
        admin.image.update_image(image, owner=admin.current_project_id)
        for port in (balancer, amphora):
            admin.network.delete_port(port)
    assert codes(stage) == []
    result = stage.settle()
    assert not result.plan.tenants[0].steps, (result.plan.tenants[0].steps, result.outcomes)
    assert [row["name"] for row in stage.rows("source/keystone/project") if row["name"] == "acme"] == []


def codes(stage: Stage) -> list[str]:
    return [finding.code for finding in stage.plan().blockers]


def test_the_report_names_both_ids_of_all_that_has_two_before_and_after(stage: Stage) -> None:
    """Afterwards it is the only record of what became of what."""
    cut_over(stage)
    stage.write()
    before = objects(stage)
    assert {kind: target for (kind, _), target in before.items() if target == "-"} == {}
    (alice,) = (row["id"] for row in stage.rows("target/keystone/user") if row["name"] == "alice")
    assert before["user", "alice"] == f"`{alice}`"
    approve(stage)
    stage.settle()
    stage.write()
    assert objects(stage) == before


def objects(stage: Stage) -> dict[tuple[str, str], str]:
    """Target ids by kind and name, as the report's table has them."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in millpond(stage.directory, "report").out.splitlines()]
    return {(row[0], row[1]): row[3] for row in rows if len(row) == 4 and row[2].startswith("`")}


def test_an_approved_decommissioning_leaves_nothing_of_the_tenant_on_the_source(stage: Stage) -> None:
    cut_over(stage)
    approve(stage)
    result = stage.settle()
    assert not result.plan.tenants[0].steps, (result.plan.tenants[0].steps, result.outcomes)
    assert stage.plan().drift == ()
    assert stage.rows("source/nova/servers") == []
    assert stage.rows("source/cinder/volumes") == []
    assert [row["name"] for row in stage.rows("source/keystone/project") if row["name"] == "acme"] == []
    assert stage.rows("ibox-a/replicas") == stage.rows("ibox-b/replicas") == []
    assert stage.rows("ibox-a/cgs") == stage.rows("ibox-b/cgs") == []
    assert set(statuses(stage, "target").values()) == {"active"}
    assert stage.sandbox.control.violations() == []
    with stage.counted() as mutating:
        stage.apply()
    assert mutating == []
