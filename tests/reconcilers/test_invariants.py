"""The world changes between the plan and the call: the call is refused, and nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from millpond.errors import InvariantBroken, LeaseHeld, MillpondError
from millpond.model.array import ReplicaState, Role
from millpond.model.block_storage import Attachment, VolumeBackup
from millpond.model.change import UNKNOWN, Change
from millpond.model.compute import AttachedVolume
from millpond.model.desired import Desired, DesiredWave
from millpond.model.image import Image
from millpond.model.manifest import Rollback
from millpond.model.marker import DECOMMISSION_TAG_PREFIX
from millpond.reconcilers.invariants import everything_is_known
from tests.planning.arrays import LunMapping
from tests.planning.situations import BACK, BOTH, PILOT, approved, back, before, cut_of, done, leaving, prepared, until
from tests.planning.tenant import INVENTORY, desired
from tests.planning.tenant import volume as a_volume
from tests.planning.tenant import world as fresh
from tests.planning.world import World, at, flagged

GROUP = "replication_group/pilot-ssd"


def change(world: World, documents: Desired, id: str) -> Change:
    """The planned change, ready to be sent."""
    plan = world.plan(documents)
    found = next(step for step in plan.changes if step.id == f"acme/{id}")
    assert not found.after
    return found


def ready(documents: Desired, id: str, start: World | None = None) -> tuple[World, Change]:
    world = start or until(documents, id)
    world.advance(documents, at(id))
    return world, change(world, documents, id)


def refused(world: World, planned: Change, match: str, error: type[MillpondError] = InvariantBroken) -> None:
    """What everybody sees stays as it was, down to the last write."""
    then, sent = world.snapshot(), list(world.sent)
    with pytest.raises(error, match=match):
        world.perform(planned)
    assert replace(world.snapshot(), now=then.now).source == then.source
    assert (world.snapshot().target, world.sent) == (then.target, sent)
    assert world.snapshot().storage.replicas == then.storage.replicas


def source(world: World, **values: Any) -> None:
    world.source.compute.put("server-1", **values)


def copy_of(world: World, **values: Any) -> None:
    world.target.compute.put(next(iter(world.target.compute.rows)), **values)


def side(world: World, array: str, **values: Any) -> None:
    known = world.arrays[array].replicas_
    id = next(id for id, replica in known.items() if replica.grouped)
    known[id] = replace(known[id], **values)


def a_second_host(world: World) -> None:
    array = world.arrays["ibox-a"]
    array.mappings.add(LunMapping("openstack-host-other", array.by_name("openstack-vol-data-1").id))


def another_server(world: World) -> None:
    volume = world.source.block_storage.rows["data-1"]
    world.source.block_storage.rows["data-1"] = replace(volume, attachments=(*volume.attachments, Attachment("server-2")))


def two_servers_on_one_host(world: World) -> None:
    """And a mapping to another host, which neither of them accounts for."""
    a_second_host(world)
    world.source.compute.put("server-2", status="SHUTOFF", locked=True)
    shared = (Attachment("server-1", "/dev/vdb", "compute-1"), Attachment("server-2", "/dev/vdb", "compute-1"))
    world.source.block_storage.put("data-1", attachments=shared)


def unlisted_server(world: World) -> None:
    del world.source.compute.rows["server-1"]


def unlisted_volume(world: World) -> None:
    del world.source.block_storage.rows["data-1"]


def unlisted_disk(world: World) -> None:
    array = world.arrays["ibox-a"]
    del array.volumes_[array.by_name("openstack-vol-data-1").id]


def no_pair(world: World) -> None:
    for array in world.arrays.values():
        array.replicas_ = {id: replica for id, replica in array.replicas_.items() if not replica.grouped}


def another_disk(world: World) -> None:
    """An administrator let the target's volumes go, and made empty ones in their place."""
    storage = world.target.block_storage
    for id, volume in list(storage.rows.items()):
        made = storage.create_volume("", {**vars(volume), "metadata": storage.raw[id]})
        storage.put(made, status=volume.status)
        del storage.rows[id], storage.raw[id]


HANDS: list[tuple[str, str, Callable[[World], None], str]] = [
    ("fence", "runs again", lambda w: source(w, status="ACTIVE"), "not proven stopped"),
    ("fence", "is unlocked", lambda w: source(w, locked=False), "under an admin lock"),
    ("fence", "is starting", lambda w: source(w, task_state="powering-on"), "not proven stopped"),
    ("fence", "is mapped to a second host", a_second_host, "more than its stopped servers account for"),
    ("fence", "is attached to a running server", another_server, "is not stopped"),
    ("fence", "is mapped to a host of none of its servers", two_servers_on_one_host, "more than its stopped servers account for"),
    ("fence", "is attached to a server that is not listed", unlisted_server, "does not list server-1"),
    ("fence", "has a volume that Cinder does not list", unlisted_volume, "not listed.*data-1"),
    ("fence", "has a volume that the array does not list", unlisted_disk, "not listed"),
    ("promote", "is attached to a server that is not listed", unlisted_server, "does not list server-1"),
    ("fence", "was last synced before the stop", lambda w: side(w, "ibox-a", restore_point=1), "no sync that began after the stop"),
    ("fence", "has no pair any more", no_pair, "is gone from"),
    ("fence", "is something that newer firmware says", lambda w: side(w, "ibox-b", unknown="role WITNESS"), "does not know: role WITNESS"),
    ("fence", "leads to another disk than the target's volume", another_disk, "not the remote end of the replica"),
    ("promote", "leads to another disk than the target's volume", another_disk, "not the remote end of the replica"),
    ("promote", "runs again", lambda w: source(w, status="ACTIVE"), "not proven stopped"),
    ("promote", "is writable on the source again", lambda w: side(w, "ibox-a", role=Role.SOURCE), "still writable"),
    ("promote", "is promoted already", lambda w: side(w, "ibox-b", role=Role.SOURCE), "SOURCE already"),
]


@pytest.mark.parametrize(("action", "what", "turn", "match"), HANDS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_group_does_not_change_hands(action: str, what: str, turn: Callable[[World], None], match: str) -> None:
    world, planned = ready(PILOT, f"{GROUP}#{action}")
    turn(world)
    refused(world, planned, match)


def test_a_group_without_a_timed_stop_does_not_change_hands() -> None:
    world, planned = ready(PILOT, f"{GROUP}#fence")
    refused(world, replace(planned, parameters={**planned.parameters, "stopped": 0}), "no sync that began after the stop")


def test_firmware_that_refuses_two_targets_promotes_first() -> None:
    """What is proven is the same; that the source is still writable is then the way it has to be."""
    world, planned = ready(PILOT, f"{GROUP}#promote")
    world.site = replace(world.site, replication=replace(world.site.replication, fence_first=False))
    side(world, "ibox-a", role=Role.SOURCE, state=ReplicaState.SUSPENDED)
    source(world, status="ACTIVE")
    refused(world, planned, "not proven stopped")


def taking_back() -> tuple[World, Change]:
    world = prepared()
    world.site = replace(world.site, replication=replace(world.site.replication, fence_first=False))
    for array in world.arrays.values():
        array.both_targets_allowed = False
    documents = replace(PILOT, site=world.site)
    world.advance(documents, at(f"{GROUP}#fence"))
    world.host_brings_up("server-1")
    world.perform(change(world, documents, "source_server/web-1#untime"))
    return world, change(world, documents, f"{GROUP}#take_back")


def booting(world: World) -> None:
    world.source.compute.raw["server-1"]["millpond.booting"] = "2026-12-01T22:00:00Z/run-1"


def a_copy(world: World) -> None:
    world.target.compute.rows["copy"] = replace(world.source.compute.rows["server-2"], id="copy", status="SHUTOFF", locked=True)
    world.target.compute.raw["copy"] = {"millpond:source": "server-1"}


@pytest.mark.parametrize(
    ("turn", "match"),
    [
        (booting, "a boot on the target was tried"),
        (a_copy, "stands for one of this group's"),
        (lambda w: side(w, "ibox-a", role=Role.TARGET), "the source side is not writable"),
        (lambda w: side(w, "ibox-b", role=Role.TARGET), "TARGET already"),
    ],
)
def test_a_promotion_is_not_taken_back(turn: Callable[[World], None], match: str) -> None:
    world, planned = taking_back()
    turn(world)
    refused(world, planned, match)


def test_what_both_sides_may_have_written_is_left_to_a_person() -> None:
    world, planned = taking_back()
    booting(world)
    plan = world.plan(replace(PILOT, site=world.site))
    assert [finding.code for finding in plan.blockers] == ["both_written"]
    assert planned.id not in {step.id for step in plan.steps}


def unlaunched(world: World) -> None:
    """nova-compute was restarted between the guest's start and the writing of its launch."""
    copy_of(world, status="ERROR", launched_at="", power_state=1)


def held_by_another(world: World) -> None:
    storage = world.target.block_storage
    id = next(id for id, volume in storage.rows.items() if volume.name == "web-1-data")
    storage.rows[id] = replace(storage.rows[id], attachments=(*storage.rows[id].attachments, Attachment("the-tenants-new-one")))


@pytest.mark.parametrize("action", ["demote", "restore"])
@pytest.mark.parametrize(
    ("turn", "match"),
    [
        (lambda w: copy_of(w, status="ACTIVE"), "1 server still runs on the target"),
        (lambda w: copy_of(w, locked=False), "1 server still runs on the target"),
        (unlaunched, "1 server still runs on the target"),
        (held_by_another, "attached to a server on the target"),
    ],
)
def test_a_group_does_not_come_back(action: str, turn: Callable[[World], None], match: str) -> None:
    start = done()
    world, planned = ready(back(start, "discard"), f"{GROUP}#{action}", start)
    turn(world)
    refused(world, planned, match)


def test_the_source_is_not_given_back_while_the_target_is_writable() -> None:
    start = done()
    world, planned = ready(back(start, "discard"), f"{GROUP}#restore", start)
    side(world, "ibox-b", role=Role.SOURCE, state=ReplicaState.SUSPENDED)
    refused(world, planned, "still writable")


UP = {
    "active": {"status": "ACTIVE", "power_state": 1},
    "guest-runs": {"power_state": 1},
    "rescue": {"status": "RESCUE", "power_state": 1},
    "paused": {"status": "PAUSED", "power_state": 3},
    "suspended": {"status": "SUSPENDED", "power_state": 4},
    "error": {"status": "ERROR", "power_state": 1},
    "starting": {"task_state": "powering-on"},
}


@pytest.mark.parametrize("state", UP.values(), ids=list(UP))
def test_the_source_is_not_given_back_under_a_guest_that_is_up(state: dict[str, object]) -> None:
    start = done()
    world, planned = ready(back(start, "discard"), f"{GROUP}#restore", start)
    source(world, **state)
    refused(world, planned, "a guest is up on the source")


def not_carried(world: World) -> None:
    """As a way back that discards leaves it."""
    world.source.compute.raw["server-1"].pop("millpond.returned", None)
    array = world.arrays["ibox-a"]
    array.volumes_ = {id: replace(disk, snapshots=()) for id, disk in array.volumes_.items()}


@pytest.mark.parametrize("action", ["restore", "resume"])
def test_what_was_not_carried_back_is_not_given_up_for_good(action: str) -> None:
    start = done()
    world, planned = ready(back(start, "carry_back"), f"{GROUP}#{action}", start)
    not_carried(world)
    refused(world, planned, "given up without carrying anything back")


def test_no_copy_is_booted_beside_a_running_source() -> None:
    world, planned = ready(PILOT, "server/web-1#create")
    source(world, status="ACTIVE")
    refused(world, planned, "not proven stopped")


def test_no_copy_is_booted_from_a_disk_that_holds_nothing() -> None:
    world, planned = ready(PILOT, "server/web-1#create")
    another_disk(world)
    refused(world, planned, "not the remote end of the replica of (root|data)-1")
    unpaired = {id: ("", 0, origin) for id, (_, _, origin) in planned.parameters["disks"].items()}
    world, planned = ready(PILOT, "server/web-1#create")
    refused(world, replace(planned, parameters={**planned.parameters, "disks": unpaired}), "not the remote end")


@pytest.mark.parametrize("turn", [lambda w: copy_of(w, status="ACTIVE"), unlaunched], ids=["active", "unlaunched"])
def test_no_source_is_started_beside_a_running_copy(turn: Callable[[World], None]) -> None:
    start = done()
    world, planned = ready(back(start, "discard"), "source_server/web-1#start", start)
    turn(world)
    refused(world, planned, "two copies would run")


@pytest.mark.parametrize("values", [{"status": "ERROR"}, {"launched_at": ""}, {"status": "PAUSED"}])
def test_nothing_is_handed_over_that_does_not_run(values: dict[str, str]) -> None:
    world, planned = ready(PILOT, "source_server/web-1#verify")
    copy_of(world, **values)
    refused(world, planned, "not proven to run on the target")


def test_nothing_is_handed_over_that_is_gone() -> None:
    world, planned = ready(PILOT, "source_server/web-1#verify")
    world.target.compute.rows.clear()
    refused(world, planned, "0 server")


SPARE = a_volume("vol-spare", "spare", 5)


def arriving(adoption: str) -> tuple[World, Change]:
    """A volume that is a wave of its own, before it is handed over."""
    documents = desired(replace(INVENTORY, servers=(), ports=(), floating_ips=(), volumes=(SPARE,)), adoption=adoption)
    documents = replace(documents, waves=(DesiredWave("disks", (), (SPARE.id,), cutover=True),))
    world = fresh(documents.inventory)
    world.tick()
    return ready(documents, "source_volume/spare#verify", world)


def its_twin(world: World, **values: Any) -> None:
    world.target.block_storage.put(next(iter(world.target.block_storage.rows)), **values)


def not_marked(world: World) -> None:
    storage = world.target.block_storage
    storage.raw[next(iter(storage.rows))].pop("millpond:source")


def its_side(world: World, **values: Any) -> None:
    known = world.arrays["ibox-b"].replicas_
    id = next(iter(known))
    known[id] = replace(known[id], **values)


def never_paired(world: World) -> None:
    world.arrays["ibox-b"].replicas_.clear()


ARRIVING: list[tuple[str, Callable[[World], None], str]] = [
    ("is in maintenance", lambda w: its_twin(w, status="maintenance"), "not proven to have arrived.*maintenance"),
    ("is in error", lambda w: its_twin(w, status="error"), "not proven to have arrived.*error"),
    ("is gone", not_marked, "not proven to have arrived: 0 volumes of the target stand for it"),
    ("is another disk", another_disk, "not the remote end of the replica"),
    ("is read-only", lambda w: its_side(w, role=Role.TARGET), "the tenant could not write to it"),
    ("has no replica", never_paired, "is gone from ibox-b"),
    ("is something that newer firmware says", lambda w: its_side(w, unknown="role WITNESS"), "does not know: role WITNESS"),
]


@pytest.mark.parametrize("adoption", ["precreate", "manage"])
@pytest.mark.parametrize(("what", "turn", "match"), ARRIVING, ids=[what for what, _, _ in ARRIVING])
def test_no_volume_is_handed_over_that_has_not_arrived(what: str, turn: Callable[[World], None], match: str, adoption: str) -> None:
    world, planned = arriving(adoption)
    turn(world)
    refused(world, planned, match)


def by_another(world: World) -> None:
    world.source.compute.raw["server-1"]["millpond.run"] = "run-9"


def undone(world: World) -> None:
    for key in [key for key in world.source.compute.raw["server-1"] if key.startswith("millpond.")]:
        del world.source.compute.raw["server-1"][key]


@pytest.mark.parametrize(
    "id",
    ["source_server/web-1#lock", "source_server/web-1#stop", f"{GROUP}#fence", f"{GROUP}#promote", "source_server/web-1#boot", "server/web-1#create",
     "source_server/web-1#verify"],
)  # fmt: skip
def test_a_run_that_is_no_longer_the_cuts_does_nothing(id: str) -> None:
    world, planned = ready(PILOT, id)
    by_another(world)
    with pytest.raises(LeaseHeld, match="run-9 has taken over"):
        world.perform(planned)
    undone(world)
    refused(world, planned, "no cut is recorded")


def another_cut(world: World) -> None:
    world.source.compute.raw["server-1"]["millpond.cut"] = "20300101T000000Z"


RETURN = [
    "source_server/web-1#unverify", "server/web-1#lock", "server/web-1#stop", f"{GROUP}#demote", f"{GROUP}#restore", f"{GROUP}#resume",
    "source_server/web-1#start", "source_server/web-1#unlock", "server/web-1#delete", "volume/web-1-data#reserve",
    "source_server/web-1#forget:millpond.cut",
]  # fmt: skip
CARRIED = ["source_server/web-1#time_return", f"{GROUP}#reverse", f"{GROUP}#reverse_sync", f"{GROUP}#reverse_suspend"]


@pytest.mark.parametrize(
    ("turn", "match"), [(by_another, "run-9 has taken over"), (undone, "it was undone"), (another_cut, "but 20300101T000000Z")]
)
@pytest.mark.parametrize(("id", "how"), [*((id, "discard") for id in RETURN), *((id, "carry_back") for id in CARRIED)])
def test_nor_on_the_way_back(id: str, how: str, turn: Callable[[World], None], match: str) -> None:
    """By another run, undone by another run, or undone and cut again: the record says it."""
    start = done()
    if how == "discard":
        start.discard(["server-1"])
    world, planned = ready(back(start, how), id, start)
    turn(world)
    refused(world, planned, match, LeaseHeld)


def strange(world: World) -> None:
    world.target.compute.raw[next(iter(world.target.compute.rows))].pop("millpond:source")


def deadly_disk(world: World) -> None:
    id = next(iter(world.target.compute.rows))
    disks = world.target.compute.rows[id].volumes
    copy_of(world, volumes=(replace(disks[0], delete_on_termination=True), *disks[1:]))


@pytest.mark.parametrize(
    ("turn", "match"),
    [
        (strange, "deletes only what it created"),
        (deadly_disk, "a disk of server"),
        (lambda w: copy_of(w, status="ACTIVE"), "proven stopped, or never ran"),
        (lambda w: copy_of(w, locked=False), "proven stopped, or never ran"),
        (unlaunched, "proven stopped, or never ran"),
    ],
)
def test_a_target_server_is_not_deleted(turn: Callable[[World], None], match: str) -> None:
    start = done()
    start.discard(["server-1"])
    world, planned = ready(back(start, "discard"), "server/web-1#delete", start)
    turn(world)
    refused(world, planned, match)


def test_a_boot_that_came_to_life_is_not_deleted_as_failed() -> None:
    start = prepared()
    start.target.compute.failing = {"web-1"}
    world, planned = ready(PILOT, "server/web-1#delete_failed", start)
    copy_of(world, status="SHUTOFF", locked=True, launched_at="2026-12-01T22:00:00+00:00")
    refused(world, planned, "did not fail before launch")


def test_nor_one_whose_guest_came_up_behind_novas_back() -> None:
    start = prepared()
    start.target.compute.failing = {"web-1"}
    world, planned = ready(PILOT, "server/web-1#delete_failed", start)
    unlaunched(world)
    refused(world, planned, "proven stopped, or never ran")


def dying(id: str) -> tuple[World, Change]:
    start = done(BOTH)
    start.now = start.now.replace(day=9)
    return ready(approved(start, leaving()), id, start)


def unadmitted(world: World) -> None:
    for project in list(world.source.identity.rows.values()):
        tags = tuple(tag for tag in project.tags if not tag.startswith(DECOMMISSION_TAG_PREFIX))
        world.source.identity.rows[project.id] = replace(project, tags=tags)


def pairing(turn: Callable[[World], None], match: str) -> None:
    start = fresh()
    start.tick()
    world, planned = ready(desired(), f"{GROUP}#pair", start)
    turn(world)
    refused(world, planned, match)


def twin(world: World, **values: Any) -> None:
    storage = world.target.block_storage
    storage.put(next(id for id in storage.rows if storage.shown(id).marker == "data-1"), **values)


def mapped_there(world: World) -> None:
    storage, array = world.target.block_storage, world.arrays["ibox-b"]
    name = next(volume.backend_name for volume in storage.volumes("") if volume.marker == "data-1")
    array.mappings.add(LunMapping("openstack-host-other", array.by_name(name).id))


def unmarked_volume(world: World) -> None:
    storage = world.target.block_storage
    storage.raw[next(id for id in storage.rows if storage.shown(id).marker == "data-1")].pop("millpond:source")


@pytest.mark.parametrize(
    ("turn", "match"),
    [
        (lambda w: twin(w, status="available"), "only a reserved one"),
        (lambda w: twin(w, attachments=(Attachment("the-tenants-new-one"),)), "only a reserved one"),
        (mapped_there, "is mapped to openstack-host-other"),
        (unmarked_volume, "stands for none of the group's"),
    ],
)
def test_nothing_is_overwritten_that_is_not_a_reserved_twin(turn: Callable[[World], None], match: str) -> None:
    pairing(turn, match)


def kept_long_enough(id: str) -> tuple[World, Change]:
    start = done(BOTH)
    return ready(flagged(BOTH, keep_pairs_until=start.now), id, start)


@pytest.mark.parametrize(
    ("turn", "match"),
    [
        (lambda w: unverified(w), "server-1 was not handed over"),
        (unlisted_server, "server-1 was not handed over"),
        (lambda w: side(w, "ibox-b", role=Role.TARGET), "writable side is not the target's alone"),
        (lambda w: side(w, "ibox-a", role=Role.SOURCE), "writable side is not the target's alone"),
    ],
)
def test_a_replica_that_may_be_needed_stays(turn: Callable[[World], None], match: str) -> None:
    world, planned = kept_long_enough(f"{GROUP}#unpair")
    turn(world)
    refused(world, planned, match)


def test_a_replica_goes_with_the_source_only_where_that_was_admitted() -> None:
    world, planned = dying(f"{GROUP}#unpair")
    unadmitted(world)
    refused(world, planned, "admitted decommissioning")


@pytest.mark.parametrize(
    ("values", "match"), [({"name": "somebody-elses"}, "deletes only what it created"), ({"replicated": True}, "still replicated")]
)
@pytest.mark.parametrize(("action", "array"), [("delete_group", "ibox-a"), ("delete_remote_group", "ibox-b")])
def test_no_group_is_deleted_that_is_not_ours(action: str, array: str, values: dict[str, Any], match: str) -> None:
    world, planned = kept_long_enough(f"{GROUP}#{action}")
    known = world.arrays[array].groups_
    known[planned.parameters["group"]] = replace(known[planned.parameters["group"]], **values)
    refused(world, planned, match)


def a_failed_volume() -> tuple[World, Change]:
    start = fresh()
    start.tick()
    world, _ = ready(desired(), "volume/web-1-data#reserve", start)
    twin(world, status="error")
    return world, change(world, desired(), "volume/web-1-data#delete_failed")


def replicated_twin(world: World) -> None:
    storage, array = world.target.block_storage, world.arrays["ibox-b"]
    name = next(volume.backend_name for volume in storage.volumes("") if volume.marker == "data-1")
    pattern = prepared().arrays["ibox-b"].replicas()[0]
    array.replicas_[77] = replace(pattern, id=77, pairs=(replace(pattern.pairs[0], local_id=array.by_name(name).id),))


@pytest.mark.parametrize(
    ("turn", "match"),
    [
        (unmarked_volume, "deletes only what it created"),
        (lambda w: twin(w, status="available"), "only one that Cinder could not create"),
        (lambda w: twin(w, attachments=(Attachment("server-9"),)), "is attached to server-9"),
        (replicated_twin, "may be the only copy"),
    ],
)
def test_a_volume_of_the_target_is_not_deleted(turn: Callable[[World], None], match: str) -> None:
    world, planned = a_failed_volume()
    turn(world)
    refused(world, planned, match)


def late_disk(world: World) -> None:
    """Attached since the plan was made, and to be deleted with its server."""
    disks = world.source.compute.rows["server-1"].volumes
    source(world, volumes=(*disks, AttachedVolume("late", "/dev/vdz", delete_on_termination=True)))


def unverified(world: World) -> None:
    world.source.compute.raw["server-1"].pop("millpond.verified")


@pytest.mark.parametrize(
    ("turn", "match"),
    [
        (unadmitted, "admitted decommissioning"),
        (unverified, "never handed over"),
        (another_cut, "another cut"),
        (lambda w: source(w, status="ACTIVE"), "not stopped"),
        (late_disk, "volume late, which nobody has approved to go"),
    ],
)
def test_a_source_server_does_not_die(turn: Callable[[World], None], match: str) -> None:
    world, planned = dying("source_server/web-1#delete")
    turn(world)
    refused(world, planned, match)


def attached(world: World) -> None:
    world.source.block_storage.put("data-1", attachments=(Attachment("server-9"),))


def replicated(world: World) -> None:
    array = world.arrays["ibox-a"]
    volume = array.by_name("openstack-vol-data-1").id
    pairs = (replace(prepared().arrays["ibox-a"].replicas()[0].pairs[0], local_id=volume),)
    array.replicas_[77] = replace(prepared().arrays["ibox-a"].replicas()[0], id=77, pairs=pairs)


@pytest.mark.parametrize(
    ("turn", "match"), [(unadmitted, "admitted decommissioning"), (attached, "still attached"), (replicated, "still replicated")]
)
def test_a_source_volume_does_not_die(turn: Callable[[World], None], match: str) -> None:
    world, planned = dying("source_volume/web-1-data#delete")
    turn(world)
    refused(world, planned, match)


@pytest.mark.parametrize(
    "id",
    [
        "source_project/acme#delete",
        "network/app#delete",
        "subnet/app-v4#delete",
        "port/eth0-1#delete",
        "security_group/web#delete",
    ],
)
def test_nothing_of_the_source_is_deleted_unless_it_was_admitted(id: str) -> None:
    world, planned = dying(id)
    unadmitted(world)
    refused(world, planned, "admitted decommissioning")


def test_no_project_is_deleted_with_an_image_or_a_backup_that_came_last() -> None:
    world, planned = dying("source_project/acme#delete")
    world.source.image.rows["late"] = Image("late", "golden")
    world.source.block_storage.backups_["late"] = VolumeBackup("late", "weekly", "root-1")
    refused(world, planned, "the project is not empty yet: 1 image, 1 backup\\b")


@pytest.mark.parametrize("id", ["segment/edge/10.0.0.1#attach", "segment/edge#set_gateway"])
def test_no_second_gateway_comes_up(id: str) -> None:
    """The source's interface and gateway stand again, as they did before the switch let go of them."""
    world, planned = ready(BOTH, id)
    as_it_was = prepared().source.network
    world.source.network.rows["router"] = as_it_was.rows["router"]
    world.source.network.rows["port"].update({p.id: p for p in as_it_was.rows["port"].values() if p.device_id == "r-edge"})
    refused(world, planned, "still")


@pytest.mark.parametrize("id", ["segment/edge/10.0.0.1#attach", "segment/edge#set_gateway"])
def test_no_second_gateway_comes_up_on_the_way_back(id: str) -> None:
    start = done(BOTH)
    as_it_was = start.copy().target.network
    start.discard(["server-1", "server-2"])
    blocks = {
        name: {"rollback": Rollback(cut_of(start, server), "discard")} for name, server in (("pilot", "server-1"), ("rest", "server-2"))
    }
    world, planned = ready(flagged(BACK, **blocks), id, start)
    world.target.network.rows["router"] = as_it_was.rows["router"]
    world.target.network.rows["port"].update({p.id: p for p in as_it_was.rows["port"].values() if "router" in p.device_owner})
    refused(world, planned, "still")


@pytest.mark.parametrize("id", ["segment/edge/10.0.0.1#attach", "segment/edge#set_gateway"])
def test_no_second_gateway_comes_up_beside_a_router_that_was_not_listed(id: str) -> None:
    """The plan was made without the target's router; it is looked for by the source's all the same."""
    start = done(BOTH)
    target = start.copy().target.network
    start.discard(["server-1", "server-2"])
    blocks = {
        name: {"rollback": Rollback(cut_of(start, server), "discard")} for name, server in (("pilot", "server-1"), ("rest", "server-2"))
    }
    world, _ = ready(flagged(BACK, **blocks), id, start)
    gone = dict(world.target.network.rows["router"])
    world.target.network.rows["router"].clear()
    planned = next(step for step in world.plan(flagged(BACK, **blocks)).changes if step.id == f"acme/{id}")
    world.target.network.rows["router"] = {**gone, **target.rows["router"]}
    world.target.network.rows["port"].update({p.id: p for p in target.rows["port"].values() if "router" in p.device_owner})
    refused(world, planned, "still")


def test_no_interface_of_the_source_is_detached_for_good_unless_it_was_admitted() -> None:
    world, planned = dying("router/edge#delete")
    unadmitted(world)
    values = {"call": "detach", "id": "r-edge", "port_id": "i-app", "source_project": planned.parameters["source_project"]}
    refused(world, replace(planned, action="detach", parameters=values), "admitted decommissioning")


def test_no_port_is_deleted_that_is_not_ours() -> None:
    start = prepared("ovn")
    documents = replace(BACK, site=start.site)
    start.advance(PILOT, at("source_server/web-1#boot"))
    world, planned = ready(documents, "port/eth0-1#withdraw", start)
    known = world.target.network.rows["port"]
    known[planned.parameters["id"]] = replace(known[planned.parameters["id"]], tags=())
    refused(world, planned, "deletes only what it created")


def test_no_floating_ip_is_deleted_that_is_not_parked() -> None:
    start = done(BOTH)
    start.discard(["server-1", "server-2"])
    blocks = {
        name: {"rollback": Rollback(cut_of(start, server), "discard")} for name, server in (("pilot", "server-1"), ("rest", "server-2"))
    }
    documents = flagged(BACK, **blocks)
    start.advance(documents, lambda plan: any(c.action == "release" and not c.after for c in plan.changes))
    planned = next(c for c in start.plan(documents).changes if c.action == "release" and c.kind == "segment")
    known = start.source.network.rows["floatingip"]
    known[planned.parameters["id"]] = replace(known[planned.parameters["id"]], description="mine")
    refused(start, planned, "not one that Millpond parked")


def test_nothing_is_sent_that_refers_to_what_does_not_exist() -> None:
    _, planned = ready(PILOT, "server/web-1#create")
    body = {**planned.parameters["body"], "flavorRef": UNKNOWN}
    with pytest.raises(InvariantBroken, match="does not exist yet"):
        everything_is_known(replace(planned, parameters={**planned.parameters, "body": body}))
    everything_is_known(planned)
    assert before("server/web-1#create").target.compute.rows == {}


def test_no_rule_is_deleted_in_a_group_that_is_not_ours() -> None:
    world, planned = ready(desired(), "security_group/web/egress-ipv4-any-to-any#delete_rule", fresh())
    groups = world.target.network.rows["security_group"]
    for id, group in list(groups.items()):
        groups[id] = replace(group, tags=())
    refused(world, planned, "does not carry the marker")


def test_a_key_pair_that_another_one_took_the_name_of_stays() -> None:
    world, planned = ready(BOTH, "key_pair/boot:ops#remove_copy")
    keys = world.target.compute.keys
    keys[("u-login", "ops")] = replace(keys[("u-login", "ops")], public_key="ssh-ed25519 AAAAC3other me@here")
    refused(world, planned, "another key pair is called ops")
    assert ("u-login", "ops") in keys


LEG = "segment/edge/10.0.0.1#detach"


def switching(how: str) -> tuple[World, Change]:
    if how == "onward":
        return ready(BOTH, LEG)
    start = done(BOTH)
    start.discard(["server-1", "server-2"])
    blocks = {
        name: {"rollback": Rollback(cut_of(start, server), "discard")} for name, server in (("pilot", "server-1"), ("rest", "server-2"))
    }
    return ready(flagged(BACK, **blocks), LEG, start)


@pytest.mark.parametrize("how", ["onward", "back"])
@pytest.mark.parametrize(("gone", "match"), [(True, "is gone from the other side"), (False, "none of its addresses")])
def test_no_interface_goes_before_the_one_that_takes_its_place_stands(how: str, gone: bool, match: str) -> None:
    world, planned = switching(how)
    ports = (world.target if how == "onward" else world.source).network.rows["port"]
    twin = ports.pop(planned.parameters["twin"]["id"])
    if not gone:
        ports[twin.id] = replace(twin, fixed_ips=())
    refused(world, planned, match)


def on_fibre_channel(world: World, *foreign: str, told: bool = True) -> None:
    """The hypervisor of `server-1` has two ports, and the array a host for each."""
    array, ports = world.arrays["ibox-a"], ("10000090fa000001", "10000090fa000002")
    array.mappings.clear()
    for id in ("root-1", "data-1"):
        disk = array.by_name(f"openstack-vol-{id}").id
        array.mappings.update(LunMapping(f"openstack-host-{port}", disk) for port in (*ports, *foreign))
        if told:
            world.source.block_storage.initiators_[(id, "server-1")] = frozenset(ports)


def test_on_fibre_channel_a_hypervisor_has_a_mapping_for_each_of_its_ports() -> None:
    world, planned = ready(PILOT, "replication_group/pilot-ssd#fence")
    on_fibre_channel(world)
    world.perform(planned)
    assert world.snapshot().storage.replicas != prepared().snapshot().storage.replicas


@pytest.mark.parametrize(("foreign", "told"), [(("10000090fa000009",), True), ((), False)])
def test_a_port_that_no_attachment_tells_of_is_somebody_elses(foreign: tuple[str, ...], told: bool) -> None:
    world, planned = ready(PILOT, "replication_group/pilot-ssd#fence")
    on_fibre_channel(world, *foreign, told=told)
    refused(world, planned, "more than its stopped servers account for")


def of_another_digest(world: World) -> None:
    for project in list(world.source.identity.rows.values()):
        other = DECOMMISSION_TAG_PREFIX + "ffffffffffff"
        tags = tuple(other if tag.startswith(DECOMMISSION_TAG_PREFIX) else tag for tag in project.tags)
        world.source.identity.rows[project.id] = replace(project, tags=tags)


@pytest.mark.parametrize(
    "id",
    [
        "source_server/web-1#delete",
        "source_volume/web-1-data#delete",
        f"{GROUP}#unpair",
        "network/app#delete",
        "source_project/acme#delete",
    ],
)
def test_an_approval_of_another_digest_covers_nothing(id: str) -> None:
    world, planned = dying(id)
    of_another_digest(world)
    refused(world, planned, r"millpond:decommission=ffffffffffff\) is not the one that was planned")


ADDRESS = "segment/edge/203.0.113.20#dissociate"


@pytest.mark.parametrize(("id", "kind"), [(ADDRESS, "floatingip"), ("segment/edge#clear_gateway", "router")])
def test_nothing_is_taken_from_the_source_whose_twin_is_gone(id: str, kind: str) -> None:
    world, planned = ready(BOTH, id)
    world.target.network.rows[kind].clear()
    refused(world, planned, f"{kind} .* is gone from the other side")


def test_no_gateway_goes_back_to_a_router_that_is_gone() -> None:
    start = done(BOTH)
    start.discard(["server-1", "server-2"])
    blocks = {
        name: {"rollback": Rollback(cut_of(start, server), "discard")} for name, server in (("pilot", "server-1"), ("rest", "server-2"))
    }
    world, planned = ready(flagged(BACK, **blocks), "segment/edge#clear_gateway", start)
    world.source.network.rows["router"].clear()
    refused(world, planned, "router r-edge.* is gone from the other side")


def test_no_segment_goes_back_by_a_cut_that_was_undone_meanwhile() -> None:
    world, planned = switching("back")
    for id in ("server-1", "server-2"):
        world.source.compute.raw[id].pop("millpond.cut")
    refused(world, planned, "it was undone", LeaseHeld)


def test_no_server_boots_with_a_disk_that_dies_with_it() -> None:
    world, planned = ready(PILOT, "server/web-1#create")
    body = planned.parameters["body"]
    disks = [{**disk, "delete_on_termination": True} for disk in body["block_device_mapping_v2"]]
    body = {**body, "block_device_mapping_v2": disks}
    refused(world, replace(planned, parameters={**planned.parameters, "body": body}), "a way back needs it")


def deadly_step(world: World) -> Change:
    server = next(server for server in world.snapshot().target.servers if server.marker == "server-1")
    values = {"server_id": server.id, "volume_id": server.volumes[0].volume_id}
    address = desired().address("server", "server-1")
    return Change(address, f"delete_on_termination:{values['volume_id']}", source_id="server-1", servers=("server-1",), parameters=values)


def test_no_disk_dies_with_its_server_while_a_way_back_needs_it() -> None:
    world = done(BOTH)
    made = deadly_step(world)
    refused(world, made, "nothing says that the servers of this disk were handed over")
    proof = {"decommission": False, "recorded": ["server-1"], "arrived": [], "source_project": ""}
    unverified(world)
    refused(world, replace(made, parameters={**made.parameters, **proof}), "server-1 was not handed over")
    refused(world, replace(made, parameters={**made.parameters, **proof, "decommission": True}), "admitted decommissioning")
