from collections.abc import Callable
from dataclasses import replace

import pytest

from millpond.model.array import ConsistencyGroup, Role
from millpond.model.change import Change
from millpond.model.desired import Desired
from millpond.model.finding import Severity
from millpond.reconcilers.storage import replication_group
from tests.planning.arrays import GIB
from tests.planning.situations import BACK, PILOT, before
from tests.planning.tenant import SITE, desired, prepared, world
from tests.planning.world import World, at
from tests.reconcilers.kinds import change, codes, planned


def in_group(made: World, name: str, volume: str = "openstack-vol-root-2") -> World:
    """The volume in a consistency group of that name on the source array."""
    array = made.arrays["ibox-a"]
    id = array.create_group(name, "pool-1")
    array.groups_[id] = replace(array.groups_[id], members=(array.by_name(volume).id,))
    array.volumes_[array.by_name(volume).id] = replace(array.by_name(volume), cg_id=id)
    return made


def roles(made: World, source: Role, target: Role) -> World:
    """Of the group of the pilot wave, whoever changed them."""
    for name, role in (("ibox-a", source), ("ibox-b", target)):
        array = made.arrays[name]
        for id in [id for id, one in array.replicas_.items() if one.grouped]:
            array.replicas_[id] = replace(array.replicas_[id], role=role)
    return made


def found(documents: Desired, made: World) -> list[tuple[str, str]]:
    plan = planned(replication_group, documents, made)
    assert all(finding.severity is Severity.BLOCKER and finding.fix and finding.why for finding in plan.findings)
    held = {finding.wave for finding in plan.findings}
    assert [step.id for step in plan.steps if isinstance(step, Change) and step.wave in held] == []
    return codes(plan)


def test_a_volume_in_somebody_elses_group_is_left_alone() -> None:
    assert found(desired(), in_group(world(), "backup-of-the-shop")) == [("already_replicated", "rest")]


def its_name(made: World) -> str:
    """Of the group that the pilot wave is about to get."""
    return str(change(planned(replication_group, desired(), made), "pilot-ssd#create_group").parameters["name"])


def dressed() -> World:
    """All that a pair needs is there."""
    made = world()
    made.tick()
    made.advance(desired(), at("replication_group/pilot-ssd#create_group"))
    return made


@pytest.mark.parametrize("array", ["ibox-a", "ibox-b"])
@pytest.mark.parametrize("replicated", [False, True])
def test_a_group_of_the_same_name_that_holds_other_volumes_is_somebody_elses(array: str, replicated: bool) -> None:
    made = dressed()
    there = made.arrays[array]
    group = there.create_group(its_name(made), "pool-1")
    there.add_member(group, there.make("openstack-vol-of-another-tenant", GIB))
    there.groups_[group] = replace(there.groups_[group], replicated=replicated)
    then = there.groups_[group]
    plan = made.advance(desired())
    assert there.groups_[group] == then
    assert not [step for step in made.sent if step.startswith("acme/replication_group/pilot-ssd#")]
    assert [(finding.code, finding.wave) for finding in plan.blockers] == [("group_name_taken", "pilot")]
    assert f"{then.name} on {array} holds what is not of this wave" in plan.blockers[0].what
    assert "acme/replication_group/web-2-root#pair" in made.sent


@pytest.mark.parametrize(
    "step", ["add_member:web-1-root", "add_member:web-1-data", "create_remote_group", "add_remote_member:web-1-data", "pair"]
)
def test_a_group_that_holds_its_members_alone_is_ours_whoever_began_it(step: str) -> None:
    made = dressed()
    for id in ("create_group", "add_member:web-1-root", "add_member:web-1-data", "create_remote_group", "add_remote_member:web-1-data"):
        if id == step:
            break
        made.perform(replace(change(planned(replication_group, desired(), made), f"pilot-ssd#{id}"), after=()))
    made.crash()
    assert made.advance(desired()).blockers == ()
    assert [len(group.members) for group in made.arrays["ibox-a"].groups()] == [2]


def test_a_volume_in_another_waves_group_asks_for_its_wave_back() -> None:
    made = prepared()
    ours = next(group.name for group in made.arrays["ibox-a"].groups())
    assert found(desired(), in_group(made, f"{ours}-other")) == [("regroup", "rest")]


def test_a_member_that_came_keeps_its_own_replica_and_one_that_went_asks_for_its_wave_back() -> None:
    one, other = desired().waves
    joined = replace(one, servers=("server-1", "server-2"), volumes=("root-1", "data-1", "root-2"))
    assert found(replace(desired(), waves=(joined,)), prepared()) == []
    left = (replace(one, volumes=("root-1",)), replace(other, volumes=("root-2", "data-1")))
    assert sorted(found(replace(desired(), waves=left), prepared())) == [("regroup", "pilot"), ("regroup", "rest")]


def test_members_are_named_and_the_group_is_counted() -> None:
    plan = planned(replication_group, desired(), in_group(world(), "backup"))
    (finding,) = plan.findings
    assert str(finding.address) == "acme/volume/web-2-root"
    assert "openstack-vol-root-2" in finding.fix


@pytest.mark.parametrize(
    ("start", "documents", "source", "target", "code"),
    [
        (prepared, desired(), Role.SOURCE, Role.SOURCE, "both_writable"),
        (prepared, desired(), Role.TARGET, Role.SOURCE, "roles_without_record"),
        (prepared, desired(), Role.TARGET, Role.TARGET, "roles_without_record"),
        (lambda: before("replication_group/pilot-ssd#suspend"), PILOT, Role.SOURCE, Role.SOURCE, "both_writable"),
    ],
)
def test_roles_that_no_cut_gave_are_not_touched(
    start: Callable[[], World], documents: Desired, source: Role, target: Role, code: str
) -> None:
    assert found(documents, roles(start(), source, target)) == [(code, "pilot")]


def test_two_writable_sides_are_a_rung_of_a_cut_where_the_array_refuses_two_targets() -> None:
    site = replace(SITE, replication=replace(SITE.replication, fence_first=False))
    made = roles(before("replication_group/pilot-ssd#promote"), Role.SOURCE, Role.SOURCE)
    made.site = site
    assert found(replace(PILOT, site=site), made) == []
    assert found(PILOT, made) == [("both_writable", "pilot")]
    outside = roles(prepared(), Role.SOURCE, Role.SOURCE)
    assert ("both_writable", "pilot") in found(replace(BACK, site=site), outside)


def test_a_group_that_no_member_is_in_is_nobodys() -> None:
    made = prepared()
    made.arrays["ibox-a"].groups_[99] = ConsistencyGroup("ibox-a", 99, "stray", "pool-1")
    assert found(desired(), made) == []
