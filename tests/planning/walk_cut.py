"""Rows 1 to 14: before and in the cut."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from millpond.model.compute import Flavor
from millpond.model.desired import Desired
from tests.planning.situations import (
    BACK,
    BOTH,
    ON,
    PILOT,
    Situation,
    back,
    before,
    block,
    case,
    cut_of,
    done,
    flags,
    one_wave,
    suspended_by_the_array,
)
from tests.planning.tenant import INVENTORY, desired, prepared, world
from tests.planning.world import World, at, flagged

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
    return PILOT, before("source_server/web-1#boot")


@case("10-promoted-f")
def _() -> Situation:
    return BACK, before("source_server/web-1#boot")


@case("11-not-released-t")
def _() -> Situation:
    return PILOT, before("volume/web-1-root#release")


@case("11-not-released-f")
def _() -> Situation:
    """Declared, and nothing was let out yet: what becomes of the target's writes is asked from here on."""
    return BACK, before("volume/web-1-root#release")


def reply_lost(seconds: float) -> World:
    made = before("server/web-1#create")
    made.now += timedelta(seconds=seconds)
    return made


@case("11-reply-lost-t")
def _() -> Situation:
    return PILOT, reply_lost(10)


def left_reserved(seconds: float) -> World:
    """The boot died in Nova after it had reserved the first disk."""
    made = reply_lost(seconds)
    root = next(v for v in made.target.block_storage.rows.values() if v.name == "web-1-root")
    made.target.block_storage.reserve(root.id, "server-of-nobody")
    return made


@case("11-reply-lost-boot-volume-reserved-t")
def _() -> Situation:
    return PILOT, left_reserved(600)


@case("11-reply-lost-boot-volume-reserved-young-t")
def _() -> Situation:
    return PILOT, left_reserved(10)


@case("11-reply-lost-boot-volume-reserved-discard-f")
def _() -> Situation:
    made = left_reserved(600)
    return back(made, "discard"), made


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


@case("14-target-limits-t")
def _() -> Situation:
    made = done()
    made.target.compute.limits |= {"cores": 99, "instances": 10}
    return PILOT, made
