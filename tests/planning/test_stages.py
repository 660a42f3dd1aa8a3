"""What a wave's flag asks for, where the records on its servers do not agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from millpond.model.plan import Stage
from millpond.planning.stages import goals
from tests.planning.situations import BACK, BOTH, approved, block, cut_of, done, flags, leaving, one_wave
from tests.planning.world import World, at, flagged


def united(cut: str = "") -> Desired:
    """One wave of all servers, which were cut over by a wave each."""
    base = one_wave()
    rollback = Rollback(cut, "discard") if cut else None
    return replace(base, waves=tuple(replace(wave, rollback=rollback) for wave in base.waves))


def test_one_rollback_block_takes_no_other_cut_back() -> None:
    world = done(BOTH)
    first, second = cut_of(world), cut_of(world, "server-2")
    assert first != second
    for named in ("", first, second):
        documents = united(named)
        aims, (finding,) = goals(documents, world.snapshot())
        assert (aims.stages["pilot"], finding.code, finding.wave) == (Stage.HELD, "several_cuts", "pilot")
        assert f"cut {first}: web-1" in finding.what
        assert f"cut {second}: " in finding.what
        assert "web-2" in finding.what
        plan = world.plan(documents)
        assert [step.id for step in plan.changes if step.wave == "pilot"] == []


def test_a_wave_of_its_own_for_each_cut_takes_both_back() -> None:
    world = done(BOTH)
    both = {**block(cut_of(world), "discard"), **block(cut_of(world, "server-2"), "discard", ("rest",))}
    aims, findings = goals(flagged(BACK, **both), world.snapshot())
    assert findings == ()
    assert aims.stages == {"pilot": Stage.DISCARD, "rest": Stage.DISCARD}


def decommissioned_in_part() -> World:
    made = done(BOTH)
    made.now += timedelta(hours=2)
    made.advance(approved(made, leaving()), at("source_volume/web-1-root#delete"))
    made.crash()
    return made


def deleted_by_an_administrator() -> World:
    made = done(BOTH)
    del made.source.compute.rows["server-1"], made.source.compute.raw["server-1"]
    return made


@pytest.mark.parametrize("how", [decommissioned_in_part, deleted_by_an_administrator])
@pytest.mark.parametrize("used", [True, False])
def test_what_is_gone_from_the_source_cannot_go_back(how: Callable[[], World], used: bool) -> None:
    made = how()
    if not used and how is decommissioned_in_part:  # elsewhere nothing but its copy tells that it was handed over
        made.target.compute.delete_server(next(id for id, s in made.target.compute.rows.items() if s.name == "web-1"))
    made.advance(BOTH)
    pools, sent = made.target.network.rows["subnet"].copy(), len(made.sent)
    plan = made.advance(flags(rest=True))
    assert made.sent[sent:] == []
    assert made.target.network.rows["subnet"] == pools
    assert [(wave.name, wave.stage) for wave in plan.waves] == [("pilot", Stage.HELD), ("rest", Stage.HANDED_OVER)]
    assert [(finding.code, finding.wave) for finding in plan.blockers] == [("nothing_to_go_back_to", "pilot")]
