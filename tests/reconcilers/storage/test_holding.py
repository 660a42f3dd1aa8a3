"""A volume that no stopped server guards is reserved on the source while it is cut, and given back where the cut is undone."""

from dataclasses import replace

import pytest

from millpond.errors import InvariantBroken, LeaseHeld
from millpond.model.block_storage import Attachment
from millpond.model.change import Change
from millpond.model.desired import Desired, DesiredWave
from millpond.model.inventory import Inventory
from millpond.model.manifest import Rollback
from tests.planning.situations import approved
from tests.planning.tenant import INVENTORY, desired, volume, world
from tests.planning.world import World, at, flagged

SPARE = volume("spare-1-", "spare", 5)
WITH_SERVER = replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))
ALONE = replace(INVENTORY, servers=(), ports=(), volumes=(SPARE,), floating_ips=())
SHARED = replace(INVENTORY, volumes=tuple(replace(known, multiattach=known.id == "root-2") for known in INVENTORY.volumes))
HELD = "source_volume/spare"


def documents(inventory: Inventory) -> Desired:
    made = desired(inventory)
    return made if inventory.servers else replace(made, waves=(DesiredWave("rest", (), (SPARE.id,), cutover=False),))


def cut(inventory: Inventory, **values: object) -> Desired:
    return flagged(documents(inventory), rest={"cutover": True, **values})


def ready(inventory: Inventory = WITH_SERVER) -> World:
    made = world(inventory)
    made.tick()
    made.advance(documents(inventory))
    made.tick(3600)
    return made


def group(inventory: Inventory) -> str:
    return "replication_group/rest-ssd" if inventory.servers else "replication_group/spare"


def back(made: World, inventory: Inventory, how: str) -> Desired:
    carriers = [made.source.compute.shown("server-2")] if inventory.servers else [made.source.block_storage.shown(SPARE.id)]
    return flagged(documents(inventory), rest={"rollback": Rollback(next(one.record.cut for one in carriers if one.record), how)})


def spare(made: World) -> tuple[str, str]:
    shown = made.source.block_storage.shown(SPARE.id)
    return shown.status, shown.record.held if shown.record else ""


def written(made: World, value: int) -> None:
    """Somebody attaches it, writes, and detaches it again: between two ticks, and after what kept it was taken away."""
    array = made.arrays["ibox-a"]
    array.contents[array.by_name(SPARE.backend_name).id] = value
    made.source.block_storage.put(SPARE.id, status="available", attachments=())


def arrived(made: World) -> int:
    array, volumes = made.arrays["ibox-b"], made.target.block_storage.volumes("")
    return array.contents[array.by_name(next(one.backend_name for one in volumes if one.marker == SPARE.id)).id]


WAVES = pytest.mark.parametrize("inventory", [WITH_SERVER, ALONE], ids=["with-a-server", "alone"])


@WAVES
def test_it_is_reserved_before_its_last_writes_are_timed_and_as_long_as_the_cut_stands(inventory: Inventory) -> None:
    made = ready(inventory)
    made.advance(cut(inventory))
    sent = [id.removeprefix("acme/") for id in made.sent]
    timed = "source_server/web-2#time" if inventory.servers else f"{HELD}#time"
    assert sent.index(f"{HELD}#hold") < sent.index(timed) < sent.index(f"{group(inventory)}#sync")
    if inventory.servers:
        assert sent.index("source_server/web-2#record") < sent.index(f"{HELD}#record_hold") < sent.index(f"{HELD}#hold")
        assert sent.index(f"{HELD}#hold") < sent.index("source_server/web-2#stop")
    assert spare(made)[0] == "attaching"
    assert spare(made)[1]
    assert made.plan(cut(inventory)).steps == ()


@WAVES
@pytest.mark.parametrize("step", ["sync", "suspend", "fence"])
def test_what_is_written_in_between_is_timed_and_synchronised_anew(inventory: Inventory, step: str) -> None:
    """One and the same run: nothing but the lost reservation tells that there was somebody."""
    made, on = ready(inventory), cut(inventory)
    made.advance(on, at(f"{group(inventory)}#{step}"))
    written(made, 7777)
    before = len(made.sent)
    plan = made.advance(on)
    sent = [id.partition("#")[2] for id in made.sent[before:] if "source_" in id or id.endswith("#sync")]
    assert sent[:5] == ["untime", "record_hold", "hold", "time", "sync"]
    assert arrived(made) == 7777
    assert [str(wave.stage) for wave in plan.waves if wave.name == "rest"] == ["handed_over"]


@WAVES
def test_no_side_is_given_away_while_it_is_free(inventory: Inventory) -> None:
    made, on = ready(inventory), cut(inventory)
    plan = made.advance(on, at(f"{group(inventory)}#fence"))
    fence = next(step for step in plan.changes if step.action == "fence" and not step.after)
    written(made, 7777)
    with pytest.raises(InvariantBroken, match="available, not reserved"):
        made.perform(fence)


@pytest.mark.parametrize("step", ["hold", "sync", "fence"])
def test_while_somebody_has_it_the_cut_waits_and_says_so(step: str) -> None:
    made, on = ready(), cut(WITH_SERVER)
    made.advance(on, at(f"{HELD}#hold" if step == "hold" else f"{group(WITH_SERVER)}#{step}"))
    made.source.block_storage.put(SPARE.id, status="in-use", attachments=(Attachment("elsewhere", "/dev/vdb"),))
    plan = made.advance(on)
    assert [(finding.code, "elsewhere" in finding.what) for finding in plan.blockers] == [("volume_attached_meanwhile", True)]
    assert not [id for id in made.sent if id.endswith("#fence")]
    assert made.source.compute.shown("server-2").status == ("ACTIVE" if step == "hold" else "SHUTOFF")
    written(made, 7777)
    made.advance(on)
    assert arrived(made) == 7777


@pytest.mark.parametrize("status", ["reserved", "attaching", "backing-up", "maintenance", "error"])
def test_what_cannot_be_reserved_holds_its_wave_before_it_is_admitted(status: str) -> None:
    made, on = ready(), cut(WITH_SERVER)
    made.source.block_storage.put(SPARE.id, status=status)
    before = len(made.sent)
    plan = made.advance(on)
    assert [(finding.code, finding.wave) for finding in plan.blockers] == [("volume_busy", "rest")]
    assert [id for id in made.sent[before:] if "source_" in id] == []
    made.source.block_storage.put(SPARE.id, status="available")
    assert made.advance(on).steps == ()


@WAVES
@pytest.mark.parametrize("step", ["hold", "sync", "suspend", "fence", "promote", "boot"])
def test_a_cut_that_is_undone_gives_it_back(inventory: Inventory, step: str) -> None:
    made = ready(inventory)
    carrier = "source_server/web-2" if inventory.servers else HELD
    place = {"hold": f"{HELD}#hold", "boot": f"{carrier}#boot"}.get(step, f"{group(inventory)}#{step}")
    made.advance(cut(inventory), at(place))
    made.crash()
    assert made.advance(documents(inventory)).steps == ()
    assert spare(made) == ("available", "")
    assert made.source.block_storage.shown(SPARE.id).record is None


@WAVES
@pytest.mark.parametrize("how", ["discard", "carry_back"])
def test_a_rollback_gives_it_back_before_the_cut_is_forgotten(inventory: Inventory, how: str) -> None:
    made = ready(inventory)
    made.advance(cut(inventory))
    made.discard(["server-2"] if how == "discard" and inventory.servers else [])
    on = back(made, inventory, how)
    if inventory.servers:
        forgotten = next(step for step in made.plan(on).steps if step.id == "acme/source_server/web-2#forget:millpond.cut")
        made.advance(on, at(f"{HELD}#let_go"))
        assert f"acme/{HELD}#let_go" in next(s for s in made.plan(on).steps if s.id == forgotten.id).after
    assert made.advance(on).steps == ()
    assert spare(made) == ("available", "")


def test_a_crash_between_intent_and_reservation_is_carried_on() -> None:
    made, on = ready(), cut(WITH_SERVER)
    made.advance(on, at(f"{HELD}#hold"))
    made.crash()
    assert made.advance(on).steps == ()
    assert made.sent.count(f"acme/{HELD}#record_hold") == 1


def test_a_run_that_was_taken_over_reserves_nothing() -> None:
    made, on = ready(), cut(WITH_SERVER)
    plan = made.advance(on, at(f"{HELD}#hold"))
    hold = next(step for step in plan.changes if step.action == "hold")
    made.crash()
    made.advance(on, at(f"{group(WITH_SERVER)}#fence"))
    made.source.block_storage.put(SPARE.id, status="available")
    with pytest.raises(LeaseHeld, match="run-2"):
        made.perform(hold)


def test_it_is_let_go_before_it_dies_by_whatever_run() -> None:
    made, on = ready(), flagged(cut(WITH_SERVER), pilot={"cutover": True})
    made.advance(on)
    made.crash()
    made.tick(7200)
    on = flagged(on, decommission=True, soak=0)
    made.advance(approved(made, on))
    sent = [id for id in made.sent if HELD in id][-2:]
    assert sent == [f"acme/{HELD}#let_go_to_delete", f"acme/{HELD}#delete"]
    assert SPARE.id not in made.source.block_storage.rows


def test_what_no_wave_has_any_more_is_not_left_reserved() -> None:
    made, on = ready(), cut(WITH_SERVER)
    made.advance(on, at(f"{group(WITH_SERVER)}#sync"))
    made.crash()
    waves = tuple(replace(wave, volumes=tuple(id for id in wave.volumes if id != SPARE.id)) for wave in on.waves)
    without = replace(on, waves=waves, excluded=frozenset({SPARE.id}))
    made.advance(without)
    assert spare(made) == ("available", "")


def test_a_shared_disk_is_reserved_although_its_server_is_stopped_and_is_in_use_again_afterwards() -> None:
    made, on = ready(SHARED), cut(SHARED)
    made.advance(on, at("replication_group/web-2-root#sync"))
    shown = made.source.block_storage.shown
    assert (shown("root-2").status, len(shown("root-2").attachments)) == ("attaching", 1)
    assert shown("root-1").status == "in-use"
    made.crash()
    assert made.advance(documents(SHARED)).steps == ()
    assert (shown("root-2").status, shown("root-2").record) == ("in-use", None)


def test_a_disk_that_was_detached_from_its_stopped_server_is_reserved_too() -> None:
    made, on = ready(), cut(WITH_SERVER)
    made.advance(on, at(f"{group(WITH_SERVER)}#sync"))
    made.source.block_storage.put("root-2", status="available", attachments=())
    plan = made.plan(on)
    first = [step.id.removeprefix("acme/") for step in plan.changes if not step.after]
    assert first == ["source_server/web-2#untime"]
    made.advance(on, at(f"{group(WITH_SERVER)}#sync"))
    assert made.source.block_storage.shown("root-2").status == "attaching"


def away(inventory: Inventory, step: str) -> tuple[World, Desired]:
    made = ready(inventory)
    made.advance(cut(inventory))
    on = back(made, inventory, "carry_back")
    made.advance(on, at(f"{group(inventory)}#{step}"))
    return made, on


def written_there(made: World, value: int) -> None:
    """Somebody makes the volume on the target available again, and uses it."""
    array, storage = made.arrays["ibox-b"], made.target.block_storage
    found = next(one for one in storage.volumes("") if one.marker == SPARE.id)
    array.contents[array.by_name(found.backend_name).id] = value
    storage.put(found.id, status="available")


@WAVES
@pytest.mark.parametrize("step", ["reverse_sync", "reverse_suspend", "demote"])
def test_what_is_written_on_the_way_back_is_timed_and_carried_back_too(inventory: Inventory, step: str) -> None:
    made, on = away(inventory, step)
    written_there(made, 8888)
    before = len(made.sent)
    assert made.advance(on).steps == ()
    sent = [id.partition("#")[2] for id in made.sent[before:]]
    assert sent.index("untime_return") < sent.index("reserve_first") < sent.index("time_return") < sent.index("demote")
    array = made.arrays["ibox-a"]
    assert array.contents[array.by_name(SPARE.backend_name).id] == 8888


def demotion(made: World, on: Desired) -> Change:
    return next(step for step in made.plan(on).changes if step.action == "demote" and not step.after)


@WAVES
def test_the_target_does_not_give_way_while_a_volume_of_it_is_free(inventory: Inventory) -> None:
    made, on = away(inventory, "demote")
    demote = demotion(made, on)
    written_there(made, 8888)
    with pytest.raises(InvariantBroken, match="is free"):
        made.perform(demote)


def test_the_target_does_not_give_way_without_a_sync_back() -> None:
    made, on = away(ALONE, "demote")
    demote = demotion(made, on)
    for stamp in (0, made.clock() + 1):
        with pytest.raises(InvariantBroken, match="no sync back"):
            made.perform(replace(demote, parameters={**demote.parameters, "returned": stamp}))
    made.perform(demote)


def test_nothing_is_reserved_for_a_cut_that_was_undone_meanwhile() -> None:
    made, on = ready(), cut(WITH_SERVER)
    plan = made.advance(on, at(f"{HELD}#hold"))
    hold = next(step for step in plan.changes if step.action == "hold")
    unwanted = made.copy()
    del unwanted.source.block_storage.raw[SPARE.id]["millpond.held"]
    with pytest.raises(InvariantBroken, match="nothing on the volume says any more"):
        unwanted.perform(hold)
    made.crash()
    made.advance(documents(WITH_SERVER))
    with pytest.raises(LeaseHeld, match="undone"):
        made.perform(hold)
    assert spare(made) == spare(unwanted) == ("available", "")


@pytest.mark.parametrize("adoption", ["precreate", "manage"])
def test_on_the_target_nobody_gets_at_it_before_a_way_back_has_to_say_what_becomes_of_its_writes(adoption: str) -> None:
    """No boot waits for it, and a cut that is undone before any boot asks for no word."""
    bootable = replace(SPARE, bootable=True, image_metadata={"hw_disk_bus": "scsi"})
    tenant = replace(INVENTORY, volumes=(*INVENTORY.volumes, bootable))
    off, made = desired(tenant, adoption=adoption), world(tenant)
    on, verb = flagged(off, rest={"cutover": True}), "release_detached" if adoption == "precreate" else "manage_detached"
    made.tick()
    made.advance(off)
    made.advance(on, at("source_server/web-2#boot"))
    ready_by_now = [step.id for step in made.plan(on).changes if not step.after]
    assert f"acme/volume/spare#{verb}" not in ready_by_now
    waits = next(step for step in made.plan(on).steps if step.id == f"acme/volume/spare#{verb}")
    assert waits.after == ("acme/source_server/web-2#boot",)
    end = made.copy()
    end.crash()
    assert end.advance(off).steps == ()
    made.advance(on, at(f"volume/spare#{verb}"))
    made.crash()
    assert [finding.code for finding in made.plan(off).blockers] == ["rollback_undecided"]
    assert made.advance(on).steps == ()
    arrived_as = next(one for one in made.target.block_storage.volumes("") if one.marker == SPARE.id)
    assert (arrived_as.status, arrived_as.bootable, dict(arrived_as.image_metadata)) == ("available", True, {"hw_disk_bus": "scsi"})
