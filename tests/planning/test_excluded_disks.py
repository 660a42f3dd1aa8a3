"""A data disk that the manifest excludes stays on the source; its server moves without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from millpond.errors import InvariantBroken
from millpond.model.desired import Desired
from millpond.model.plan import Stage
from millpond.model.to_do import told_apart
from tests.planning.situations import approved, flags, leaving
from tests.planning.tenant import desired, world
from tests.planning.world import World, at


def without_data(base: Desired) -> Desired:
    waves = tuple(replace(wave, volumes=tuple(id for id in wave.volumes if id != "data-1")) for wave in base.waves)
    return replace(base, waves=waves, excluded=frozenset({"data-1"}))


def moved() -> World:
    made = world()
    made.tick()
    made.advance(without_data(desired()))
    made.tick(3600)
    return made


def deadly(made: World) -> None:
    disks = made.source.compute.rows["server-1"].volumes
    made.source.compute.put("server-1", volumes=tuple(replace(disk, delete_on_termination=True) for disk in disks))


def test_its_server_is_handed_over_without_it() -> None:
    made = moved()
    plan = made.advance(without_data(flags(pilot=True)))
    assert plan.waves[0].stage is Stage.HANDED_OVER
    (copy,) = made.target.compute.rows.values()
    assert [made.target.block_storage.shown(disk.volume_id).marker for disk in copy.volumes] == ["root-1"]
    before = len(made.sent)
    made.advance(without_data(flags(pilot=True)))
    assert made.sent[before:] == []


def test_it_does_not_die_with_its_server() -> None:
    made = moved()
    made.advance(without_data(flags(pilot=True, rest=True)))
    made.tick(7200)
    ending = without_data(leaving())
    ending = approved(made, ending)
    safe = made.copy()
    deadly(made)
    plan = made.advance(ending)
    assert ("excluded_disk_dies", "acme/server/web-1") in {(f.code, str(f.address).replace("source_", "")) for f in plan.findings}
    (dies,) = (finding for finding in plan.findings if finding.code == "excluded_disk_dies")
    assert list(told_apart(dies.fix)) == [("detach it from the server on the source:", ("openstack server remove volume server-1 data-1",))]
    assert "server-1" in made.source.compute.rows
    safe.advance(ending, at("source_server/web-1#delete"))
    planned = next(step for step in safe.plan(ending).changes if step.id == "acme/source_server/web-1#delete")
    deadly(safe)
    with pytest.raises(InvariantBroken, match="an excluded volume, which has no copy"):
        safe.perform(planned)


@pytest.mark.parametrize(("known", "what"), [("volumes", "volume data-1"), ("ports", "port port-1")])
def test_what_nothing_will_make_holds_the_wave_before_it_is_admitted(known: str, what: str) -> None:
    """The server's own row names it, and the inventory does not."""
    base = flags(pilot=True)
    left = tuple(item for item in getattr(base.inventory, known) if item.id not in what.split())
    waves = tuple(replace(wave, volumes=tuple(id for id in wave.volumes if id not in what.split())) for wave in base.waves)
    documents = replace(base, waves=waves, inventory=replace(base.inventory, **{known: left}))
    made = world()
    made.tick()
    made.advance(flags(base=documents))
    made.tick(3600)
    plan = made.advance(documents)
    assert [finding.what.rpartition(": ")[2] for finding in plan.findings if finding.code == "incomplete_boot"] == [what]
    assert not plan.waves[0].admitted
    assert made.source.compute.rows["server-1"].status == "ACTIVE"
