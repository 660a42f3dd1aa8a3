"""What a wave's flag asks for, where the records on its servers do not agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from millpond.model.plan import Stage, TenantPlan
from millpond.planning.stages import goals
from tests.planning.situations import BACK, BOTH, PILOT, approved, back, before, block, cut_of, done, flags, leaving, one_wave
from tests.planning.tenant import prepared
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


def twice(made: World, documents: Desired) -> list[str]:
    return [found.code for found in made.plan(documents).blockers if found.code == "both_running"]


def copy_of(made: World) -> str:
    return next(iter(made.target.compute.rows))


UP = {"status": "ACTIVE", "power_state": 1}
GUEST = {"status": "SHUTOFF", "power_state": 1}
DOWN = {"status": "SHUTOFF", "power_state": 4}


@pytest.mark.parametrize(
    ("here", "there", "both"),
    [
        (UP, UP, True),
        (GUEST, UP, True),
        (UP, GUEST, True),
        (GUEST, GUEST, True),
        (DOWN, UP, False),
        (GUEST, DOWN, False),
        (UP, DOWN, False),
    ],
)
@pytest.mark.parametrize("how", ["", "discard", "carry_back"])
def test_a_copy_is_up_whose_guest_runs_whatever_nova_calls_it(here: dict[str, Any], there: dict[str, Any], both: bool, how: str) -> None:
    made = done()
    documents = back(made, how) if how else PILOT
    made.source.compute.put("server-1", **here)
    made.target.compute.put(copy_of(made), **there)
    aims, findings = goals(documents, made.snapshot())
    assert ["both_running"] * both == twice(made, documents) == [found.code for found in findings]
    assert (aims.stages["pilot"] is Stage.HELD) is both
    if both:
        assert [step.id for step in made.plan(documents).changes if step.wave == "pilot"] == []
        hidden = [id for id, state in (("server-1", here), (copy_of(made), there)) if state is GUEST]
        assert [id in findings[0].why for id in hidden] == [True] * len(hidden)
        assert ("on its host" in findings[0].fix) is bool(hidden)


def test_in_the_middle_of_a_cut_nothing_goes_on_with_a_guest_on_each_side() -> None:
    made = before("source_server/web-1#verify")
    made.source.compute.put("server-1", **GUEST)
    assert twice(made, PILOT) == ["both_running"]
    assert [step.id for step in made.plan(PILOT).changes if step.wave == "pilot"] == []
    made.source.compute.put("server-1", **DOWN)
    assert made.advance(PILOT).blockers == ()


def test_what_nova_is_powering_off_is_no_second_copy_until_that_takes_too_long() -> None:
    made = done()
    made.source.compute.put("server-1", **GUEST, task_state="powering-off", updated_at=made.stamp())
    made.now = made.now.replace(microsecond=0)
    assert twice(made, PILOT) == []
    made.now += timedelta(seconds=599)
    assert twice(made, PILOT) == []
    made.now += timedelta(seconds=1)
    assert twice(made, PILOT) == ["both_running"]
    made.source.compute.put("server-1", **GUEST, task_state="powering-on", updated_at=made.stamp())
    assert twice(made, PILOT) == ["both_running"]


@pytest.mark.parametrize("how", ["", "discard", "carry_back"])
def test_no_cut_and_no_way_back_of_ours_is_taken_for_two_copies(how: str) -> None:
    """The hypervisors' power states are told as Nova does: changed together with the status, when a task has ended."""

    def told(plan: TenantPlan) -> bool:
        for cloud in (made.source, made.target):
            for id, server in list(cloud.compute.rows.items()):
                if server.task_state == "" and server.status in ("ACTIVE", "SHUTOFF"):
                    cloud.compute.put(id, power_state=1 if server.status == "ACTIVE" else 4)
        seen.extend(found.code for found in made.plan(documents).blockers)
        return False

    seen: list[str] = []
    made = done() if how else prepared()
    documents = back(made, how) if how else PILOT
    made.discard(["server-1"] if how == "discard" else [])
    made.advance(documents, told)
    assert seen == []
    assert made.source.compute.shown("server-1").status == ("ACTIVE" if how else "SHUTOFF")
