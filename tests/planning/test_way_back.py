"""A rollback that cannot be finished is not begun: the copy on the target goes on running, and a blocker says what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from millpond.model.block_storage import Attachment
from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from tests.planning.situations import BACK, PILOT, cut_of, done, flags
from tests.planning.tenant import INVENTORY, desired, volume, world
from tests.planning.world import World, at, flagged

WAYS = pytest.mark.parametrize("how", ["discard", "carry_back"])


def renamed(made: World, how: str) -> Desired:
    pilot = replace(BACK.waves[0], name="first", rollback=Rollback(cut_of(made), how))
    return replace(BACK, waves=(pilot, *BACK.waves[1:]))


def without_data(made: World, how: str) -> Desired:
    pilot = replace(BACK.waves[0], volumes=("root-1",), rollback=Rollback(cut_of(made), how))
    return replace(BACK, waves=(pilot, *BACK.waves[1:]), excluded=frozenset({"data-1"}))


@WAYS
@pytest.mark.parametrize("documents", [renamed, without_data])
def test_a_group_that_cannot_go_back_leaves_its_server_running(how: str, documents: object) -> None:
    made = done()
    made.discard(["server-1"] if how == "discard" else [])
    sent = len(made.sent)
    plan = made.advance(documents(made, how))  # type: ignore[operator]
    assert {finding.code for finding in plan.blockers} == {"regroup"}
    assert [s.status for s in made.target.compute.rows.values()] == ["ACTIVE"]
    assert made.source.compute.shown("server-1").record.verified  # type: ignore[union-attr]
    assert not [id for id in made.sent[sent:] if id.startswith(("acme/server/", "acme/source_server/", "acme/replication_group/"))]


def test_one_that_was_stopped_already_is_not_held_by_it() -> None:
    made = done()
    made.target.compute.put(next(iter(made.target.compute.rows)), status="SHUTOFF")
    assert not [step for step in made.plan(renamed(made, "discard")).waiting if step.action == "way_back"]


def test_one_whose_guest_runs_although_it_is_shutoff_is_held_as_one_that_is_up() -> None:
    made = done()
    made.target.compute.put(next(iter(made.target.compute.rows)), status="SHUTOFF", power_state=1)
    held = [step for step in made.plan(renamed(made, "discard")).waiting if step.action == "way_back"]
    assert {step.servers for step in held} == {("server-1",)}


def moved() -> tuple[World, Desired]:
    """web-2 and a detached volume were handed over; the tenant has attached the volume to a server of its own since."""
    base = desired(replace(INVENTORY, volumes=(*INVENTORY.volumes, volume("vol-spare", "spare", 5))))
    made = world(base.inventory)
    made.tick()
    made.advance(base)
    made.tick(3600)
    made.advance(flags(rest=True, base=base))
    made.tick(300)
    compute, storage = made.target.compute, made.target.block_storage
    spare = next(id for id, one in storage.rows.items() if one.name == "spare")
    compute.rows["own"] = replace(next(iter(compute.rows.values())), id="own", name="own", volumes=(), port_ids=(), locked=False)
    compute.raw["own"] = {}
    storage.put(spare, status="in-use", attachments=(Attachment("own", "/dev/vdb"),))
    return made, base


@WAYS
def test_a_volume_that_the_tenant_uses_elsewhere_is_told_and_nothing_is_stopped(how: str) -> None:
    made, base = moved()
    made.discard(["server-2"] if how == "discard" else [])
    on = flagged(base, rest={"rollback": Rollback(cut_of(made, "server-2"), how)})
    sent = len(made.sent)
    plan = made.advance(on)
    (found,) = plan.blockers
    assert (found.code, str(found.address), found.wave) == ("volume_used_elsewhere", "acme/volume/spare", "rest")
    assert "own (own)" in found.what
    assert {s.status for s in made.target.compute.rows.values()} == {"ACTIVE"}
    assert not [id for id in made.sent[sent:] if id.startswith(("acme/server/", "acme/source_server/"))]
    assert not [id for id in made.sent[sent:] if id.endswith(("#demote", "#restore"))]
    storage = made.target.block_storage
    storage.put(next(id for id, one in storage.rows.items() if one.name == "spare"), status="available", attachments=())
    assert [finding.code for finding in made.advance(on).blockers] == []
    assert made.source.compute.rows["server-2"].status == "ACTIVE"


def test_what_its_own_server_holds_is_no_blocker() -> None:
    made = done()
    on = flagged(BACK, pilot={"rollback": Rollback(cut_of(made), "discard")})
    made.discard(["server-1"])
    assert made.advance(on, at("server/web-1#stop")).blockers == ()
    assert made.plan(PILOT).blockers == ()
