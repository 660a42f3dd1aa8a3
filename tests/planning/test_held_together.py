"""A way back in which one server's disk is in the way: who shares replicas with it stays up beside it, who shares none goes home."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from millpond.model.block_storage import Attachment
from millpond.model.compute import AttachedVolume
from millpond.model.desired import Desired, DesiredWave
from millpond.model.inventory import Inventory
from millpond.model.manifest import Rollback
from millpond.model.site import PoolEnd, PoolPair
from tests.planning.situations import cut_of
from tests.planning.tenant import INVENTORY, SITE, desired, volume, world
from tests.planning.test_in_no_group import moved, renamed
from tests.planning.world import World, at, flagged

WORDS = ["carry_back", "discard"]
SECOND = volume("data-2", "web-2-data", 20, "server-2", "/dev/vdb")
WITH_SECOND = replace(
    INVENTORY,
    volumes=(*INVENTORY.volumes, SECOND),
    servers=(
        INVENTORY.servers[0],
        replace(INVENTORY.servers[1], volumes=(*INVENTORY.servers[1].volumes, AttachedVolume("data-2", "/dev/vdb"))),
    ),
)


def in_sync(inventory: Inventory, pools: dict[str, str], grouping: str = "consistency_group") -> tuple[World, Desired]:
    """All in one wave, to be cut. `pools`: where a disk is that is not in the first one; each has replicas of its own."""
    pairs = (PoolPair(name, PoolEnd("ibox-a", name), PoolEnd("ibox-b", name)) for name in ("pool-2", "pool-3"))
    base = desired(inventory, replace(SITE, pool_pairs=(*SITE.pool_pairs, *pairs)))
    servers, volumes = (tuple(one.id for one in kind) for kind in (inventory.servers, inventory.volumes))
    off = replace(base, waves=(DesiredWave("pilot", servers, volumes, cutover=False, grouping=grouping),))
    made = world(inventory, off.site)
    for disk, pool in pools.items():
        moved(made, f"openstack-vol-{disk}", pool)
    made.tick()
    made.advance(off)
    made.tick(3600)
    return made, off


def cut(inventory: Inventory, pools: dict[str, str], grouping: str = "consistency_group") -> tuple[World, Desired]:
    """The same, handed over."""
    made, off = in_sync(inventory, pools, grouping)
    assert not made.advance(flagged(off, pilot={"cutover": True})).steps
    made.tick(600)
    return made, off


def going_back(made: World, off: Desired, how: str) -> Desired:
    if how == "discard":
        made.discard(["server-1", "server-2"])
    return flagged(off, pilot={"rollback": Rollback(cut_of(made), how)})


def copies(made: World) -> dict[str, str]:
    return {made.target.compute.shown(id).marker: row.status for id, row in made.target.compute.rows.items()}


def on_source(made: World) -> dict[str, str]:
    return {id: row.status for id, row in made.source.compute.rows.items() if id in ("server-1", "server-2")}


def data_on_target(made: World) -> str:
    disks = made.target.block_storage
    return next(id for id in disks.rows if disks.shown(id).marker == "data-1")


HOME = {"server-1": "ACTIVE", "server-2": "ACTIVE"}


def lend(made: World) -> None:
    """The first server's data disk, to a server that the tenant made."""
    disks, compute, id = made.target.block_storage, made.target.compute, data_on_target(made)
    disks.rows[id] = replace(disks.rows[id], attachments=(Attachment("stranger", "/dev/vdb"),))
    for server, row in compute.rows.items():
        compute.rows[server] = replace(row, volumes=tuple(one for one in row.volumes if one.volume_id != id))


@pytest.mark.parametrize("how", WORDS)
def test_who_shares_no_replica_goes_home_and_nothing_is_timed_twice(how: str) -> None:
    made, off = cut(INVENTORY, {}, grouping="volume")
    on = going_back(made, off, how)
    lend(made)
    begun = len(made.sent)
    plan = made.advance(on, ticks=120)
    assert [finding.code for finding in plan.blockers] == ["volume_used_elsewhere"]
    assert (on_source(made), copies(made)) == ({"server-1": "SHUTOFF", "server-2": "ACTIVE"}, {"server-1": "ACTIVE"})
    assert not [step for step, times in Counter(made.sent[begun:]).items() if times > 1]


def test_a_stop_that_was_timed_stays_timed_while_a_disk_of_another_server_is_in_use() -> None:
    """In the middle of a cut: it goes on for whom the disk does not concern."""
    made, off = in_sync(INVENTORY, {}, grouping="volume")
    on = flagged(off, pilot={"cutover": True})
    made.advance(on, at("replication_group/web-2-root#suspend"))
    disks = made.source.block_storage
    disks.rows["data-1"] = replace(
        disks.rows["data-1"], attachments=(*disks.rows["data-1"].attachments, Attachment("stranger", "/dev/vdb"))
    )
    begun = len(made.sent)
    made.advance(on, ticks=120)
    assert "acme/source_server/web-2#untime" not in made.sent[begun:]
    assert copies(made) == {"server-2": "ACTIVE"}


@pytest.mark.parametrize("how", WORDS)
def test_a_disk_that_was_taken_out_of_its_group_holds_its_server(how: str) -> None:
    """Its replica is the group's yet: started on it, the server could not write, and lacks what was written on the target."""
    made, off = cut(WITH_SECOND, {"data-1": "pool-2", "data-2": "pool-2", "root-1": "pool-3"})
    on = going_back(made, off, how)
    (wave,) = on.waves
    without = replace(
        on, waves=(replace(wave, volumes=tuple(id for id in wave.volumes if id != "data-2")),), excluded=frozenset(["data-2"])
    )
    begun = len(made.sent)
    plan = made.advance(without)
    assert [finding.code for finding in plan.blockers] == ["regroup"]
    assert not [step for step in made.sent[begun:] if step.endswith(("#stop", "#demote", "#start", "#delete"))]
    assert copies(made) == HOME
    assert not made.advance(on).blockers
    assert (on_source(made), copies(made)) == (HOME, {})


@pytest.mark.parametrize("how", WORDS)
def test_who_shares_replicas_with_one_that_is_held_stays_up_beside_it(how: str) -> None:
    """The roots change hands together, and one of the servers is held by its other disk."""
    made, off = cut(INVENTORY, {"data-1": "pool-2"})
    on = going_back(made, off, how)
    disks, id = made.target.block_storage, data_on_target(made)
    marked = disks.raw[id]
    disks.raw[id] = {}
    begun = len(made.sent)
    plan = made.advance(on)
    assert [finding.code for finding in plan.blockers] == ["marker_lost"]
    assert not [step for step in made.sent[begun:] if step.endswith(("#stop", "#demote"))]
    assert copies(made) == HOME
    disks.raw[id] = marked
    assert not made.advance(on).blockers
    assert (on_source(made), copies(made)) == (HOME, {})


@pytest.mark.parametrize("how", WORDS)
@pytest.mark.parametrize(("disk", "code", "starting"), [("root-2", "not_given_back", "server-1"), ("data-1", "regroup", "server-2")])
def test_who_is_just_being_started_beside_one_that_is_held_is_left_alone(disk: str, code: str, starting: str, how: str) -> None:
    """It would be locked, and come up as one that its tenant cannot stop. The data disks change hands together."""
    made, off = cut(WITH_SECOND, {"data-1": "pool-2", "data-2": "pool-2", "root-2": "pool-3"})
    on = going_back(made, off, how)
    renamed(made, f"openstack-vol-{disk}", "elsewhere")
    (copy,) = [id for id in made.target.compute.rows if made.target.compute.shown(id).marker == starting]
    made.target.compute.put(copy, status="SHUTOFF", task_state="powering-on", power_state=4)
    begun = len(made.sent)
    assert code in {finding.code for finding in made.advance(on).blockers}
    assert not [step for step in made.sent[begun:] if "/stretch/" not in step and "/subnet/" not in step]
