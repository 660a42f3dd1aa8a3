"""A volume that is `attaching` may be Millpond's reservation or Nova's older way to attach: nothing is taken for ours without proof."""

from dataclasses import replace

import pytest

from millpond.errors import InvariantBroken, Refused
from millpond.model.block_storage import Attachment, VolumeAttachment
from millpond.model.change import Change
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Severity
from millpond.model.inventory import Inventory
from tests.planning.arrays import LunMapping
from tests.planning.world import World, at
from tests.reconcilers.storage.test_holding import ALONE, HELD, SHARED, SPARE, WAVES, WITH_SERVER, cut, documents, group, ready, spare


def reserved(made: World) -> str:
    return spare(made)[1].partition("/")[2]


def in_doubt(inventory: Inventory = WITH_SERVER) -> tuple[World, Desired, Change]:
    """The intent is written, and the volume turns `attaching`, whoever did it. With the reservation that was planned before."""
    made, on = ready(inventory), cut(inventory)
    plan = made.advance(on, at(f"{HELD}#hold"))
    hold = next(step for step in plan.changes if step.id == f"acme/{HELD}#hold")
    made.source.block_storage.put(SPARE.id, status="attaching")
    return made, on, hold


def elsewhere(made: World) -> None:
    """The attachment under way ends."""
    made.source.block_storage.put(SPARE.id, status="in-use", attachments=(Attachment("elsewhere", "/dev/vdb"),))


def watched(made: World, on: Desired, action: str) -> Change:
    """Up to the step that comes once an attachment would have ended."""
    return next(step for step in made.advance(on, at(f"{HELD}#{action}")).changes if step.id == f"acme/{HELD}#{action}")


@WAVES
def test_a_reservation_is_proven_by_the_answer_to_it(inventory: Inventory) -> None:
    made, on = ready(inventory), cut(inventory)
    made.advance(on)
    assert reserved(made) == "reserved"
    assert not [id for id in made.sent if "watch" in id or "prove" in id]


@WAVES
def test_a_refused_reservation_stops_no_server_and_says_why(inventory: Inventory) -> None:
    made, on, hold = in_doubt(inventory)
    with pytest.raises(Refused):
        made.perform(hold)
    assert reserved(made) == ""
    plan = made.plan(on)
    known = [(finding.code, finding.severity) for finding in plan.findings if "reserv" in finding.code]
    assert known == [("reservation_in_doubt", Severity.WARNING)]
    before = len(made.sent)
    made.advance(on, lambda plan: not [step for step in plan.changes if not step.after])
    assert [id for id in made.sent[before:] if "source_" in id] == [f"acme/{HELD}#hold:watch"]
    elsewhere(made)
    plan = made.advance(on)
    assert [finding.code for finding in plan.blockers] == ["volume_attached_meanwhile"]
    assert not [id for id in made.sent if id.partition("#")[2] in ("stop", "time", "fence")]


@WAVES
def test_a_lost_answer_is_made_up_for_once_an_attachment_would_have_ended(inventory: Inventory) -> None:
    made, on, _ = in_doubt(inventory)
    began = made.now
    made.crash()
    prove = watched(made, on, "hold:prove")
    assert (made.now - began).total_seconds() >= 120
    made.perform(prove)
    assert reserved(made) == "reserved"
    assert made.advance(on).steps == ()


def test_it_counts_from_when_it_was_seen_and_not_from_the_intent() -> None:
    made, on = ready(), cut(WITH_SERVER)
    made.advance(on, at(f"{HELD}#hold"))
    made.crash()
    made.tick(7200)
    made.source.block_storage.put(SPARE.id, status="attaching")
    assert [step.id for step in made.plan(on).steps if HELD in step.id] == [f"acme/{HELD}#hold:watch", f"acme/{HELD}#hold"]


@WAVES
def test_on_the_way_back_an_attachment_under_way_is_not_taken_away(inventory: Inventory) -> None:
    made, _, _ = in_doubt(inventory)
    made.crash()
    off, before = documents(inventory), len(made.sent)
    made.advance(off, lambda plan: not [step for step in plan.changes if not step.after])
    assert f"acme/{HELD}#let_go:watch" in made.sent[before:]
    elsewhere(made)
    assert made.advance(off).steps == ()
    assert f"acme/{HELD}#let_go" not in made.sent
    assert (spare(made), len(made.source.block_storage.shown(SPARE.id).attachments)) == (("in-use", ""), 1)


@WAVES
def test_on_the_way_back_what_nobody_attaches_is_let_go(inventory: Inventory) -> None:
    made, _, _ = in_doubt(inventory)
    made.crash()
    assert made.advance(documents(inventory)).steps == ()
    assert spare(made) == ("available", "")


def listed(made: World) -> None:
    made.source.block_storage.reservations["a"] = VolumeAttachment("a", SPARE.id, "elsewhere", "attaching")


def mapped(made: World) -> None:
    array = made.arrays["ibox-a"]
    array.mappings.add(LunMapping("openstack-host-other", array.by_name(SPARE.backend_name).id))


@pytest.mark.parametrize(
    ("happens", "why"), [(listed, "being attached to server elsewhere"), (mapped, "is mapped to openstack-host-other")]
)
@pytest.mark.parametrize("action", ["hold:prove", "let_go"])
def test_however_long_it_takes_what_somebody_is_being_given_is_not_ours(happens: object, why: str, action: str) -> None:
    assert callable(happens)
    made, on, _ = in_doubt()
    step = watched(made, on if action == "hold:prove" else documents(WITH_SERVER), action)
    happens(made)
    kept = spare(made)
    with pytest.raises(InvariantBroken, match=why):
        made.perform(step)
    assert spare(made) == kept


def test_what_ended_meanwhile_is_neither_proven_nor_let_go() -> None:
    for action in ("hold:prove", "let_go"):
        made, on, _ = in_doubt()
        step = watched(made, on if action == "hold:prove" else documents(WITH_SERVER), action)
        elsewhere(made)
        made.perform(step)
        assert (spare(made)[0], reserved(made) == "reserved") == ("in-use", False)


def test_a_proven_reservation_is_not_let_go_from_under_an_attachment_that_is_listed() -> None:
    made, on = ready(), cut(WITH_SERVER)
    made.advance(on, at(f"{group(WITH_SERVER)}#sync"))
    let_go = watched(made, documents(WITH_SERVER), "let_go")
    listed(made)
    with pytest.raises(InvariantBroken, match="being attached"):
        made.perform(let_go)
    assert spare(made)[0] == "attaching"


def test_a_shared_disk_that_another_server_is_being_given_does_not_change_sides() -> None:
    made, on = ready(SHARED), cut(SHARED)
    plan = made.advance(on, at("replication_group/web-2-root#fence"))
    fence = next(step for step in plan.changes if step.id == "acme/replication_group/web-2-root#fence")
    made.source.block_storage.reservations["a"] = VolumeAttachment("a", "root-2", "elsewhere", "attaching")
    with pytest.raises(InvariantBroken, match="being attached to server elsewhere"):
        made.perform(fence)


def moved(on: Desired, *, alone: bool) -> Desired:
    """The volume is named in another wave, which is not to be cut: one with servers of its own, or one of nothing but volumes."""
    waves = [replace(wave, volumes=tuple(id for id in wave.volumes if id != SPARE.id)) for wave in on.waves]
    if alone:
        return replace(on, waves=(*waves, DesiredWave("later", (), (SPARE.id,), cutover=False)))
    first = replace(waves[0], volumes=(*waves[0].volumes, SPARE.id))
    return replace(on, waves=(first, *waves[1:]))


@pytest.mark.parametrize("alone", [False, True], ids=["with-servers", "alone"])
@pytest.mark.parametrize("step", ["sync", "suspend", "fence", "promote", "end"])
def test_what_is_moved_to_another_wave_in_mid_cut_stays_reserved_until_the_cut_is_undone(step: str, alone: bool) -> None:
    made, on = ready(), cut(WITH_SERVER)
    made.advance(on, at(f"{group(WITH_SERVER)}#{step}") if step != "end" else None)
    made.crash()
    kept = spare(made)
    made.advance(moved(on, alone=alone))
    assert (spare(made), kept[0]) == (kept, "attaching")
    if step != "end":
        assert made.advance(documents(WITH_SERVER)).steps == ()
        assert spare(made) == ("available", "")


def test_what_was_moved_is_let_go_once_the_cut_that_it_was_reserved_for_is_undone() -> None:
    made, on = ready(), cut(WITH_SERVER)
    made.advance(on, at(f"{group(WITH_SERVER)}#sync"))
    made.crash()
    made.source.compute.raw["server-2"].clear()
    made.advance(moved(documents(WITH_SERVER), alone=False))
    assert spare(made) == ("available", "")


def test_a_record_of_its_own_is_no_other_cut() -> None:
    made, on = ready(ALONE), cut(ALONE)
    made.advance(on, at(f"{group(ALONE)}#fence"))
    made.crash()
    assert made.advance(documents(ALONE)).steps == ()
    assert spare(made) == ("available", "")
