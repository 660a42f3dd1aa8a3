"""The end of the source: approved, soaked, in safe order."""

from datetime import UTC, datetime, timedelta

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
