from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.errors import LeaseHeld
from millpond.model.block_storage import VolumeSnapshot
from millpond.model.desired import Desired, DesiredWave
from millpond.model.manifest import Rollback
from millpond.planning.stages import records
from millpond.reconcilers.invariants_decommission import stands_for
from millpond.reconcilers.storage import source_volume
from tests.planning.situations import BOTH, approved, done, leaving
from tests.planning.tenant import INVENTORY, desired, prepared, volume, world
from tests.planning.world import World, at, flagged
from tests.reconcilers.kinds import change, ids, planned

SPARE = volume("spare-1-", "spare", 5)
TENANT = replace(INVENTORY, servers=(), ports=(), volumes=(SPARE,), floating_ips=())
OFF = replace(desired(TENANT), waves=(DesiredWave("rest", (), ("spare-1-",), cutover=False),))
ON = flagged(OFF, rest={"cutover": True})


def rungs(documents: Desired, made: World) -> list[str]:
    return [id.partition("#")[2] for id in ids(planned(source_volume, documents, made))]


def ready() -> World:
    made = world(TENANT)
    made.tick()
    made.advance(OFF)
    return made


def handed_over() -> World:
    made = ready()
    made.advance(ON)
    return made


def home(made: World, how: str) -> Desired:
    record = next(iter(records(made.snapshot(), OFF.waves[0]).values()))
    return flagged(OFF, rest={"rollback": Rollback(record.cut, how)})


def twin(made: World) -> str:
    return next(iter(made.target.block_storage.rows))


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        ("source_volume/spare#record", ["record", "hold", "time", "boot", "verify"]),
        ("source_volume/spare#hold", ["hold", "time", "boot", "verify"]),
        ("source_volume/spare#time", ["time", "boot", "verify"]),
        ("source_volume/spare#boot", ["boot", "verify"]),
        ("volume/spare#release", ["verify"]),
    ],
)
def test_volumes_of_a_wave_without_servers_carry_its_record(step: str, wanted: list[str]) -> None:
    made = ready()
    made.advance(ON, at(step))
    assert rungs(ON, made) == wanted


def test_handed_over_it_is_the_tenants_and_goes_back_by_a_block_alone() -> None:
    made = handed_over()
    assert made.target.block_storage.rows[twin(made)].status == "available"
    assert (rungs(ON, made), [str(wave.stage) for wave in made.plan(ON).waves]) == ([], ["handed_over"])
    assert [finding.code for finding in made.plan(OFF).blockers] == ["rollback_undecided"]


@pytest.mark.parametrize("how", ["discard", "carry_back"])
def test_the_way_back_ends_where_it_began(how: str) -> None:
    made = handed_over()
    written = made.arrays["ibox-b"]
    written.contents[written.by_name(f"openstack-vol-{twin(made)}").id] = 77
    assert rungs(home(made, how), made)[0] == "unverify"
    assert ("time_return" in rungs(home(made, how), made)) is (how == "carry_back")
    documents = home(made, how)
    plan = made.advance(documents)
    assert (plan.steps, made.source.block_storage.shown("spare-1-").record) == ((), None)
    assert made.target.block_storage.rows[twin(made)].status == "maintenance"
    here = made.arrays["ibox-a"]
    assert (here.contents[here.by_name("openstack-vol-spare-1-").id] == 77) is (how == "carry_back")


def test_a_change_of_mind_hands_it_over_again() -> None:
    made = handed_over()
    made.advance(home(made, "carry_back"), at("replication_group/spare#demote"))
    made.crash()
    made.advance(ON)
    assert [str(wave.stage) for wave in made.plan(ON).waves] == ["handed_over"]
    assert made.target.block_storage.rows[twin(made)].status == "available"


def test_a_detached_volume_goes_with_the_servers_of_its_wave() -> None:
    tenant = replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))
    documents = desired(tenant)
    made = world(tenant)
    made.tick()
    made.advance(documents)
    on = flagged(documents, rest={"cutover": True})
    plan = made.plan(on)
    released = next(step for step in plan.steps if step.id == "acme/volume/spare#release_detached")
    assert released.servers == ("server-2",)
    assert rungs(on, made) == ["record_hold", "hold"]
    made.advance(on)
    status = [known.status for known in made.target.block_storage.rows.values() if known.name == "spare"]
    assert status == ["available"]


def disk(made: World) -> int:
    return made.arrays["ibox-a"].by_name("openstack-vol-spare-1-").id


def arrived(made: World) -> int:
    array, storage = made.arrays["ibox-b"], made.target.block_storage
    name = next(known.backend_name for known in storage.volumes("") if known.marker == "spare-1-")
    return array.contents[array.by_name(name).id]


@pytest.mark.parametrize("step", ["sync", "suspend", "fence"])
def test_what_another_run_knew_of_the_stop_is_void(step: str) -> None:
    """Between two runs a detached volume can be attached, written and detached again."""
    made = ready()
    made.advance(ON, at(f"replication_group/spare#{step}"))
    made.crash()
    made.arrays["ibox-a"].contents[disk(made)] = 77
    made.tick(3600)
    made.advance(ON)
    assert arrived(made) == 77
    assert [str(wave.stage) for wave in made.plan(ON).waves] == ["handed_over"]


@pytest.mark.parametrize("shared", [False, True], ids=["detached", "multiattach"])
def test_it_is_void_for_what_the_locks_of_a_waves_servers_do_not_hold(shared: bool) -> None:
    volumes = tuple(replace(known, multiattach=True) if known.id == "root-2" else known for known in INVENTORY.volumes)
    tenant = replace(INVENTORY, volumes=volumes if shared else (*INVENTORY.volumes, SPARE))
    on, made = flagged(desired(tenant), rest={"cutover": True}), world(tenant)
    made.tick()
    group = "web-2-root" if shared else "rest-ssd"
    made.advance(on, at(f"replication_group/{group}#fence"))
    made.crash()
    array = made.arrays["ibox-a"]
    written = array.by_name("openstack-vol-root-2").id if shared else disk(made)
    array.contents[written] = 7777
    made.advance(on)
    assert made.sent.count("acme/source_server/web-2#time") == 2
    assert 7777 in made.arrays["ibox-b"].contents.values()
    assert made.plan(on).steps == ()


@pytest.mark.parametrize("step", ["demote", "restore", "resume"])
def test_a_run_whose_cut_was_taken_over_turns_nothing(step: str) -> None:
    """The record is on the volume alone: nothing of servers says whose cut it is."""
    made = ready()
    made.advance(ON, at("source_volume/spare#boot"))
    if step != "demote":
        made.advance(OFF, at(f"replication_group/spare#{step}"))
    planned_before = next(known for known in made.plan(OFF).changes if known.id == f"acme/replication_group/spare#{step}")
    made.crash()
    made.advance(ON)
    sent, then = len(made.sent), made.snapshot().storage.replicas
    with pytest.raises(LeaseHeld, match="run-2"):
        made.perform(planned_before)
    assert (len(made.sent), made.snapshot().storage.replicas) == (sent, then)


@pytest.mark.parametrize("step", ["reverse", "reverse_suspend"])
def test_nor_does_it_begin_or_end_the_way_of_the_targets_writes(step: str) -> None:
    made = handed_over()
    on = home(made, "carry_back")
    made.advance(on, at(f"replication_group/spare#{step}"))
    planned_before = next(known for known in made.plan(on).changes if known.id == f"acme/replication_group/spare#{step}")
    made.crash()
    made.advance(on, at("replication_group/spare#demote"))
    with pytest.raises(LeaseHeld, match="run-2"):
        made.perform(planned_before)


def test_one_run_times_a_stop_once() -> None:
    made = ready()
    made.advance(ON)
    assert made.sent.count("acme/source_volume/spare#time") == 1


def test_before_the_last_writes_are_timed_nobody_can_write_any_more() -> None:
    made = handed_over()
    on = home(made, "carry_back")
    made.advance(on, at("source_volume/spare#time_return"))
    assert made.target.block_storage.rows[twin(made)].status == "maintenance"


def test_a_later_way_back_times_what_was_written_since_the_former() -> None:
    made = handed_over()
    made.advance(home(made, "carry_back"), at("replication_group/spare#demote"))
    made.advance(ON)
    there = made.arrays["ibox-b"]
    there.contents[there.by_name(f"openstack-vol-{twin(made)}").id] = 88
    made.tick(600)
    made.advance(home(made, "carry_back"))
    assert made.arrays["ibox-a"].contents[disk(made)] == 88


def test_its_snapshots_die_before_it_and_unknown_ones_stay() -> None:
    known = VolumeSnapshot("snap-1", "nightly", "root-2")
    made = done(BOTH)
    made.now += timedelta(hours=2)
    made.source.block_storage.snapshots_ = {known.id: known, "snap-late": VolumeSnapshot("snap-late", "late", "root-2")}
    on = leaving()
    on = replace(on, inventory=replace(on.inventory, snapshots=(known,)))
    found = planned(source_volume, approved(made, on), made)
    assert [id for id in ids(found) if "web-2" in id] == ["web-2-root#delete_snapshot:snap-1", "web-2-root#delete"]
    assert change(found, "web-2-root#delete").after == ("acme/source_volume/web-2-root#delete_snapshot:snap-1",)


def test_a_volume_that_dies_with_its_server_is_no_failed_delete() -> None:
    first, second = INVENTORY.servers
    disks = tuple(replace(disk, delete_on_termination=True) for disk in first.volumes)
    mortal = replace(INVENTORY, servers=(replace(first, volumes=disks), second))
    on = flagged(desired(mortal), pilot={"cutover": True}, rest={"cutover": True})
    made = world(mortal)
    made.tick()
    made.advance(flagged(on, pilot={"cutover": False}, rest={"cutover": False}))
    made.advance(on)
    made.now += timedelta(hours=2)
    on = approved(made, flagged(on, decommission=True, soak=3600))
    found = planned(source_volume, on, made)
    dying = change(found, "web-1-root#delete")
    assert "goes with its server" in dying.reason
    assert "goes with its server" not in change(found, "web-2-root#delete").reason
    made.advance(on, at("source_server/web-1#delete"))
    steps = {step.id: step for step in made.plan(on).changes}
    made.perform(steps["acme/source_server/web-1#delete"])
    assert dying.source_id not in made.source.block_storage.rows
    made.perform(replace(steps[dying.id], after=()))


@pytest.mark.parametrize(
    ("adoption", "group", "first"), [("precreate", "rest-ssd", "reserve_first"), ("manage", "rest-ssd-manage", "unmanage_first")]
)
def test_a_detached_volume_is_taken_out_of_use_before_its_waves_last_writes_are_timed(adoption: str, group: str, first: str) -> None:
    """It shares its group, not its lock, with the servers of its wave: a server of the tenant could be given it and write."""
    tenant = replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))
    documents, made = desired(tenant, adoption=adoption), world(tenant)
    made.tick()
    made.advance(documents)
    made.advance(flagged(documents, rest={"cutover": True}))
    record = made.source.compute.shown("server-2").record
    assert record is not None
    back = flagged(documents, rest={"rollback": Rollback(record.cut, "carry_back")})
    steps = {step.id.removeprefix("acme/"): step for step in made.plan(back).steps}
    taken = f"acme/volume/spare#{first}"
    for later in ("source_server/web-2#time_return", f"replication_group/{group}#reverse_sync", f"replication_group/{group}#demote"):
        assert taken in steps[later].after
    before = len(made.sent)
    made.advance(back)
    sent = [id.removeprefix("acme/") for id in made.sent[before:]]
    assert sent.index(f"volume/spare#{first}") < sent.index("source_server/web-2#time_return")


def joined_late(made: World) -> Desired:
    """The wave `rest` is handed over; then a detached volume is created on the source and taken into the inventory."""
    made.advance(BOTH)
    made.source.block_storage.rows[SPARE.id] = SPARE
    made.arrays["ibox-a"].make(SPARE.backend_name, 5 * 1024**3)
    made.tick()
    documents = desired(replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE)))
    return flagged(documents, pilot={"cutover": True}, rest={"cutover": True})


def test_what_joins_a_wave_after_its_cut_is_told_and_moves_with_no_one() -> None:
    made = prepared()
    plan = made.plan(joined_late(made))
    assert [(finding.code, finding.wave) for finding in plan.blockers] == [("never_replicated", "rest")]
    assert plan.changes == ()


def test_a_decommissioning_never_deletes_a_disk_that_was_never_moved() -> None:
    made = prepared()
    documents = approved(made, flagged(joined_late(made), decommission=True, soak=0))
    plan = made.advance(documents)
    assert [finding.code for finding in plan.blockers] == ["never_replicated"]
    assert SPARE.id in made.source.block_storage.rows
    assert "acme/source_project/acme#admit_decommission" not in made.sent


def test_a_volume_of_the_target_that_was_never_released_stands_for_nothing() -> None:
    assert stands_for(replace(SPARE, marker="spare-1-", status="in-use"), "spare-1-")
    for status in ("creating", "maintenance", "error"):
        assert not stands_for(replace(SPARE, marker="spare-1-", status=status), "spare-1-")
