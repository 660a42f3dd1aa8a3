from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from millpond.model.array import Pair, Replica, ReplicaState, Role
from millpond.model.change import UNKNOWN
from millpond.model.desired import Desired
from millpond.reconcilers.storage import replication_group
from millpond.reconcilers.storage.replication import groups
from millpond.reconcilers.storage.safety import SAFETY_PREFIX
from tests.planning.arrays import GIB
from tests.planning.situations import BACK, BOTH, PILOT, approved, back, before, cut_of, done, leaving, one_wave
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, world
from tests.planning.world import World, at, flagged
from tests.reconcilers.kinds import change, codes, ids, planned

GROUP = "pilot-ssd"


def rungs(documents: Desired, made: World, group: str = GROUP) -> list[str]:
    """Of one group; `…` before what waits."""
    found = planned(replication_group, documents, made)
    return [id.replace(f"{group}#", "") for id in ids(found) if f"{group}#" in id]


def side(made: World, array: str, **values: Any) -> World:
    known = made.arrays[array].replicas_
    id = next(id for id, replica in known.items() if replica.grouped)
    known[id] = replace(known[id], **values)
    return made


def test_the_volumes_of_a_wave_are_paired_as_one_group_and_a_lone_one_by_itself() -> None:
    found = planned(replication_group, desired(), world())
    assert rungs(desired(), world()) == [
        "create_group",
        "add_member:web-1-root",
        "add_member:web-1-data",
        "create_remote_group",
        "add_remote_member:web-1-root",
        "add_remote_member:web-1-data",
        "pair",
        "… seed",
    ]
    assert rungs(desired(), world(), "web-2-root") == ["pair", "… seed"]
    pair = change(found, f"{GROUP}#pair").parameters
    assert (pair["group"], pair["remote_group"], {member[1] for member in pair["members"]}) == (UNKNOWN, UNKNOWN, {UNKNOWN})


def test_a_half_made_group_is_completed() -> None:
    made = world()
    made.tick()
    made.advance(desired(), lambda plan: any("add_member:web-1-data" in step.id and not step.after for step in plan.steps))
    first = change(planned(replication_group, desired(), made), "add_member:web-1-root")
    made.perform(first)
    assert rungs(desired(), made)[:2] == ["add_member:web-1-data", "create_remote_group"]
    made.advance(desired())
    assert rungs(desired(), made) == []


def test_waves_may_ask_for_one_replica_per_volume() -> None:
    alone = flagged(desired(), pilot={"grouping": "volume"})
    assert [group.name for group in groups(alone, world().snapshot())] == [f"openstack-vol-{id}" for id in ("root-1", "data-1", "root-2")]
    whole = groups(one_wave(), world().snapshot())
    assert [(group.grouped, len(group.members)) for group in whole] == [(True, 3)]


def test_adopted_volumes_are_a_group_of_their_own_and_get_their_remote_ends_by_the_pairing() -> None:
    made = world()
    array = made.arrays["ibox-a"]
    for name in ("openstack-vol-data-1", "openstack-vol-root-1"):
        disk = array.by_name(name)
        array.volumes_[disk.id] = replace(disk, size=disk.size - 512)
    found = planned(replication_group, desired(), made)
    pair = change(found, "pilot-ssd-manage#pair").parameters
    assert [member[1:] for member in pair["members"]] == [[0, "millpond-root-1"], [0, "millpond-data-1"]]
    assert pair["remote_group"] == 0


def test_replicas_beyond_the_arrays_limit_wait() -> None:
    few = replace(desired(), site=replace(SITE, limits=replace(SITE.limits, replicas=1)))
    assert rungs(few, world(), "web-2-root") == ["… pair"]


FORWARD = [
    ("source_server/web-1#stop", ["sync", "suspend", "fence", "promote"]),
    ("source_server/web-1#time", ["sync", "suspend", "fence", "promote"]),
    ("replication_group/pilot-ssd#suspend", ["suspend", "fence", "promote"]),
    ("replication_group/pilot-ssd#fence", ["fence", "promote"]),
    ("replication_group/pilot-ssd#promote", ["promote"]),
    ("source_server/web-1#boot", []),
    ("volume/web-1-root#release", []),
]


def reached(step: str) -> World:
    """As `before`, and the same run goes on."""
    made = prepared()
    made.advance(PILOT, at(step))
    return made


@pytest.mark.parametrize(("step", "wanted"), FORWARD)
def test_the_ladder_of_a_cut(step: str, wanted: list[str]) -> None:
    assert rungs(PILOT, reached(step)) == wanted


def test_another_run_synchronises_again_while_the_source_is_writable() -> None:
    again = ["sync", "suspend", "fence", "promote"]
    assert rungs(PILOT, before("replication_group/pilot-ssd#suspend")) == again
    assert rungs(PILOT, before("replication_group/pilot-ssd#fence")) == ["resume_for_sync", *again]
    assert rungs(PILOT, before("replication_group/pilot-ssd#promote")) == ["promote"]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"restore_point": 1}, ["sync", "suspend", "fence", "promote"]),
        ({"restore_point": 1, "job_running": True, "job_started": 1}, ["… sync", "suspend", "fence", "promote"]),
        ({"restore_point": 1, "state": ReplicaState.AUTO_SUSPENDED}, ["resume_for_sync", "sync", "suspend", "fence", "promote"]),
        ({"restore_point": 1, "state": ReplicaState.SUSPENDED}, ["resume_for_sync", "sync", "suspend", "fence", "promote"]),
        ({"state": ReplicaState.SUSPENDED}, ["fence", "promote"]),
        ({"state": ReplicaState.AUTO_SUSPENDED}, ["fence", "promote"]),
        ({"restore_point": 0, "initial": True}, ["… seed", "sync", "suspend", "fence", "promote"]),
    ],
)
def test_a_sync_counts_only_if_it_began_after_the_stop(values: dict[str, Any], wanted: list[str]) -> None:
    assert rungs(PILOT, side(reached("replication_group/pilot-ssd#suspend"), "ibox-a", **values)) == wanted


def test_firmware_that_refuses_two_targets_promotes_first() -> None:
    second = replace(PILOT, site=replace(SITE, replication=replace(SITE.replication, fence_first=False)))
    assert rungs(second, reached("replication_group/pilot-ssd#fence")) == ["promote", "fence"]


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ("source_server/web-1#time", []),
        ("replication_group/pilot-ssd#fence", ["resume"]),
        ("replication_group/pilot-ssd#promote", ["restore", "resume"]),
        ("source_server/web-1#boot", ["demote", "restore", "resume"]),
    ],
)
def test_the_ladder_back_before_any_boot(at: str, wanted: list[str]) -> None:
    assert rungs(BACK, before(at)) == wanted


def carried(at: str) -> tuple[Desired, World]:
    made = done()
    on = back(made, "carry_back")
    made.advance(on, lambda plan: any(step.id == f"acme/{at}" and not step.after for step in plan.steps))
    return on, made


DROP = [f"drop_safety_snapshot:web-1-{disk}:millpond-safety-20261201T220131Z-{disk}-1" for disk in ("root", "data")]
HOME = ["reverse_suspend", "demote", "restore", "resume", *DROP]


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ("source_server/web-1#unverify", ["safety_snapshot:web-1-root", "safety_snapshot:web-1-data", "reverse", "reverse_sync", *HOME]),
        ("replication_group/pilot-ssd#reverse", ["reverse", "reverse_sync", *HOME]),
        ("server/web-1#stop", ["reverse_sync", *HOME]),
        ("replication_group/pilot-ssd#reverse_suspend", HOME),
        ("replication_group/pilot-ssd#demote", HOME[1:]),
        ("replication_group/pilot-ssd#restore", HOME[2:]),
        ("replication_group/pilot-ssd#resume", HOME[3:]),
    ],
)
def test_the_ladder_that_carries_back(at: str, wanted: list[str]) -> None:
    assert rungs(*carried(at)) == wanted


def test_the_first_copy_back_runs_while_the_target_still_does() -> None:
    on, made = carried("replication_group/pilot-ssd#reverse")
    made.perform(change(planned(replication_group, on, made), f"{GROUP}#reverse"))
    assert rungs(on, made)[0] == "… reverse_seed"


def test_how_much_is_left_to_carry_back_is_not_guessed_from_the_size_of_the_disks() -> None:
    on, made = carried("replication_group/pilot-ssd#reverse")
    made.perform(change(planned(replication_group, on, made), f"{GROUP}#reverse"))
    (wait,) = (step for step in made.plan(on).waiting if step.action == "reverse_seed")
    assert (wait.bytes_left, wait.seconds) == (0, 0.0)


def test_a_demotion_is_for_good_only_where_something_was_written_on_the_target() -> None:
    made = before("source_server/web-1#boot")
    assert change(planned(replication_group, BACK, made), f"{GROUP}#demote").reversible
    discarding, carrying = back(done(), "discard"), carried("server/web-1#lock")
    assert not change(planned(replication_group, discarding, done()), f"{GROUP}#demote").reversible
    assert change(planned(replication_group, *carrying), f"{GROUP}#demote").reversible


@pytest.mark.parametrize("step", ["replication_group/pilot-ssd#reverse", "server/web-1#lock", f"replication_group/{GROUP}#demote"])
def test_what_is_being_carried_back_is_not_discarded_any_more(step: str) -> None:
    """The source would start on what was carried back so far, and the snapshots of what it held would go."""
    on, made = carried(step)
    discard, kept = back(made, "discard"), kept_snapshots(made)
    sent, plan = len(made.sent), made.advance(discard)
    assert ([finding.code for finding in plan.blockers], len(made.sent), kept_snapshots(made)) == (["carry_back_begun"], sent, kept)
    assert all(name in plan.blockers[0].why for name in kept)
    assert made.advance(on).steps == ()
    assert not kept_snapshots(made)


def test_renamed_snapshots_outlast_the_way_back() -> None:
    on, made = carried("replication_group/pilot-ssd#demote")
    array = made.arrays["ibox-a"]
    for id, disk in list(array.volumes_.items()):
        array.volumes_[id] = replace(disk, snapshots=tuple(name.replace(SAFETY_PREFIX, "kept-") for name in disk.snapshots))
        array.rename(id, disk.name.replace(SAFETY_PREFIX, "kept-"))
    made.advance(on)
    assert len([disk for disk in array.volumes_.values() if disk.name.startswith("kept-")]) == 2


def kept_snapshots(made: World) -> list[str]:
    return sorted(disk.name for disk in made.arrays["ibox-a"].volumes_.values() if disk.name.startswith(SAFETY_PREFIX))


def test_what_secured_a_rollback_goes_when_it_is_complete() -> None:
    on, made = carried("server/web-1#delete")
    made.advance(on)
    array = made.arrays["ibox-a"]
    assert not [name for volume in array.volumes_.values() for name in volume.snapshots]
    assert rungs(BACK, made) == []


def foreign(made: World) -> World:
    array = made.arrays["ibox-a"]
    id = array.by_name("openstack-vol-root-2").id
    array.replicas_[900] = Replica("ibox-a", 900, 901, Role.SOURCE, ReplicaState.ACTIVE, grouped=False, entity=id, pairs=(Pair(id, 5),))
    other = made.arrays["ibox-b"]
    other.volumes_[5] = replace(array.by_name("openstack-vol-root-2"), id=5, array="ibox-b", name="dr-copy")
    other.replicas_[901] = Replica("ibox-b", 901, 900, Role.TARGET, ReplicaState.NONE, grouped=False, entity=5, pairs=(Pair(5, id),))
    return made


def half(made: World) -> World:
    made.arrays["ibox-b"].replicas_ = {id: r for id, r in made.arrays["ibox-b"].replicas_.items() if not r.grouped}
    return made


def lost(made: World) -> World:
    made.arrays["ibox-a"].replicas_ = {id: r for id, r in made.arrays["ibox-a"].replicas_.items() if not r.grouped}
    return half(made)


@pytest.mark.parametrize(
    ("documents", "start", "turn", "code", "waits"),
    [
        (desired(), world, foreign, ("already_replicated", "rest"), []),
        (desired(), prepared, half, ("one_end", "pilot"), []),
        (PILOT, lambda: before("replication_group/pilot-ssd#suspend"), half, ("one_end", "pilot"), ["… promote"]),
        (PILOT, lambda: before("replication_group/pilot-ssd#suspend"), lost, ("pair_lost", "pilot"), ["… promote"]),
        (BACK, lambda: before("replication_group/pilot-ssd#promote"), lost, ("pair_lost", "pilot"), ["… restore"]),
        (PILOT, prepared, lambda made: side(made, "ibox-b", role=Role.SOURCE), ("both_writable", "pilot"), ["… promote"]),
        (PILOT, done, lambda made: side(made, "ibox-b", role=Role.TARGET), ("not_promoted", "pilot"), []),
    ],
)
def test_what_is_not_as_it_must_be_is_not_touched(
    documents: Desired, start: Callable[[], World], turn: Callable[[World], World], code: tuple[str, str], waits: list[str]
) -> None:
    made = turn(start())
    found = planned(replication_group, documents, made)
    assert code in codes(found)
    assert rungs(documents, made, GROUP if code[1] == "pilot" else "web-2-root") == waits


@pytest.mark.parametrize(
    ("documents", "start"), [(PILOT, prepared), (BOTH, lambda: done(BOTH)), (PILOT, lambda: before("replication_group/pilot-ssd#promote"))]
)
def test_a_replica_that_says_something_unknown_is_not_touched(documents: Desired, start: Callable[[], World]) -> None:
    made = side(start(), "ibox-b", role=Role.UNKNOWN, unknown="role WITNESS")
    found = planned(replication_group, documents, made)
    assert [code for code in codes(found) if code[1] == "pilot"] == [("unknown_replica", "pilot")]
    assert [rung for rung in rungs(documents, made) if not rung.startswith("…")] == []


def test_pairs_go_when_they_were_kept_long_enough_or_with_the_source() -> None:
    made = done(BOTH)
    kept = flagged(BOTH, keep_pairs_until=made.now)
    assert rungs(kept, made) == ["unpair", "delete_group", "delete_remote_group"]
    assert rungs(flagged(BOTH, keep_pairs_until=made.now.replace(year=2030)), made) == []
    assert rungs(approved(made, leaving()), made) == ["unpair", "delete_group", "delete_remote_group"]
    writable = change(planned(replication_group, kept, made), "pilot-ssd#unpair").parameters
    assert writable["array"] == "ibox-b"


def test_what_was_handed_over_is_never_paired_again() -> None:
    """Its replica is gone, and its wave gets another server: a first copy would overwrite what the tenant has on the target."""
    made = done()
    made.advance(flagged(PILOT, keep_pairs_until=made.now))
    on = flagged(one_wave(), pilot={"cutover": True})
    assert rungs(on, made) == []
    assert codes(planned(replication_group, on, made)) == []
    for array in made.arrays.values():
        array.replicas_.clear()
    assert codes(planned(replication_group, on, made)) == [("moved_in_part", "pilot")]
    assert rungs(on, made) == []


def test_a_replica_whose_writable_side_is_not_the_targets_stays() -> None:
    made = side(done(BOTH), "ibox-b", role=Role.TARGET)
    kept = flagged(BOTH, keep_pairs_until=made.now)
    assert (rungs(kept, made), codes(planned(replication_group, kept, made))) == ([], [("not_promoted", "pilot")])


def test_a_cut_has_its_id_in_the_name_of_what_secures_it() -> None:
    on, made = carried("source_server/web-1#unverify")
    names = [
        change(planned(replication_group, on, made), f"safety_snapshot:{name}").parameters["name"] for name in ("web-1-root", "web-1-data")
    ]
    assert all(name.startswith(f"millpond-safety-{cut_of(made)}-") for name in names)
    assert len(set(names)) == 2
    assert INVENTORY.volumes[0].size * GIB == made.arrays["ibox-a"].by_name("openstack-vol-root-1").size
