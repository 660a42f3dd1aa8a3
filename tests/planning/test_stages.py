"""What a wave's flag asks for, where the records on its servers do not agree."""

from __future__ import annotations

from dataclasses import replace

from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from millpond.model.plan import Stage
from millpond.planning.stages import goals
from tests.planning.situations import BACK, BOTH, block, cut_of, done, one_wave
from tests.planning.world import flagged


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
