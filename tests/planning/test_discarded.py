"""A discard that has begun is no carry_back any more: it is told where each side stands, and what is told to do does it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from millpond.model.array import ReplicaState, Role
from millpond.model.block_storage import Volume
from millpond.model.cut_record import RESERVED
from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.manifest import Rollback
from tests.planning.situations import PILOT, back, cut_of, done, one_wave
from tests.planning.tenant import INVENTORY, desired, prepared, volume, world
from tests.planning.test_any_way import on_firmware
from tests.planning.world import World, at, flagged

GROUP = "replication_group/pilot-ssd"


def begun(step: str, *, two_targets: bool = True) -> tuple[World, Desired, int]:
    """The run that discards died before this step, and the word is changed: with the number of the target's last write."""
    made = on_firmware(done(), two_targets=two_targets)
    on = back(made, "discard", made.site)
    made.discard(["server-1"])
    made.advance(on, at(step))
    made.crash()
    made.keep(["server-1"])
    return made, back(made, "carry_back", made.site), max(made.arrays["ibox-b"].contents.values())


def held(made: World, on: Desired) -> Finding:
    sent, disks = len(made.sent), {name: dict(array.contents) for name, array in made.arrays.items()}
    plan = made.advance(on)
    (found,) = plan.blockers
    assert (found.code, str(found.address)) == ("discard_begun", "acme/wave/pilot")
    assert (len(made.sent), {name: array.contents for name, array in made.arrays.items()}) == (sent, disks)
    return found


def is_home(made: World, on: Desired) -> None:
    assert made.advance(on).steps == ()
    assert made.source.compute.rows["server-1"].status == "ACTIVE"


def on_source(made: World) -> int:
    return max(array.contents[disk] for _, array, disk in made.disks(made.source, "server-1"))


def test_what_both_sides_refuse_goes_on_and_is_carried_back_then() -> None:
    made, on, last = begun(f"{GROUP}#restore")
    found = held(made, on)
    assert "of pilot-ssd both sides are read-only, and if any side still holds it, that is ibox-b" in found.why
    assert found.fix.startswith("set cutover: true for the wave again in tenants/acme.yaml, without the rollback block, and run apply")
    assert made.advance(PILOT).steps == ()
    assert max(made.arrays["ibox-b"].contents.values()) >= last
    is_home(made, on)
    assert on_source(made) >= last


@pytest.mark.parametrize(
    ("step", "two_targets", "roles"), [("resume", True, "ibox-a is writable again"), ("demote", False, "both sides are writable")]
)
def test_what_the_source_may_write_again_is_turned_by_hand(step: str, two_targets: bool, roles: str) -> None:
    made, on, last = begun(f"{GROUP}#{step}", two_targets=two_targets)
    found = held(made, on)
    assert f"of pilot-ssd {roles}, and if any side still holds it, that is ibox-b" in found.why
    assert "change the role of pilot-ssd to TARGET on ibox-a and to SOURCE on ibox-b" in found.fix
    assert ("SOURCE first" in found.fix) is not two_targets
    for array, role in (("ibox-a", Role.TARGET), ("ibox-b", Role.SOURCE)):
        known = made.arrays[array].replicas_
        for id in [id for id, replica in known.items() if replica.grouped]:
            state = ReplicaState.SUSPENDED if role is Role.SOURCE else ReplicaState.NONE
            known[id] = replace(known[id], role=role, state=state, job_running=False)
    is_home(made, on)
    assert on_source(made) >= last


@pytest.mark.parametrize("state", [ReplicaState.ACTIVE, ReplicaState.AUTO_SUSPENDED])
def test_what_is_overwritten_is_told_and_discarded_to_the_end(state: ReplicaState) -> None:
    made, on, _ = begun("source_server/web-1#unlock")
    known = made.arrays["ibox-a"].replicas_
    for id in [id for id, replica in known.items() if replica.grouped]:
        known[id] = replace(known[id], state=state, job_running=False)
    found = held(made, on)
    assert "pilot-ssd replicates from ibox-a to ibox-b again, which overwrites it" in found.why
    assert "nothing is left that could be carried back" in found.fix
    made.discard(["server-1"])
    is_home(made, back(made, "discard"))


def test_while_other_disks_of_the_wave_are_the_targets_still_nothing_is_given_up() -> None:
    """Two groups: one was discarded to the end, the other one's server still runs on the target."""
    base = one_wave()
    made = prepared()
    made.advance(flagged(base, pilot={"cutover": True}))
    made.tick(600)
    cut = cut_of(made)
    made.discard(["server-1", "server-2"])
    on = flagged(base, pilot={"rollback": Rollback(cut, "discard")})
    for _ in range(60):
        ready = [change for change in made.plan(on).changes if not change.after and change.id != "acme/server/web-2#stop"]
        if any(change.id == "acme/source_server/web-1#forget:millpond.cut" for change in ready):
            break
        for change in ready:
            made.perform(change)
        if not ready:
            made.tick()
    made.crash()
    made.keep(["server-2"])
    carried = flagged(base, pilot={"rollback": Rollback(cut, "carry_back")})
    found = held(made, carried)
    assert "set cutover: true for the wave again" in found.fix
    assert "nothing is left" not in found.fix
    written = max(made.arrays["ibox-b"].contents.values())
    made.advance(flagged(base, pilot={"cutover": True}))
    made.tick(600)
    cut = cut_of(made)
    assert made.advance(flagged(base, pilot={"rollback": Rollback(cut, "carry_back")})).steps == ()
    assert max(array.contents[disk] for _, array, disk in made.disks(made.source, "server-2")) >= written


def test_a_time_that_an_undone_way_back_left_is_no_proof() -> None:
    """Its snapshots were taken away by hand: the discard that is allowed then takes the time of the return away, too."""
    made = done()
    made.advance(back(made, "carry_back"), at(f"{GROUP}#reverse_suspend"))
    for disk in made.arrays["ibox-a"].volumes_.values():
        made.arrays["ibox-a"].volumes_[disk.id] = replace(disk, snapshots=())
    made.crash()
    made.discard(["server-1"])
    made.advance(back(made, "discard"), at(f"{GROUP}#restore"))
    record = made.source.compute.shown("server-1").record
    assert record is not None and not record.returned  # noqa: PT018
    held(made, back(made, "carry_back"))


@pytest.mark.parametrize("took_part", [False, True])
def test_a_volume_that_came_into_the_wave_after_its_cut_was_not_given_up(took_part: bool) -> None:
    """It replicates by itself, from the source as ever; one that was cut with the wave is reserved for it."""
    late = volume("vol-late", "late", 5)
    base = desired(replace(INVENTORY, volumes=(*INVENTORY.volumes, late)))
    made = world(base.inventory)
    made.tick()
    made.advance(base)
    made.tick(3600)
    made.advance(flagged(base, pilot={"cutover": True}))
    if took_part:
        made.source.block_storage.raw.setdefault("vol-late", {})["millpond.held"] = f"{cut_of(made)}/{RESERVED}"
    pilot, rest = base.waves
    block = Rollback(cut_of(made), "carry_back")
    waves = (replace(pilot, volumes=(*pilot.volumes, late.id), rollback=block), replace(rest, volumes=_without(rest.volumes, late)))
    codes = {found.code for found in made.plan(replace(base, waves=waves)).blockers}
    assert ("discard_begun" in codes) is took_part


def _without(ids: tuple[str, ...], volume: Volume) -> tuple[str, ...]:
    return tuple(id for id in ids if id != volume.id)


def test_nothing_of_the_kind_is_said_of_a_way_back_that_carries() -> None:
    made = done()
    on = back(made, "carry_back")
    while any(not step.after for step in made.plan(on).steps):
        ready = [change for change in made.plan(on).changes if not change.after]
        if ready:
            made.perform(ready[0])
        else:
            made.tick()
        another = made.copy()
        another.crash()
        assert another.plan(on).blockers == ()
    assert made.plan(on).steps == ()
