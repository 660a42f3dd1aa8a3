from dataclasses import replace

import pytest

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


APART = (SPREAD, replace(SPREAD, id="g-other"))
TWICE = replace(
    INVENTORY,
    server_groups=(replace(APART[0], members=("server-1",)), replace(APART[1], members=("server-2",))),
    servers=(replace(SERVERS[0], server_group_id="g-spread"), replace(SERVERS[1], server_group_id="g-other")),
)


def members(made: World) -> dict[str, set[str]]:
    """The target's groups by id, with the source's ids of their members."""
    markers = {server.id: server.marker for server in made.target.compute.servers("")}
    return {id: {markers.get(member, member) for member in group.members} for id, group in made.target.compute.groups_.items()}


def test_groups_that_are_alike_are_as_many_as_on_the_source() -> None:
    made, on = world(TWICE), flags(pilot=True, rest=True, base=desired(TWICE))
    found = planned(server_group, desired(TWICE), made)
    first, second = (step.id for step in found.steps)
    assert (found.steps[1].after, found.findings) == ((first,), ())
    made.tick()
    made.advance(on)
    assert [id for id in made.sent if "/server_group/" in id] == [first, second]
    assert sorted(map(sorted, members(made).values())) == [["server-1"], ["server-2"]]
    assert ids(planned(server_group, on, made)) == []


@pytest.mark.parametrize("wave", ["pilot", "rest"])
def test_a_member_tells_its_group_from_the_others_that_are_alike(wave: str) -> None:
    """Whichever server comes first, the other one is booted into the group that is left, and comes back to it."""
    made, on = world(TWICE), flags(pilot=True, rest=True, base=desired(TWICE))
    made.tick()
    made.advance(desired(TWICE))
    made.target.compute.groups_ = dict(sorted(made.target.compute.groups_.items(), reverse=True))
    made.advance(flags(**{wave: True}, base=desired(TWICE)), wave=wave)
    assert sorted(map(len, members(made).values())) == [0, 1]
    made.advance(on)
    assert sorted(map(sorted, members(made).values())) == [["server-1"], ["server-2"]]


def test_groups_that_nobody_is_in_are_made_and_hold_nothing() -> None:
    """Of groups that are alike, the one that a server is in comes first."""
    empty = replace(SPREAD, members=())
    unused = replace(TENANT, server_groups=(replace(empty, id="g-0"), SPREAD, replace(empty, id="g-9")))
    made = world(unused)
    made.tick()
    found = planned(server_group, desired(unused), made)
    assert (len(found.steps), found.findings, found.steps[0].source_id) == (3, (), "g-spread")
    plan = made.advance(flags(pilot=True, rest=True, base=desired(unused)))
    assert plan.blockers == ()
    assert sorted(map(len, members(made).values())) == [0, 0, 2]


def test_a_group_with_other_rules_is_another_group() -> None:
    made = world(TENANT)
    made.advance(desired(TENANT))
    made.target.compute.groups_ = {"t-1": replace(SPREAD, id="t-1", rules={"max_server_per_host": 9}, members=())}
    assert ids(planned(server_group, desired(TENANT), made)) == ["spread#create"]


def test_groups_that_cannot_be_told_apart_hold_the_waves_that_use_them() -> None:
    made = world(TENANT)
    made.advance(desired(TENANT))
    made.target.compute.groups_ = {id: replace(SPREAD, id=id) for id in ("t-1", "t-2")}
    both = [("ambiguous_server_group", "pilot"), ("ambiguous_server_group", "rest")]
    found = planned(server_group, desired(TENANT), made)
    assert codes(found) == both
    assert "t-1, t-2" in found.findings[0].what
    assert "delete" in found.findings[0].fix
    alone = replace(TENANT, server_groups=(replace(SPREAD, members=("server-2",)),))
    assert codes(planned(server_group, desired(alone), made)) == both[1:]
    made.target.compute.groups_ = {"t-1": replace(SPREAD, id="t-1", policy="affinity")}
    assert ids(planned(server_group, desired(TENANT), made)) == ["spread#create"]


def test_the_only_group_that_is_alike_is_taken_whoever_is_in_it_and_an_empty_one_before_it() -> None:
    made = world(TENANT)
    made.advance(desired(TENANT))
    made.target.compute.groups_ = {"t-1": replace(SPREAD, id="t-1")}
    assert planned(server_group, desired(TENANT), made) == KindPlan()
    made.target.compute.groups_["t-2"] = replace(SPREAD, id="t-2", members=())
    documents, snapshot = desired(TENANT), made.snapshot()
    chosen = server_group.existing(documents, snapshot, SPREAD)
    assert chosen is not None
    assert chosen.id == "t-2"


@pytest.mark.parametrize("mixed", [True, False])
def test_members_that_contradict_the_source_leave_the_group_in_doubt(mixed: bool) -> None:
    """One group with the servers of two, or two with servers of one."""
    made = world(TWICE)
    made.tick()
    made.advance(flags(pilot=True, rest=True, base=desired(TWICE)))
    ours = {server.marker: server.id for server in made.target.compute.servers("")}
    inside = [tuple(ours.values())] if mixed else [(ours["server-1"],), (ours["server-1"],)]
    made.target.compute.groups_ = {f"t-{n}": replace(SPREAD, id=f"t-{n}", members=one) for n, one in enumerate(inside)}
    documents, snapshot = desired(TWICE), made.snapshot()
    assert server_group.existing(documents, snapshot, TWICE.server_groups[0]) is None
    found = planned_with(Goals(wave_of={"server-1": "pilot"}, verified=frozenset({"server-2"})), documents, made)
    assert codes(found) == [("ambiguous_server_group", "pilot")]


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
