"""A disk that leaves its replication group in the middle of a cut: renamed on the array, or moved to a pool that no pair leads from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from millpond.model.desired import Desired, DesiredWave
from millpond.model.manifest import Rollback
from tests.planning.arrays import GIB
from tests.planning.situations import before, block, cut_of, done, flags
from tests.planning.tenant import INVENTORY, desired, volume, world
from tests.planning.world import World, at, flagged

SPARE = volume("vol-spare", "spare", 5)
TENANT = replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))
ALL = tuple(known.id for known in TENANT.volumes)


def with_disks() -> Desired:
    """The detached volume is a wave of its own, which has no servers."""
    base = desired(TENANT)
    rest = replace(base.waves[1], volumes=tuple(id for id in base.waves[1].volumes if id != SPARE.id))
    return replace(base, waves=(base.waves[0], rest, DesiredWave("disks", (), (SPARE.id,), cutover=False)))


OFF = with_disks()
ON = flagged(OFF, disks={"cutover": True})


def moved(made: World, name: str, pool: str) -> None:
    array = made.arrays["ibox-a"]
    disk = array.by_name(name)
    array.volumes_[disk.id] = replace(disk, pool=pool)


def renamed(made: World, name: str, to: str) -> None:
    array = made.arrays["ibox-a"]
    array.rename(array.by_name(name).id, to)


def rename(made: World) -> None:
    renamed(made, SPARE.backend_name, "spare-before-resize")


def rename_back(made: World) -> None:
    renamed(made, "spare-before-resize", SPARE.backend_name)


def move(made: World) -> None:
    moved(made, SPARE.backend_name, "pool-2")


def move_back(made: World) -> None:
    moved(made, SPARE.backend_name, "pool-1")


LEAVES = [(rename, "not_on_array", rename_back), (move, "no_pool_pair", move_back)]


def prepared() -> World:
    made = world(TENANT)
    made.tick()
    made.advance(OFF)
    made.tick(3600)
    return made


def arrived(made: World) -> tuple[str, int]:
    """The status of the volume on the target, and what its disk holds."""
    double = next(known for known in made.target.block_storage.volumes("") if known.marker == SPARE.id)
    array = made.arrays["ibox-b"]
    return double.status, array.contents[array.by_name(double.backend_name).id]


STEPS = [
    ("source_volume/spare#hold", "maintenance"),
    ("source_volume/spare#time", "maintenance"),
    ("replication_group/spare#fence", "maintenance"),
    ("volume/spare#release", "maintenance"),
    ("source_volume/spare#verify", "available"),
]


@pytest.mark.parametrize(("leave", "code", "come_back"), LEAVES, ids=["renamed", "another pool"])
@pytest.mark.parametrize(("step", "status"), STEPS)
def test_a_wave_of_volumes_waits_until_its_disk_can_be_turned(
    step: str, status: str, leave: Callable[[World], None], code: str, come_back: Callable[[World], None]
) -> None:
    made = prepared()
    array = made.arrays["ibox-a"]
    array.contents[array.by_name(SPARE.backend_name).id] = 7777
    made.advance(ON, at(step))
    leave(made)
    made.crash()
    plan = made.advance(ON)
    record = made.source.block_storage.shown(SPARE.id).record
    assert record is not None
    assert (record.verified, arrived(made)[0]) == ("", status)
    assert [(finding.code, finding.wave) for finding in plan.blockers] == [(code, "disks")]
    assert str(plan.waves[-1].stage) == "cut"
    come_back(made)
    made.advance(ON)
    assert str(made.plan(ON).waves[-1].stage) == "handed_over"
    assert arrived(made) == ("available", 7777)


ROOT = "openstack-vol-root-2"
LOSES = [
    (lambda made: renamed(made, ROOT, "elsewhere"), "not_on_array"),
    (lambda made: moved(made, ROOT, "pool-2"), "no_pool_pair"),
]


@pytest.mark.parametrize(("leave", "code"), LOSES, ids=["renamed", "another pool"])
def test_no_server_is_booted_whose_disk_nothing_turns(leave: Callable[[World], None], code: str) -> None:
    on = flags(rest=True)
    made = before("replication_group/web-2-root#fence", on=on)
    leave(made)
    plan = made.advance(on)
    record = made.source.compute.shown("server-2").record
    assert record is not None
    assert (record.booting, [(finding.code, finding.wave) for finding in plan.blockers]) == ("", [(code, "rest")])
    double = next(known for known in made.target.block_storage.volumes("") if known.marker == "root-2")
    assert double.status == "maintenance"


def excluded(documents: Desired) -> Desired:
    waves = tuple(replace(wave, volumes=tuple(id for id in wave.volumes if id != "root-2")) for wave in documents.waves)
    return replace(documents, waves=waves, excluded=documents.excluded | {"root-2"})


Turn = tuple[Callable[[World], None], Callable[[World], None], Callable[[Desired], Desired]]
STRAYS: dict[str, Turn] = {
    "renamed": (lambda made: renamed(made, ROOT, "elsewhere"), lambda made: renamed(made, "elsewhere", ROOT), lambda documents: documents),
    "another pool": (lambda made: moved(made, ROOT, "pool-2"), lambda made: moved(made, ROOT, "pool-1"), lambda documents: documents),
    "excluded": (lambda made: None, lambda made: None, excluded),
}


def held(made: World, turn: Turn, home: Desired) -> None:
    """Nothing is done on either side until the disk is where it was; then the way back ends."""
    leave, come_back, documents = turn
    leave(made)
    record = made.source.compute.shown("server-2").record
    copies = {id: one.status for id, one in made.target.compute.rows.items()}
    plan = made.advance(documents(home))
    assert [(finding.code, str(finding.address), finding.wave) for finding in plan.blockers] == [
        ("not_given_back", "acme/volume/web-2-root", "rest")
    ]
    assert (made.source.compute.rows["server-2"].status, made.source.compute.shown("server-2").record) == ("SHUTOFF", record)
    assert {id: one.status for id, one in made.target.compute.rows.items()} == copies
    assert [step for step in plan.waiting if not step.after]
    come_back(made)
    assert made.advance(home).steps == ()
    assert made.source.compute.rows["server-2"].status == "ACTIVE"


@pytest.mark.parametrize("how", ["discard", "carry_back"])
@pytest.mark.parametrize("turn", STRAYS.values(), ids=list(STRAYS))
def test_no_server_goes_back_onto_a_disk_that_nothing_gives_back(turn: Turn, how: str) -> None:
    made = done(flags(rest=True))
    made.discard(["server-2"] if how == "discard" else [])
    held(made, turn, flagged(flags(), **block(cut_of(made, "server-2"), how, ("rest",))))


@pytest.mark.parametrize("how", ["discard", "carry_back"])
@pytest.mark.parametrize("task", ["powering-on", "rebooting"])
def test_nor_is_a_copy_touched_that_is_just_being_started(task: str, how: str) -> None:
    """It would be locked, and come up as one that its tenant cannot stop."""
    made = done(flags(rest=True))
    (copy,) = [id for id in made.target.compute.rows if made.target.compute.shown(id).marker == "server-2"]
    made.discard(["server-2"] if how == "discard" else [])
    home = flagged(flags(), **block(cut_of(made, "server-2"), how, ("rest",)))
    renamed(made, ROOT, "elsewhere")
    made.target.compute.put(copy, status="SHUTOFF", task_state=task, power_state=4)
    begun = len(made.sent)
    assert [finding.code for finding in made.advance(home).blockers] == ["not_given_back"]
    assert made.sent[begun:] == []


@pytest.mark.parametrize("step", ["replication_group/web-2-root#promote", "source_server/web-2#boot"])
@pytest.mark.parametrize("turn", STRAYS.values(), ids=list(STRAYS))
def test_nor_before_it_was_booted(turn: Turn, step: str) -> None:
    held(before(step, on=flags(rest=True)), turn, flags())


def test_a_disk_that_was_never_replicated_holds_no_way_back() -> None:
    made = before("source_server/web-2#stop", on=flags(rest=True))
    assert made.advance(excluded(flags())).blockers == ()
    assert made.source.compute.shown("server-2").record is None


@pytest.mark.parametrize("how", ["discard", "carry_back"])
@pytest.mark.parametrize(("leave", "code", "come_back"), LEAVES, ids=["renamed", "another pool"])
def test_a_wave_of_volumes_keeps_its_record_until_its_disk_is_given_back(
    leave: Callable[[World], None], code: str, come_back: Callable[[World], None], how: str
) -> None:
    made = prepared()
    made.advance(ON)
    record = made.source.block_storage.shown(SPARE.id).record
    assert record is not None
    home = flagged(OFF, **block(record.cut, how, ("disks",)))
    leave(made)
    plan = made.advance(home)
    assert [finding.code for finding in plan.blockers] == ["not_given_back"]
    assert (made.source.block_storage.shown(SPARE.id).record, arrived(made)[0]) == (record, "available")
    come_back(made)
    assert made.advance(home).steps == ()
    assert (made.source.block_storage.shown(SPARE.id).record, arrived(made)[0]) == (None, "maintenance")


@pytest.mark.parametrize("how", ["discard", "carry_back"])
@pytest.mark.parametrize("replicates", [True, False])
def test_a_detached_volume_that_was_made_after_the_cut_holds_no_way_back(how: str, *, replicates: bool) -> None:
    made = done(flags(rest=True))
    made.crash()
    made.source.block_storage.rows[SPARE.id] = SPARE
    if replicates:
        made.arrays["ibox-a"].make(SPARE.backend_name, SPARE.size * GIB)
    made.discard(["server-2"] if how == "discard" else [])
    on = flagged(flags(base=desired(TENANT)), **block(cut_of(made, "server-2"), how, ("rest",)))
    assert "not_given_back" not in {finding.code for finding in made.advance(on).findings}
    assert made.source.compute.rows["server-2"].status == "ACTIVE"


@pytest.mark.parametrize("how", ["discard", "carry_back"])
@pytest.mark.parametrize("crashed", [True, False])
def test_a_server_that_is_down_goes_home_beside_one_whose_disk_strayed(how: str, *, crashed: bool) -> None:
    """Each replica is its own, and the detached volume that they share waits for no disk of theirs."""
    base = replace(desired(TENANT), waves=(DesiredWave("pilot", ("server-1", "server-2"), ALL, cutover=False, grouping="volume"),))
    made = world(TENANT)
    made.tick()
    made.advance(base)
    made.tick(3600)
    made.advance(flagged(base, pilot={"cutover": True}))
    made.tick(600)
    made.discard(["server-1", "server-2"] if how == "discard" else [])
    home = flagged(base, pilot={"rollback": Rollback(cut_of(made), how)})
    made.advance(home, lambda plan: all(copy.status == "SHUTOFF" for copy in made.target.compute.rows.values()))
    renamed(made, "openstack-vol-root-1", "elsewhere")
    if crashed:
        made.crash()
    assert [finding.code for finding in made.advance(home).blockers] == ["not_given_back"]
    assert {id: one.status for id, one in made.source.compute.rows.items()} == {"server-1": "SHUTOFF", "server-2": "ACTIVE"}
