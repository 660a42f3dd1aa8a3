"""Volumes that the target's Cinder adopts after the cut, instead of making them ahead."""

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox
from tests.story.identical import Comparison
from tests.story.stage import Stage
from tests.story.worlds import World, prepare


@pytest.fixture(scope="module")
def managed(shop: Sandbox, shop_seeded: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """All by `manage`, but for one volume that is made ahead."""
    shop.control.restore(shop_seeded)
    ahead = [{"name": "db-1-data", "adoption": "precreate"}]
    return prepare(shop, tmp_path_factory.mktemp("managed"), {"adoption": "manage", "volumes": ahead})


@pytest.fixture
def stage(managed: World, tmp_path: Path) -> Stage:
    return managed.stage(tmp_path)


def volumes(stage: Stage) -> list[str]:
    return sorted(row["name"] for row in stage.rows("target/cinder/volumes"))


def ids(stage: Stage) -> dict[str, str]:
    return {row["metadata"]["millpond:source"]: row["name_id"] for row in stage.rows("target/cinder/volumes")}


def test_nothing_is_in_the_targets_cinder_before_the_cut_but_what_is_made_ahead(stage: Stage) -> None:
    assert volumes(stage) == ["db-1-data"]
    assert len(stage.rows("ibox-b/volumes")) >= len(stage.rows("source/cinder/volumes"))


def test_adopted_volumes_are_bootable_and_dressed_and_survive_the_way_back(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    result = stage.settle()
    assert not result.remaining, (result.plan.tenants[0].steps, result.plan.tenants[0].blockers)
    assert list(Comparison(stage).different()) == []
    assert stage.plan().drift == ()
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "discard"}}
    with stage.counted() as mutating:
        result = stage.settle()
    assert not result.remaining, result.plan.tenants[0].steps
    assert volumes(stage) == ["db-1-data"]
    deleted = [entry["path"] for entry in mutating if entry["method"] == "DELETE" and entry["service"] in ("cinder", "infinibox")]
    assert [path for path in deleted if "/metadata/" not in path] == []  # what remembers the cut goes
    del stage.manifest["rollback"]
    stage.manifest["cutover"] = True
    assert not stage.settle().remaining
    assert list(Comparison(stage).different()) == []
    assert stage.sandbox.control.violations() == []


def test_one_volume_by_manage_among_others_that_were_made_ahead(small_mixed: World, tmp_path: Path) -> None:
    stage = small_mixed.stage(tmp_path)
    assert volumes(stage) == ["db-1-root", "web-1-root", "web-2-root"]
    stage.manifest["cutover"] = True
    assert not stage.settle().remaining
    assert volumes(stage) == ["db-1-data", "db-1-root", "web-1-root", "web-2-root"]
    assert list(Comparison(stage).different()) == []
    with stage.counted() as mutating:
        stage.apply()
    assert mutating == []
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "carry_back"}}
    assert not stage.settle().remaining
    assert volumes(stage) == ["db-1-root", "web-1-root", "web-2-root"]
    assert stage.sandbox.control.violations() == []


@pytest.fixture(scope="module")
def small_mixed(small: Sandbox, seeded: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    small.control.restore(seeded)
    return prepare(small, tmp_path_factory.mktemp("mixed"), {"volumes": [{"name": "db-1-data", "adoption": "manage"}]})


def test_groups_keep_made_ahead_and_adopted_volumes_apart(small_mixed: World, tmp_path: Path) -> None:
    stage = small_mixed.stage(tmp_path)
    here = [group["name"] for group in stage.rows("ibox-a/cgs")]
    there = [group["name"] for group in stage.rows("ibox-b/cgs")]
    assert len(here) == len(there) == 1
    replicas = stage.rows("ibox-a/replicas")
    assert sorted(len(row["entity_pairs"]) for row in replicas) == [1, 3]


def test_an_adoption_that_failed_and_cannot_be_undone_is_disowned_and_made_anew(small_mixed: World, tmp_path: Path) -> None:
    """The driver looks by the volume's name for the disk to let go of: of one that it never adopted there is none."""
    stage = small_mixed.stage(tmp_path)
    stage.sandbox.control.fault(world="manage_error", cloud="target", name="db-1-data", times=1)
    stage.manifest["cutover"] = True
    result = stage.settle()
    assert [finding.code for finding in result.plan.tenants[0].blockers] == ["unmanage_failed"]
    [left] = [row for row in stage.rows("target/cinder/volumes") if row["name"] == "db-1-data"]
    assert left["status"] == "error_unmanaging"
    disowned(stage, left)
    assert not stage.settle().remaining
    assert list(Comparison(stage).different()) == []
    assert [row["status"] for row in stage.rows("target/cinder/volumes") if row["name"] == "db-1-data"] == ["error_unmanaging", "in-use"]
    assert stage.sandbox.control.violations() == []


def test_a_volume_that_cinder_does_not_let_go_of_on_the_way_back(small_mixed: World, tmp_path: Path) -> None:
    stage = small_mixed.stage(tmp_path)
    stage.manifest["cutover"] = True
    assert not stage.settle().remaining
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "discard"}}
    stage.sandbox.control.fault(world="unmanage_error", cloud="target", name="db-1-data", times=1)
    assert [finding.code for finding in stage.settle().plan.tenants[0].blockers] == ["unmanage_failed"]
    [left] = [row for row in stage.rows("target/cinder/volumes") if row["name"] == "db-1-data"]
    as_admin(stage).reset_volume_status(left["id"], status="available")
    assert not stage.settle().remaining
    assert volumes(stage) == ["db-1-root", "web-1-root", "web-2-root"]
    assert stage.sandbox.control.violations() == []


def disowned(stage: Stage, volume: dict[str, Any]) -> None:
    as_admin(stage).delete_volume_metadata(volume["id"], keys=["millpond:source"])


def as_admin(stage: Stage) -> Any:
    return connect(stage.sandbox, "target-admin").block_storage
