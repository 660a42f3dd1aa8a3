"""A tenant with a bit of everything: what arrives is what left, to the last write."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.story.identical import Comparison
from tests.story.stage import Stage
from tests.story.worlds import Moved


@pytest.fixture
def stage(shop_moved: Moved, tmp_path: Path) -> Stage:
    return shop_moved.world.stage(tmp_path)


def disks(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """array name → content, without snapshots and what replication keeps."""
    return {row["name"]: row["content"] for row in rows if row["type"] == "MASTER"}


def test_every_server_arrives_identical(stage: Stage) -> None:
    assert list(Comparison(stage).different()) == []
    assert len(Comparison(stage).now()) == 12
    assert stage.sandbox.control.violations() == []
    with stage.counted() as mutating:
        stage.apply()
    assert mutating == []


def test_a_disk_holds_the_last_write_that_was_accepted_before_the_stop(stage: Stage, shop_moved: Moved) -> None:
    guests = shop_moved.guests
    assert len(guests.refused) == 11
    names = {f"openstack-vol-{row['name_id']}": row["metadata"]["millpond:source"] for row in stage.rows("target/cinder/volumes")}
    found = {names[name]: content for name, content in disks(stage.rows("ibox-b/volumes")).items()}
    assert {id: f"{found[id]['writes']}:{found[id]['chain']}:{found[id]['last']}" for id in guests.contents} == guests.contents


def contents(stage: Stage, cloud: str, array: str) -> dict[str, Any]:
    """Source volume → what its disk holds on that side, the ones that nobody wrote or has attached included."""
    held = disks(stage.rows(f"{array}/volumes"))
    rows = stage.rows(f"{cloud}/cinder/volumes")
    return {row["metadata"].get("millpond:source", row["id"]): held[f"openstack-vol-{row['name_id']}"]["chain"] for row in rows}


def test_every_volume_arrives_with_what_it_held(stage: Stage) -> None:
    assert contents(stage, "target", "ibox-b") == contents(stage, "source", "ibox-a")
    assert len(contents(stage, "target", "ibox-b")) > len(Comparison(stage).now())


def test_two_users_key_pairs_of_one_name_reach_the_right_guests(stage: Stage) -> None:
    given = {row["name"]: row["key_data"].split()[-1] for row in stage.rows("target/nova/servers") if row["key_name"] == "work"}
    assert given == {"app-1": "alice@work", "bobs": "bob@work"}
    owners = {row["id"]: row["name"] for row in stage.rows("target/keystone/user")}
    kept = {(owners[row["user_id"]], row["name"]) for row in stage.rows("target/nova/keypairs")}
    assert kept == {("alice", "alice"), ("alice", "work"), ("bob", "work")}


def test_a_lock_that_the_tenant_had_is_the_tenants_again(stage: Stage) -> None:
    locks = {row["name"]: row["locked_by"] for row in stage.rows("target/nova/servers") if row["locked_by"]}
    assert locks == {"vault": "owner"}


def test_an_excluded_server_stays_as_it_was(stage: Stage, shop_moved: Moved) -> None:
    legacy = [row for row in shop_moved.before["source/nova/servers"] if row["name"] == "legacy"]
    assert [row for row in stage.rows("source/nova/servers") if row["name"] == "legacy"] == legacy


def test_detached_volumes_and_the_odd_sized_one_arrive(stage: Stage) -> None:
    rows = {row["metadata"]["millpond:source"]: row for row in stage.rows("target/cinder/volumes")}
    source = stage.rows("source/cinder/volumes")
    assert {row["id"] for row in source} == set(rows)
    assert {row["status"] for row in source} == {"in-use", "attaching"}
    assert {row["name"] for row in source if row["status"] == "attaching" and row["multiattach"]} == {"db-quorum"}
    detached = [row for row in source if row["status"] == "attaching" and not row["multiattach"]]
    assert len(detached) == 3
    assert [rows[row["id"]]["status"] for row in detached] == ["available"] * 3
    assert {rows[row["id"]]["size"] for row in source if row["name"] == "reports-data"} == {11}


def test_the_whole_shop_goes_back_as_it_was(stage: Stage, shop_moved: Moved) -> None:
    stopped = disks(stage.rows("ibox-a/volumes"))
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "discard"}}
    result = stage.settle(saved=stage.saved())
    assert not result.plan.tenants[0].steps, result.plan.tenants[0].steps
    assert servers(stage.rows("source/nova/servers")) == servers(shop_moved.before["source/nova/servers"])
    assert disks(stage.rows("ibox-a/volumes")) == stopped
    source = stage.rows("source/cinder/volumes")
    assert {row["status"] for row in source} == {"in-use", "available"}
    assert not [key for row in source for key in row["metadata"] if key.startswith("millpond")]
    assert stage.rows("target/nova/servers") == []
    assert stage.sandbox.control.violations() == []


def test_the_whole_shop_goes_back_with_what_the_target_wrote(stage: Stage, shop_moved: Moved) -> None:
    running = [row for row in stage.rows("target/nova/servers") if row["vm_state"] == "active"]
    for row in running:
        stage.sandbox.control.write(cloud="target", server_id=row["id"], data="written after the move")
    written = contents(stage, "target", "ibox-b")
    assert len(running) > 1
    assert written != contents(stage, "source", "ibox-a")
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "carry_back"}}
    result = stage.settle(saved=stage.saved())
    assert not result.plan.tenants[0].steps, result.plan.tenants[0].steps
    assert contents(stage, "source", "ibox-a") == written
    assert servers(stage.rows("source/nova/servers")) == servers(shop_moved.before["source/nova/servers"])
    assert stage.sandbox.control.violations() == []


def servers(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Whose lock it is cannot be given back: only the tenant's own login can take the tenant's lock."""
    kept = ("name", "vm_state", "task_state", "power_state", "metadata", "tags", "nics", "volumes", "host")
    return {row["id"]: {**{key: row[key] for key in kept}, "locked": bool(row["locked_by"])} for row in rows}
