"""One tenant of three servers, from the cut to the way back."""

import pytest

from millpond.errors import StalePlan
from millpond.runs.apply import apply_plan
from millpond.runs.plan import make_plan
from tests.story.silent import Silent
from tests.story.stage import Stage


def statuses(stage: Stage, cloud: str) -> dict[str, str]:
    return {row["name"]: row["vm_state"] for row in stage.rows(f"{cloud}/nova/servers")}


def contents(stage: Stage, array: str) -> dict[int, str]:
    return {row["id"]: row["content"]["chain"] for row in stage.rows(f"{array}/volumes")}


def write(stage: Stage, cloud: str, data: str) -> None:
    for row in stage.rows(f"{cloud}/nova/servers"):
        stage.sandbox.control.write(cloud=cloud, server_id=row["id"], data=data)


def cut_over(stage: Stage) -> str:
    stage.manifest["cutover"] = True
    result = stage.settle()
    assert not result.held, result.plan.tenants[0].findings
    return stage.cut()


def go_back(stage: Stage, cut: str, target_writes: str) -> None:
    stage.manifest |= {"cutover": False, "rollback": {"cut": cut, "target_writes": target_writes}}
    result = stage.settle()
    assert not result.plan.tenants[0].steps


def test_plan_changes_nothing(stage: Stage) -> None:
    with stage.counted() as mutating:
        stage.plan()
    assert mutating == []


def test_apply_after_apply_changes_nothing(stage: Stage) -> None:
    with stage.counted() as mutating:
        result = stage.apply()
    assert mutating == []
    assert not result.advanced
    assert result.plan.tenants[0].steps == ()


def test_a_cutover_moves_every_server_and_loses_nothing(stage: Stage) -> None:
    write(stage, "source", "before the cut")
    before = sorted(contents(stage, "ibox-a").values())
    cut_over(stage)
    assert set(statuses(stage, "source").values()) == {"stopped"}
    assert set(statuses(stage, "target").values()) == {"active"}
    assert sorted(contents(stage, "ibox-b").values()) == before
    assert stage.sandbox.control.violations() == []
    with stage.counted() as mutating:
        stage.apply()
    assert mutating == []


def test_a_rollback_that_discards_brings_back_the_moment_of_the_cut(stage: Stage) -> None:
    write(stage, "source", "before the cut")
    before = contents(stage, "ibox-a")
    cut = cut_over(stage)
    write(stage, "target", "lost on purpose")
    go_back(stage, cut, "discard")
    assert set(statuses(stage, "source").values()) == {"active"}
    assert statuses(stage, "target") == {}
    assert contents(stage, "ibox-a") == before
    assert stage.sandbox.control.violations() == []


def test_a_rollback_that_carries_back_loses_nothing(stage: Stage) -> None:
    cut = cut_over(stage)
    write(stage, "target", "kept")
    written = sorted(contents(stage, "ibox-b").values())
    go_back(stage, cut, "carry_back")
    assert set(statuses(stage, "source").values()) == {"active"}
    assert sorted(contents(stage, "ibox-a").values()) == written
    assert stage.sandbox.control.violations() == []


def test_a_wave_that_came_back_can_be_cut_again(stage: Stage) -> None:
    first = cut_over(stage)
    go_back(stage, first, "discard")
    del stage.manifest["rollback"]
    second = cut_over(stage)
    assert second != first
    assert set(statuses(stage, "target").values()) == {"active"}


def test_a_rollback_block_of_an_earlier_cut_is_refused(stage: Stage) -> None:
    first = cut_over(stage)
    go_back(stage, first, "discard")
    del stage.manifest["rollback"]
    cut_over(stage)
    stage.manifest |= {"cutover": False, "rollback": {"cut": first, "target_writes": "discard"}}
    with stage.counted() as mutating:
        result = stage.apply()
    assert mutating == []
    assert [finding.code for finding in result.plan.tenants[0].blockers] == ["rollback_undecided"]


def test_a_saved_plan_that_carries_back_does_not_discard(stage: Stage) -> None:
    cut = cut_over(stage)
    stage.manifest |= {"cutover": False, "rollback": {"cut": cut, "target_writes": "carry_back"}}
    site, tenants = stage.load()
    reviewed = make_plan(site, tenants)
    stage.manifest["rollback"]["target_writes"] = "discard"
    site, tenants = stage.load()
    with stage.counted() as mutating, pytest.raises(StalePlan):
        apply_plan(site, tenants, progress=Silent(), envelope=reviewed)
    assert mutating == []


def test_the_outage_of_a_rollback_ends_when_the_source_runs(stage: Stage) -> None:
    cut = cut_over(stage)
    stage.manifest |= {"cutover": False, "rollback": {"cut": cut, "target_writes": "discard"}}
    result = stage.apply()
    assert {address for address, _ in result.outages} == {"acme/server/db-1", "acme/server/web-1", "acme/server/web-2"}
