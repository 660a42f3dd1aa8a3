from dataclasses import replace

from millpond.model.compute import ServerGroup
from millpond.model.desired import Desired
from millpond.reconcilers.base import Goals, KindPlan
from millpond.reconcilers.compute import server_group
from tests.planning.situations import flags
from tests.planning.tenant import INVENTORY, SERVERS, desired, world
from tests.planning.world import World
from tests.reconcilers.kinds import body, change, codes, ids, planned

SPREAD = ServerGroup("g-spread", "spread", "anti-affinity", {"max_server_per_host": 2}, ("server-1", "server-2"))
TENANT = replace(INVENTORY, server_groups=(SPREAD,), servers=tuple(replace(s, server_group_id="g-spread") for s in SERVERS))


def test_a_group_is_made_with_its_policy_and_rules() -> None:
    found = planned(server_group, desired(TENANT), world(TENANT))
    assert ids(found) == ["spread#create"]
    assert body(found, "#create") == {"name": "spread", "policy": "anti-affinity", "rules": {"max_server_per_host": 2}}


def test_it_is_found_again_by_name_and_policy_and_members_join_at_their_boot() -> None:
    made, on = world(TENANT), flags(pilot=True, rest=True, base=desired(TENANT))
    made.tick()
    made.advance(on)
    assert ids(planned(server_group, on, made)) == []
    group = next(iter(made.target.compute.groups_.values()))
    assert sorted(group.members) == sorted(made.target.compute.rows)


def test_boots_of_an_anti_affinity_group_follow_each_other() -> None:
    one_wave = replace(desired(TENANT).waves[0], servers=("server-1", "server-2"), volumes=("root-1", "data-1", "root-2"), cutover=True)
    documents = replace(desired(TENANT), waves=(one_wave,))
    plan = world(TENANT).plan(documents)
    second = next(step for step in plan.steps if step.id == "acme/server/web-2#create")
    assert "acme/server/web-1#create" in second.after


def test_groups_that_cannot_be_told_apart_block() -> None:
    twice = replace(TENANT, server_groups=(SPREAD, replace(SPREAD, id="g-other")))
    assert [code for code, _ in codes(planned(server_group, desired(twice), world(twice)))] == ["ambiguous_server_group"]
    made = world(TENANT)
    made.advance(desired(TENANT))
    made.target.compute.groups_ = {id: replace(SPREAD, id=id) for id in ("t-1", "t-2")}
    assert [code for code, _ in codes(planned(server_group, desired(TENANT), made))] == ["ambiguous_server_group"]
    made.target.compute.groups_ = {"t-1": replace(SPREAD, id="t-1", policy="affinity")}
    assert ids(planned(server_group, desired(TENANT), made)) == ["spread#create"]


def test_decommissioning_deletes_the_known_groups_that_no_excluded_server_is_in() -> None:
    made, leaving = world(TENANT), Goals(decommission=True)
    found = planned_with(leaving, desired(TENANT), made)
    assert (ids(found), change(found, "#delete").danger) == (["spread#delete"], True)
    assert ids(planned_with(leaving, replace(desired(TENANT), excluded=frozenset({"server-2"})), made)) == []
    made.source.compute.groups_["g-new"] = replace(SPREAD, id="g-new")
    assert ids(planned_with(leaving, desired(TENANT), made)) == ["spread#delete"]
    del made.source.compute.groups_["g-spread"]
    assert ids(planned_with(leaving, desired(TENANT), made)) == []


def planned_with(goals: Goals, documents: Desired, made: World) -> KindPlan:
    return server_group.plan(documents, made.snapshot(), goals)
