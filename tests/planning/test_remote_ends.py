"""A server starts on the disk that the array replicates to, whatever became of the manifest or of the volume on the target meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from millpond.model.desired import Desired
from millpond.model.plan import Stage
from tests.planning.situations import flags
from tests.planning.tenant import desired, prepared, world
from tests.planning.world import World, at

ROOT = "replication_group/web-2-root"


def adopted(how: str, **flagged: bool) -> Desired:
    return flags(base=desired(adoption=how), **flagged)


def replicated(how: str) -> World:
    made = world()
    made.tick()
    made.advance(adopted(how))
    made.tick(3600)
    return made


def let_go(made: World, *names: str) -> World:
    storage = made.target.block_storage
    for id in [id for id, volume in storage.rows.items() if volume.name in names]:
        del storage.rows[id], storage.raw[id]
    return made


def empty_one(made: World, name: str) -> World:
    """Somebody made another volume in the place of the twin."""
    storage = made.target.block_storage
    id, old = next((id, volume) for id, volume in storage.rows.items() if volume.name == name)
    new = storage.create_volume("", {**vars(old), "metadata": storage.raw[id]})
    storage.put(new, status=old.status)
    del storage.rows[id], storage.raw[id]
    return made


@pytest.mark.parametrize("until", ["", f"{ROOT}#promote", "server/web-2#create"])
@pytest.mark.parametrize(("first", "then"), [("manage", "precreate"), ("precreate", "manage")])
def test_another_adoption_is_no_other_disk(first: str, then: str, until: str) -> None:
    """The world itself refuses a start on a disk that is not the last one written."""
    made = replicated(first)
    if until:
        made.advance(adopted(first, rest=True), at(until))
        made.crash()
    plan = made.advance(adopted(then, rest=True))
    assert [(wave.name, wave.stage) for wave in plan.waves] == [("pilot", Stage.REPLICATE), ("rest", Stage.HANDED_OVER)]
    before = len(made.sent)
    made.advance(adopted(then, rest=True))
    assert made.sent[before:] == []


@pytest.mark.parametrize(("name", "wave"), [("web-2-root", "rest"), ("web-1-data", "pilot")])
def test_the_remote_end_of_a_volume_that_is_gone_is_adopted(name: str, wave: str) -> None:
    made = let_go(prepared(), name)
    plan = made.advance(flags(**{wave: True}))
    assert next(one.stage for one in plan.waves if one.name == wave) is Stage.HANDED_OVER
    assert f"acme/volume/{name}#manage" in made.sent


@pytest.mark.parametrize(("name", "on"), [("web-2-root", {"rest": True}), ("web-1-data", {"pilot": True})])
def test_another_disk_than_the_remote_end_is_a_blocker(name: str, on: dict[str, Any]) -> None:
    made = empty_one(prepared(), name)
    found = [f for f in made.plan(flags()).findings if f.code == "other_remote_end"]
    assert [(str(f.address), f.wave) for f in found] == [(f"acme/volume/{name}", next(iter(on)))]
    plan = made.advance(flags(**on))
    assert not [id for id in made.sent if id.endswith(("#promote", "#record", "server/web-1#create", "server/web-2#create"))]
    assert {wave.admitted for wave in plan.waves} == {False}


def test_a_disk_that_changed_in_the_middle_of_a_cut_boots_nothing() -> None:
    made = prepared()
    made.advance(flags(rest=True), at("server/web-2#create"))
    made = empty_one(made, "web-2-root")
    made.target.block_storage.put(
        next(id for id, v in made.target.block_storage.rows.items() if v.name == "web-2-root"), status="available"
    )
    plan = made.advance(flags(rest=True))
    assert "other_remote_end" in {finding.code for finding in plan.findings}
    assert not made.target.compute.rows


def test_a_volume_that_is_reserved_already_is_paired_although_it_was_to_be_managed() -> None:
    made = world()
    made.tick()
    made.advance(desired(), at(f"{ROOT}#pair"))
    made.advance(adopted("manage"))
    made.tick(3600)
    plan = made.advance(adopted("manage", rest=True))
    assert plan.waves[1].stage is Stage.HANDED_OVER
    assert "acme/volume/web-2-root#unmanage" not in made.sent
