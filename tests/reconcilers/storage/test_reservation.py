"""Volumes that a boot which came to nothing left reserved: when they are taken back, and what holds that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.errors import InvariantBroken, LeaseHeld
from millpond.model.block_storage import Attachment, VolumeAttachment
from millpond.model.change import Change, Waiting
from millpond.model.finding import Severity
from millpond.model.plan import Plan, TenantPlan
from millpond.planning.envelope import Envelope
from millpond.planning.stages import goals
from millpond.reconcilers import boot
from millpond.reconcilers.base import Scope
from millpond.reconcilers.storage import volume
from millpond.reconcilers.storage.reservation import ACTION, RESERVATIONS
from millpond.runs.moving import MOVED_BY
from tests.planning.arrays import LunMapping
from tests.planning.situations import PILOT, back, before, prepared
from tests.planning.world import EPOCH, World
from tests.reconcilers.kinds import change, codes, ids, planned

NOBODY = "a-server-that-never-was"
WAITS = [f"… web-1-root#{ACTION}"]


def left(seconds: float = 600, server: str = NOBODY, *disks: str) -> World:
    """Another run's boot reserved these disks and came to nothing, that long ago."""
    made = before("server/web-1#create")
    for name in disks or ("web-1-root",):
        made.target.block_storage.reserve(twin(made, name), server)
    made.now = declared(made).at + timedelta(seconds=seconds)
    return made


def declared(made: World) -> boot.Boot:
    found = boot.declared(made.source.compute.shown("server-1").record)
    assert found is not None
    return found


def twin(made: World, name: str = "web-1-root") -> str:
    return next(id for id, known in made.target.block_storage.rows.items() if known.name == name)


def open_steps(plan: TenantPlan) -> set[str]:
    return {step.id for step in plan.changes if not step.after}


def rungs(made: World) -> list[str]:
    return [id for id in ids(planned(volume, PILOT, made)) if ACTION in id]


def test_it_is_taken_back_and_the_boot_is_sent_again() -> None:
    made = left(600, NOBODY, "web-1-root", "web-1-data")
    found = planned(volume, PILOT, made)
    assert codes(found) == []
    rung = change(found, f"web-1-root#{ACTION}")
    assert "web-1" in rung.reason
    assert NOBODY in rung.reason
    assert rung.outage
    made.advance(PILOT)
    assert made.target.block_storage.reservations == {}
    assert [server.status for server in made.target.compute.servers("")] == ["ACTIVE"]
    order = [id for id in made.sent if ACTION in id or id.endswith(("web-1#boot", "web-1#create"))][-4:]
    assert [id.partition("#")[2] for id in order] == [ACTION, ACTION, "boot", "create"]


def test_no_boot_is_sent_before_each_of_its_disks_is_free() -> None:
    """The boot volume was taken back by a run that died then: a boot would leave it behind once more."""
    made = left(600, NOBODY, "web-1-data")
    plan = made.advance(PILOT, lambda plan: f"acme/volume/web-1-data#{ACTION}" in open_steps(plan))
    ready = open_steps(plan)
    assert f"acme/volume/web-1-data#{ACTION}" in ready
    assert not {"acme/server/web-1#create", "acme/source_server/web-1#boot"} & ready
    made.advance(PILOT)
    assert [server.status for server in made.target.compute.servers("")] == ["ACTIVE"]


def test_while_the_boot_may_still_come_it_waits_and_says_until_when() -> None:
    made = left(119)
    found = planned(volume, PILOT, made)
    assert rungs(made) == WAITS
    [finding] = found.findings
    assert (finding.code, finding.severity, finding.wave) == ("boot_left_reservation", Severity.WARNING, "pilot")
    assert f"{declared(made).at + timedelta(seconds=120):%H:%M:%S} UTC" in finding.fix
    made.now += timedelta(seconds=1)
    assert rungs(made) == [f"web-1-root#{ACTION}"]


def test_what_a_server_of_the_tenants_reserved_is_left_to_it() -> None:
    made = left(600)
    other = replace(made.source.compute.rows["server-1"], id="own-1", name="their-own", status="BUILD")
    made.target.compute.rows["own-1"] = other
    made.target.block_storage.reservations.clear()
    made.target.block_storage.reservations["a"] = VolumeAttachment("a", twin(made), "own-1", "reserved")
    found = planned(volume, PILOT, made)
    assert rungs(made) == WAITS
    assert codes(found) == [("reserved_elsewhere", "pilot")]
    assert "their-own (own-1)" in found.findings[0].what
    assert not [step for step in made.plan(PILOT).changes if step.id.endswith("web-1#create")]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (None, "reserved_for_nobody"),
        ("", "reserved_elsewhere"),
    ],
)
def test_what_no_server_reserved_is_for_a_person_to_judge(row: str | None, code: str) -> None:
    made = left(600, row or "")
    if row is None:
        made.target.block_storage.reservations.clear()
    found = planned(volume, PILOT, made)
    assert rungs(made) == WAITS
    assert codes(found) == [(code, "pilot")]
    assert found.findings[0].severity is Severity.BLOCKER


def test_a_plan_that_was_saved_before_the_boot_covers_it() -> None:
    plan = prepared().plan(PILOT)
    envelope = Envelope.of(Plan(EPOCH, "0", (plan,), plan.digest))
    rung = next(step for step in left(600).plan(PILOT).changes if step.action == ACTION)
    assert envelope.allowed("acme", [rung]) == [rung]


def test_what_was_not_read_yet_is_no_reason_to_ask_a_person() -> None:
    made = left(600)
    seen = made.snapshot()
    seen = replace(seen, target=replace(seen.target, volume_attachments=None))
    found = volume.plan(PILOT, seen, goals(PILOT, seen)[0])
    assert [id for id in ids(found) if ACTION in id] == WAITS
    assert found.findings == ()
    assert not any(isinstance(step, Waiting) and step.long for step in found.steps)
    assert ("reservation", "target") in MOVED_BY[f"volume#{ACTION}"]


def test_what_was_handed_over_is_left_to_the_tenant() -> None:
    made = left(600)
    made.source.compute.raw["server-1"]["millpond.verified"] = boot.stamp(made.now)
    assert made.snapshot().target.volume_attachments is None
    assert rungs(made) == []


@pytest.mark.parametrize("how", ["discard", "carry_back"])
def test_on_the_way_back_it_is_taken_back_too(how: str) -> None:
    made = left(600)
    documents = back(made, how)
    rung = change(planned(volume, documents, made), f"web-1-root#{ACTION}")
    assert not rung.outage
    if how == "discard":
        made.discard(["server-1"])
    made.advance(documents)
    assert {one.status for one in made.target.block_storage.volumes("")} == {"maintenance"}
    assert made.source.compute.shown("server-1").status == "ACTIVE"
    assert made.source.compute.shown("server-1").record is None


def test_a_disk_that_others_share_stays_in_use() -> None:
    made = left(600)
    made.target.block_storage.put(twin(made), attachments=(Attachment("sibling", "/dev/vdb"),))
    [field] = change(planned(volume, PILOT, made), f"web-1-root#{ACTION}").fields
    assert (field.before, field.after) == ("reserved", "in-use")


def test_without_a_declared_boot_nothing_is_taken_back() -> None:
    made = left(600)
    assert rungs(made) != []
    del made.source.compute.raw["server-1"]["millpond.booting"]
    assert rungs(made) == []


def test_the_list_is_read_only_where_a_boot_came_to_nothing() -> None:
    def read(made: World) -> bool:
        return RESERVATIONS.observe(made, Scope("acme", "p", "q", made.snapshot())).target["volume_attachments"] is not None

    assert read(left(600))
    assert not read(left(119))
    assert not read(prepared())
    made = before("server/web-1#create")
    made.now += timedelta(seconds=600)
    assert not read(made)  # no disk is reserved
    made.advance(PILOT, lambda _: any(server.status == "BUILD" for server in made.target.compute.rows.values()))
    made.now += timedelta(seconds=600)
    assert not read(made)  # its server is there


def ready() -> tuple[World, Change]:
    made = left(600)
    made.advance(PILOT, lambda plan: any(step.id.endswith(ACTION) and not step.after for step in plan.changes))
    return made, next(step for step in made.plan(PILOT).changes if step.id.endswith(ACTION))


def declared_anew(made: World) -> None:
    made.source.compute.raw["server-1"]["millpond.booting"] = f"{boot.stamp(made.now)}/{made.run}"


def came_after_all(made: World) -> None:
    made.target.compute.rows[NOBODY] = replace(made.source.compute.rows["server-1"], id=NOBODY, status="BUILD")
    made.target.compute.raw[NOBODY] = {"millpond:source": "server-1"}


def exists_elsewhere(made: World) -> None:
    made.target.compute.rows[NOBODY] = replace(made.source.compute.rows["server-1"], id=NOBODY)


def connected(made: World) -> None:
    known = made.target.block_storage.reservations
    known.update({id: replace(one, status="attaching") for id, one in known.items()})


def somebody_elses(made: World) -> None:
    made.target.block_storage.raw[twin(made)] = {}


def mapped(made: World) -> None:
    array = made.arrays["ibox-b"]
    array.mappings.add(LunMapping("openstack-host-other", array.by_name(f"openstack-vol-{twin(made)}").id))


def undone(made: World) -> None:
    made.source.compute.raw["server-1"].clear()


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (declared_anew, "was declared since"),
        (came_after_all, "has come of the boot after all"),
        (exists_elsewhere, "exists on the target"),
        (connected, "it is in use"),
        (somebody_elses, "does not carry the marker"),
        (mapped, "is mapped to openstack-host-other"),
        (undone, "no cut is recorded"),
    ],
)
def test_what_happens_meanwhile_stops_it(happens: Callable[[World], None], why: str) -> None:
    made, rung = ready()
    happens(made)
    then = dict(made.target.block_storage.reservations)
    with pytest.raises(InvariantBroken, match=why):
        made.perform(rung)
    assert made.target.block_storage.reservations == then
    assert made.target.block_storage.rows[twin(made)].status == "reserved"


def test_another_run_that_took_over_stops_it() -> None:
    made, rung = ready()
    made.source.compute.raw["server-1"]["millpond.run"] = "another"
    with pytest.raises(LeaseHeld):
        made.perform(rung)
    assert made.target.block_storage.rows[twin(made)].status == "reserved"


def test_carried_out_twice_or_late_it_sends_nothing() -> None:
    made, rung = ready()
    made.perform(rung)
    made.perform(rung)
    assert made.target.block_storage.rows[twin(made)].status == "available"
    made.target.block_storage.reserve(twin(made), "the-next-server")
    made.target.block_storage.reservations["next"] = replace(made.target.block_storage.reservations.popitem()[1], id="next")
    made.perform(rung)
    assert made.target.block_storage.rows[twin(made)].status == "reserved"
