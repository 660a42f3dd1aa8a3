"""A disk that leaves its replication group in the middle of a cut: renamed on the array, or moved to a pool that no pair leads from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from millpond.model.desired import Desired, DesiredWave
from tests.planning.situations import before, flags
from tests.planning.tenant import INVENTORY, desired, volume, world
from tests.planning.world import World, at, flagged

SPARE = volume("vol-spare", "spare", 5)
TENANT = replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))


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
