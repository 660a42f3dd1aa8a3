"""Volumes that the target's Cinder adopts after the cut, instead of making them ahead."""

from pathlib import Path

import pytest

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
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "discard"}}
    with stage.counted() as mutating:
        result = stage.settle()
    assert not result.remaining, result.plan.tenants[0].steps
    assert volumes(stage) == ["db-1-data"]
    deleted = [entry["path"] for entry in mutating if entry["method"] == "DELETE" and entry["service"] in ("cinder", "infinibox")]
    assert deleted == []
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
