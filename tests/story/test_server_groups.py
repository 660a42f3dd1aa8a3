"""Server groups that only their ids tell apart: Nova takes as many of one name as a tenant makes, and renames none."""

from __future__ import annotations

from tests.sandbox.conftest import connect
from tests.story.identical import Comparison
from tests.story.stage import Stage
from tests.story.worlds import boot_own_server


def test_servers_in_groups_of_one_name_stay_apart_and_an_unused_one_holds_nothing(untouched: Stage) -> None:
    stage = untouched
    alice = connect(stage.sandbox, "source-acme")
    request = {"server_group": {"name": "web", "policies": ["anti-affinity"]}}
    made = [alice.compute.post("/os-server-groups", json=request, microversion="2.15").json()["server_group"]["id"] for _ in range(3)]
    for name, group in zip(("blue-1", "green-1", "blue-2"), (made[0], made[2], made[0]), strict=True):
        boot_own_server(alice, name, "alice", group)
    stage.discover()
    assert [finding.code for finding in stage.plan().findings if finding.code == "ambiguous_server_group"] == []
    stage.manifest["cutover"] = True
    result = stage.settle(60)
    assert not result.remaining, (result.plan.tenants[0].steps, result.plan.tenants[0].blockers)
    names = {row["id"]: row["name"] for row in stage.rows("target/nova/servers")}
    groups = [sorted(names[id] for id in row["members"]) for row in stage.rows("target/nova/server_groups") if row["name"] == "web"]
    assert sorted(groups) == [[], ["blue-1", "blue-2"], ["green-1"]]
    assert list(Comparison(stage).different()) == []
    with stage.counted() as mutating:
        stage.apply()
    assert mutating == []
