"""The end of a source that keeps a server which the manifest excludes: what was handed over goes, what that server needs stays."""

from pathlib import Path
from typing import Any

import pytest

from tests.story.stage import Stage
from tests.story.test_decommission import approve
from tests.story.worlds import Moved


@pytest.fixture
def stage(shop_moved: Moved, tmp_path: Path) -> Stage:
    return shop_moved.world.stage(tmp_path)


STAYS = {
    "nova/servers": ["legacy"],
    "nova/server_groups": [],
    "cinder/volumes": [],
    "neutron/ports": ["", "", ""],
    "neutron/networks": ["app"],
    "neutron/subnets": ["app-v4"],
    "neutron/routers": [],
    "neutron/floatingips": [],
    "neutron/security_groups": ["apps", "default"],
}
"""Its port, with those of DHCP, its network and its security group."""


def held(stage: Stage, table: str) -> list[str]:
    """Names of the tenant's rows, the objects of its only project on the source."""
    [project] = [row["id"] for row in stage.rows("source/keystone/project") if row["name"] == "acme"]
    return sorted(row["name"] for row in stage.rows(f"source/{table}") if row.get("project_id") == project)


def running(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["name"]: (row["id"], row["power_state"], row["nics"]) for row in rows}


def test_all_goes_but_what_an_excluded_server_lives_in(stage: Stage) -> None:
    before = stage.sandbox.control.dump()
    approve(stage)
    result = stage.settle(saved=stage.saved())
    assert not result.plan.tenants[0].steps, (result.plan.tenants[0].steps, result.outcomes)
    assert {table: held(stage, table) for table in STAYS} == STAYS
    assert stage.rows("ibox-a/replicas") == stage.rows("ibox-b/replicas") == []
    assert running(stage.rows("target/nova/servers")) == running(before["target/nova/servers"])
    assert stage.sandbox.control.violations() == []
    with stage.counted() as mutating:
        stage.apply()
    assert mutating == []


def test_nothing_is_tried_before_the_soak_has_passed(stage: Stage) -> None:
    approve(stage)
    stage.manifest["soak"] = "72h"
    with stage.counted() as mutating:
        result = stage.apply()
    assert (mutating, result.outcomes) == ([], ())
    assert result.remaining
