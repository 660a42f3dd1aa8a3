"""A rollback, with a copy on the target that Nova does not stop: none is stopped, and a person is told what to do."""

from __future__ import annotations

import openstack

from tests.story.command import millpond
from tests.story.stage import Stage


def on_target(stage: Stage) -> dict[str, str]:
    return {row["name"]: row["vm_state"] for row in stage.rows("target/nova/servers")}


def power(stage: Stage, name: str, action: str, to: str) -> str:
    """By an administrator of the target, to its end."""
    connection = openstack.connect(cloud="target-admin")
    id = next(row["id"] for row in stage.rows("target/nova/servers") if row["name"] == name)
    getattr(connection.compute, f"{action}_server")(id)
    connection.compute.wait_for_server(connection.compute.get_server(id), status=to, interval=0.05, wait=20)
    return str(id)


def test_nothing_is_stopped_before_a_paused_copy_is_up_again(moved: Stage) -> None:
    id = power(moved, "web-1", "pause", "PAUSED")
    moved.manifest |= {"cutover": False, "rollback": {"cut": moved.cut(), "target_writes": "discard"}}
    moved.write()
    answer = millpond(moved.directory, "apply")
    assert answer.code == 3
    said = " ".join(answer.out.split())
    assert "Blocker: acme/server/web-1 holds wave rest [server_state]" in said
    assert f"openstack --os-cloud target-admin server unpause {id}" in said
    assert "OUTAGE" not in said
    assert on_target(moved) == {"db-1": "active", "web-1": "paused", "web-2": "active"}
    power(moved, "web-1", "unpause", "ACTIVE")
    assert not moved.settle().remaining
    assert on_target(moved) == {}
    assert {row["vm_state"] for row in moved.rows("source/nova/servers")} == {"active"}
    assert moved.sandbox.control.violations() == []
