"""The situations of the walk: for each, the documents and the world as they are when the plan is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from millpond.model.array import ReplicaState
from millpond.model.compute import AttachedVolume, Flavor
from millpond.model.desired import Desired, DesiredWave
from millpond.model.manifest import Approval, Rollback, Window
from millpond.planning.digest import tenant_digest
from tests.planning.arrays import GIB
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, volume, world
from tests.planning.world import World, at, flagged

Situation = tuple[Desired, World]
CASES: dict[str, Callable[[], Situation]] = {}
"""golden name → its situation. Names begin with the row's number; `-t`, `-f`, `-d` say the flags."""


def case(name: str) -> Callable[[Callable[[], Situation]], Callable[[], Situation]]:
    def listed(function: Callable[[], Situation]) -> Callable[[], Situation]:
        CASES[name] = function
        return function

    return listed


ON, OFF = {"cutover": True}, {"cutover": False}


def flags(pilot: bool = False, rest: bool = False, base: Desired | None = None, **manifest: Any) -> Desired:
    return flagged(base or desired(), pilot={"cutover": pilot}, rest={"cutover": rest}, **manifest)


PILOT = flags(pilot=True)
BOTH = flags(pilot=True, rest=True)
BACK = flags()


def block(cut: str, how: str, names: tuple[str, ...] = ("pilot",)) -> dict[str, dict[str, Rollback]]:
    return {name: {"rollback": Rollback(cut, how)} for name in names}


def cut_of(made: World, id: str = "server-1") -> str:
    record = made.source.compute.shown(id).record
    assert record is not None
    return record.cut


def back(made: World, how: str) -> Desired:
    """Pilot goes back, its block names the cut that is in the record."""
    return flagged(BACK, **block(cut_of(made), how))


def before(*steps: str, mechanism: str = "ovs", on: Desired = PILOT) -> World:
    """A crash in the cut of the pilot, before one of these steps; another run looks at it."""
    made = prepared(mechanism)
    made.advance(on, at(*steps))
    made.crash()
    return made


def done(on: Desired = PILOT) -> World:
    made = prepared()
    made.advance(on)
    made.tick(600)
    return made


def one_wave() -> Desired:
    base = desired()
    servers = tuple(s.id for s in INVENTORY.servers)
    wave = DesiredWave("pilot", servers, tuple(v.id for v in INVENTORY.volumes), cutover=False)
    return replace(base, waves=(wave,))


# 1, 2, 3: before any cut.


@case("01-prepare-f")
def _() -> Situation:
    made = world()
    made.tick()
    return desired(), made


@case("02-seeding-f")
def _() -> Situation:
    made = world()
    made.tick()
    made.advance(desired(), jobs=False)
    return desired(), made


@case("02-seeded-f")
def _() -> Situation:
    return desired(), prepared()


def stopped_by_tenant() -> World:
    made = prepared()
    made.source.compute.put("server-1", status="SHUTOFF", vm_state="stopped")
    return made


@case("03-tenant-stops-f")
def _() -> Situation:
    return desired(), stopped_by_tenant()


@case("03-tenant-stops-t")
def _() -> Situation:
    return PILOT, stopped_by_tenant()


# 4 to 14: the cut.


@case("04-admitted-t")
def _() -> Situation:
    return PILOT, prepared()


@case("04-admitted-ovn-t")
def _() -> Situation:
    return PILOT, prepared("ovn")


@case("04-unprepared-t")
def _() -> Situation:
    made = world()
    made.tick()
    return PILOT, made


@case("05-after-lock-t")
def _() -> Situation:
    return PILOT, before("source_server/web-1#stop")


@case("05-after-lock-f")
def _() -> Situation:
    return BACK, before("source_server/web-1#stop")


def found_locked() -> tuple[Desired, World]:
    inventory = replace(INVENTORY, servers=(replace(INVENTORY.servers[0], locked=True), INVENTORY.servers[1]))
    made = world(inventory)
    made.tick()
    base = desired(inventory)
    made.advance(base)
    made.advance(flags(pilot=True, base=base), at("source_server/web-1#stop"))
    made.crash()
    return base, made


@case("05-found-locked-t")
def _() -> Situation:
    base, made = found_locked()
    return flags(pilot=True, base=base), made


@case("05-found-locked-f")
def _() -> Situation:
    return found_locked()


@case("06-after-stop-t")
def _() -> Situation:
    return PILOT, before("source_server/web-1#time")


@case("06-after-stop-f")
def _() -> Situation:
    return BACK, before("source_server/web-1#time")


@case("07-after-sync-t")
def _() -> Situation:
    return PILOT, before("replication_group/pilot-ssd#suspend")


@case("07-after-sync-f")
def _() -> Situation:
    return BACK, before("replication_group/pilot-ssd#suspend")


@case("07-without-stopped-t")
def _() -> Situation:
    made = before("replication_group/pilot-ssd#suspend")
    del made.source.compute.raw["server-1"]["millpond.stopped"]
    return PILOT, made


@case("08-after-suspend-t")
def _() -> Situation:
    return PILOT, before("replication_group/pilot-ssd#fence")


@case("08-after-suspend-f")
def _() -> Situation:
    return BACK, before("replication_group/pilot-ssd#fence")


def suspended_by_the_array(made: World) -> World:
    array = made.arrays["ibox-a"]
    for id in [r.id for r in array.replicas_.values() if r.grouped]:
        array.replicas_[id] = replace(array.replicas_[id], state=ReplicaState.AUTO_SUSPENDED, job_running=False)
    return made


@case("08-auto-suspended-t")
def _() -> Situation:
    return PILOT, suspended_by_the_array(before("source_server/web-1#time"))


@case("08-auto-suspended-f")
def _() -> Situation:
    return desired(), suspended_by_the_array(prepared())


@case("09-between-roles-t")
def _() -> Situation:
    return PILOT, before("replication_group/pilot-ssd#promote")


@case("09-between-roles-f")
def _() -> Situation:
    return BACK, before("replication_group/pilot-ssd#promote")


@case("10-promoted-t")
def _() -> Situation:
    return PILOT, before("volume/web-1-root#release")


@case("10-promoted-f")
def _() -> Situation:
    return BACK, before("volume/web-1-root#release")


def reply_lost(seconds: float) -> World:
    made = before("server/web-1#create")
    made.now += timedelta(seconds=seconds)
    return made


@case("11-reply-lost-t")
def _() -> Situation:
    return PILOT, reply_lost(10)


@case("11-reply-lost-boot-volume-reserved-t")
def _() -> Situation:
    made = reply_lost(600)
    root = next(v for v in made.target.block_storage.rows.values() if v.name == "web-1-root")
    made.target.block_storage.reserve(root.id)
    return PILOT, made


@case("11-reply-lost-for-good-t")
def _() -> Situation:
    return PILOT, reply_lost(600)


@case("11-reply-lost-discard-f")
def _() -> Situation:
    made = reply_lost(10)
    return back(made, "discard"), made


def failed_boot(on: Desired, *steps: str) -> World:
    made = prepared()
    made.target.compute.failing = {"web-1"}
    made.advance(on, at(*steps) if steps else None)
    made.crash()
    return made


@case("12-error-t")
def _() -> Situation:
    return PILOT, failed_boot(PILOT, "source_server/web-1#count_failure")


@case("12-error-counted-t")
def _() -> Situation:
    return PILOT, failed_boot(PILOT, "server/web-1#delete_failed")


@case("12-deleted-t")
def _() -> Situation:
    made = failed_boot(PILOT, "server/web-1#delete_failed")
    made.advance(PILOT, at("source_server/web-1#boot"))
    return PILOT, made


@case("12-given-up-t")
def _() -> Situation:
    return BOTH, failed_boot(BOTH)


@case("12-given-up-f")
def _() -> Situation:
    return BACK, failed_boot(BOTH)


def others_verified() -> Situation:
    base = flagged(one_wave(), pilot=ON)
    made = world()
    made.tick()
    made.advance(one_wave())
    made.target.compute.failing = {"web-1"}
    made.advance(base)
    made.crash()
    return base, made


@case("12-others-verified-t")
def _() -> Situation:
    return others_verified()


@case("12-others-verified-discard-f")
def _() -> Situation:
    _, made = others_verified()
    return flagged(one_wave(), **block(cut_of(made), "discard")), made


@case("12-launched-then-error-t")
def _() -> Situation:
    made = before("source_server/web-1#verify")
    twin = next(iter(made.target.compute.rows))
    made.target.compute.put(twin, status="ERROR", fault="the hypervisor died")
    return PILOT, made


@case("13-equal-t")
def _() -> Situation:
    return PILOT, before("source_server/web-1#verify")


@case("13-was-stopped-t")
def _() -> Situation:
    inventory = replace(INVENTORY, servers=(replace(INVENTORY.servers[0], status="SHUTOFF", locked=True), INVENTORY.servers[1]))
    base, made = desired(inventory), world(inventory)
    made.tick()
    made.advance(base)
    on = flags(pilot=True, base=base)
    made.advance(on, at("server/web-1#power"))
    return on, made


@case("13-verified-t")
def _() -> Situation:
    return PILOT, done()


@case("14-target-deleted-t")
def _() -> Situation:
    made = done()
    made.target.compute.delete_server(next(iter(made.target.compute.rows)))
    return PILOT, made


@case("14-target-resized-t")
def _() -> Situation:
    made = done()
    twin = next(iter(made.target.compute.rows))
    made.target.compute.put(twin, flavor=Flavor("m1.large", 4, 8192, 0), name="web-one")
    return PILOT, made


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


def leaving() -> Desired:
    return flags(pilot=True, rest=True, decommission=True, soak=3600)


def approved(made: World, on: Desired) -> Desired:
    approval = Approval("decommission", tenant_digest(on), made.now + timedelta(days=7))
    return flagged(on, approvals=(approval,))


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
