"""Rows 24 to 31, and what lies beside the walk: networks, windows, the end of a source, adopted and detached volumes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from millpond.model.desired import Desired, DesiredWave
from millpond.model.manifest import Rollback, Window
from tests.planning.situations import (
    BACK,
    BOTH,
    OFF,
    PILOT,
    Situation,
    approved,
    before,
    block,
    case,
    cut_of,
    done,
    flags,
    leaving,
)
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, volume, world
from tests.planning.world import World, at, flagged

# 24 to 27: networks.


@case("24-first-wave-t")
def _() -> Situation:
    return PILOT, done()


@case("24-last-wave-t")
def _() -> Situation:
    made = prepared()
    made.advance(BOTH, at("segment/edge/10.0.0.1#create_port"))
    return BOTH, made


def switching(*steps: str) -> World:
    made = prepared()
    made.advance(BOTH, at(*steps))
    made.crash()
    return made


@case("25-in-the-switch-t")
def _() -> Situation:
    return BOTH, switching("segment/edge/10.0.0.1#attach")


@case("25-in-the-switch-f")
def _() -> Situation:
    made = switching("segment/edge/10.0.0.1#attach")
    waves = {name: {"rollback": Rollback(cut_of(made, id), "discard")} for name, id in (("pilot", "server-1"), ("rest", "server-2"))}
    return flagged(BACK, **waves), made


@case("26-one-back-after-the-switch-f")
def _() -> Situation:
    made = done(BOTH)
    return flagged(flags(rest=True), **block(cut_of(made), "carry_back")), made


def empty_network(*, cutover: bool) -> Situation:
    inventory = replace(INVENTORY, servers=(), ports=(), volumes=(), floating_ips=(), key_pairs=())
    base = replace(desired(inventory), waves=())
    made = world(inventory)
    made.advance(base)
    return flagged(base, cutover=cutover), made


@case("27-no-servers-f")
def _() -> Situation:
    return empty_network(cutover=False)


@case("27-no-servers-t")
def _() -> Situation:
    return empty_network(cutover=True)


# 28 to 31: windows, decommission, documents that go.


def windowed(made: World) -> Desired:
    closed = Window(made.now - timedelta(hours=2), made.now - timedelta(hours=1))
    return flagged(PILOT, pilot={"window": closed})


@case("28-window-closed-t")
def _() -> Situation:
    made = prepared()
    return windowed(made), made


@case("28-window-closes-mid-cut-t")
def _() -> Situation:
    made = before("replication_group/pilot-ssd#suspend")
    return windowed(made), made


@case("29-unapproved-d")
def _() -> Situation:
    return leaving(), done(BOTH)


@case("29-approved-d")
def _() -> Situation:
    made = done(BOTH)
    made.now += timedelta(hours=2)
    return approved(made, leaving()), made


def half_gone() -> Situation:
    made = done(BOTH)
    made.now += timedelta(hours=2)
    on = approved(made, leaving())
    made.advance(on, at("source_volume/web-1-root#delete", "source_volume/web-2-root#delete"))
    made.crash()
    return on, made


@case("29-delete-on-termination-d")
def _() -> Situation:
    """The tenant's disk went with its server: the target's does so once nothing can go back any more."""
    first, second = INVENTORY.servers
    disks = tuple(replace(disk, delete_on_termination=disk.volume_id == "data-1") for disk in first.volumes)
    inventory = replace(INVENTORY, servers=(replace(first, volumes=disks), second))
    base, made = flags(pilot=True, rest=True, base=desired(inventory)), world(inventory)
    made.tick()
    made.advance(base)
    made.now += timedelta(hours=2)
    return approved(made, flagged(base, decommission=True, soak=3600)), made


@case("29-crash-in-it-d")
def _() -> Situation:
    return half_gone()


@case("29-gone-d")
def _() -> Situation:
    on, made = half_gone()
    made.advance(on)
    return on, made


@case("30-reverted-half-way-f")
def _() -> Situation:
    _, made = half_gone()
    return BOTH, made


def without_first() -> Desired:
    """The manifest excludes `web-1` and its disks."""
    base = desired()
    away = frozenset({"server-1", "root-1", "data-1"})
    return replace(base, waves=base.waves[1:], excluded=away)


@case("31-excluded-before-cut")
def _() -> Situation:
    return without_first(), prepared()


@case("31-excluded-mid-cut")
def _() -> Situation:
    return without_first(), before("replication_group/pilot-ssd#promote")


@case("31-excluded-after")
def _() -> Situation:
    return without_first(), done()


# Beyond the walk: volumes that are adopted, volumes that nobody has attached.


@case("40-manage-t")
def _() -> Situation:
    site = replace(SITE, replication=replace(SITE.replication, adoption="manage"))
    base, made = desired(site=site), world(site=site)
    made.tick()
    made.advance(base)
    return flags(pilot=True, base=base), made


@case("41-detached-volume-t")
def _() -> Situation:
    late = volume("vol-spare", "spare", 5)
    inventory = replace(INVENTORY, volumes=(*INVENTORY.volumes, late))
    base, made = desired(inventory), world(inventory)
    made.tick()
    made.advance(base)
    made.advance(flags(pilot=True, base=base))
    return flags(pilot=True, rest=True, base=base), made


@case("42-only-volumes-t")
def _() -> Situation:
    spare = volume("vol-spare", "spare", 5)
    inventory = replace(INVENTORY, servers=(), ports=(), volumes=(spare,), floating_ips=())
    base = replace(desired(inventory), waves=(DesiredWave("rest", (), ("vol-spare",), cutover=True),))
    made = world(inventory)
    made.tick()
    made.advance(flagged(base, rest=OFF))
    return base, made
