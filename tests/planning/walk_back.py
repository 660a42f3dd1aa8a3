"""Rows 15 to 23: back, and the tenant or the manifest changes."""

from __future__ import annotations

from dataclasses import replace

from millpond.model.compute import AttachedVolume
from millpond.model.manifest import Rollback
from tests.planning.arrays import GIB
from tests.planning.situations import (
    BACK,
    BOTH,
    PILOT,
    Situation,
    back,
    before,
    block,
    case,
    cut_of,
    done,
    one_wave,
)
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, volume
from tests.planning.world import World, at, flagged

# 15 to 21: back.


@case("15-by-accident-f")
def _() -> Situation:
    return BACK, done()


@case("15-by-accident-old-block-f")
def _() -> Situation:
    return flagged(BACK, **block("20200101T000000Z", "discard")), done()


@case("16-discard-f")
def _() -> Situation:
    made = done()
    return back(made, "discard"), made


@case("16-discard-ovn-f")
def _() -> Situation:
    made = prepared("ovn")
    made.advance(PILOT)
    return back(made, "discard"), made


@case("17-carry-back-f")
def _() -> Situation:
    made = done()
    return back(made, "carry_back"), made


def carrying_back(*steps: str) -> Situation:
    made = done()
    on = back(made, "carry_back")
    made.advance(on, at(*steps))
    made.crash()
    return on, made


@case("17-reversing-f")
def _() -> Situation:
    return carrying_back("server/web-1#lock")


@case("17-stopped-f")
def _() -> Situation:
    return carrying_back("source_server/web-1#time_return")


@case("17-timed-f")
def _() -> Situation:
    return carrying_back("replication_group/pilot-ssd#reverse_sync")


@case("18-target-gone-f")
def _() -> Situation:
    on, made = carrying_back("source_server/web-1#time_return")
    made.target.compute.delete_server(next(iter(made.target.compute.rows)))
    return on, made


@case("19-after-demote-f")
def _() -> Situation:
    return carrying_back("replication_group/pilot-ssd#restore")


def both_running() -> World:
    made = done()
    made.source.compute.put("server-1", status="ACTIVE")
    return made


@case("20-both-running-t")
def _() -> Situation:
    made = before("source_server/web-1#verify")
    made.source.compute.put("server-1", status="ACTIVE")
    return PILOT, made


@case("20-both-running-verified-t")
def _() -> Situation:
    return PILOT, both_running()


@case("20-both-running-f")
def _() -> Situation:
    made = both_running()
    return back(made, "discard"), made


def came_back() -> tuple[str, World]:
    made = done()
    cut = cut_of(made)
    made.discard(["server-1"])
    made.advance(back(made, "discard"))
    made.discarded.clear()
    return cut, made


@case("21-cut-again-t")
def _() -> Situation:
    cut, made = came_back()
    site = replace(SITE, limits=replace(SITE.limits, mac_move=180))
    return replace(flagged(PILOT, pilot={"rollback": Rollback(cut, "discard")}), site=site), made


@case("21-old-block-f")
def _() -> Situation:
    cut, made = came_back()
    made.tick(600)
    made.advance(PILOT)
    return flagged(BACK, **block(cut, "discard")), made


# 22, 23: the tenant or the manifest changes.


def late_volume(*, attached: bool) -> World:
    made = prepared()
    late = volume("vol-late", "late", 5, "server-1" if attached else "", "/dev/vdc" if attached else "")
    made.source.block_storage.rows[late.id] = late
    made.arrays["ibox-a"].make(late.backend_name, 5 * GIB)
    if attached:
        disks = made.source.compute.rows["server-1"].volumes
        made.source.compute.put("server-1", volumes=(*disks, AttachedVolume("vol-late", "/dev/vdc")))
    return made


@case("22-late-attached-f")
def _() -> Situation:
    return desired(), late_volume(attached=True)


@case("22-late-attached-t")
def _() -> Situation:
    return PILOT, late_volume(attached=True)


@case("22-late-detached-f")
def _() -> Situation:
    return desired(), late_volume(attached=False)


@case("22-late-detached-t")
def _() -> Situation:
    return BOTH, late_volume(attached=False)


@case("22-late-discovered-f")
def _() -> Situation:
    """After the pull request: the volume is in the inventory and gets a replica of its own."""
    late = volume("vol-late", "late", 5)
    base = desired(replace(INVENTORY, volumes=(*INVENTORY.volumes, late)))
    return base, late_volume(attached=False)


@case("23-other-wave-f")
def _() -> Situation:
    """The disks of web-1 are a consistency group; the manifest moves one of them to the other wave."""
    base = desired()
    waves = (replace(base.waves[0], volumes=("root-1",)), replace(base.waves[1], volumes=("root-2", "data-1")))
    return replace(base, waves=waves), prepared()


@case("23-joined-waves-f")
def _() -> Situation:
    return one_wave(), prepared()
