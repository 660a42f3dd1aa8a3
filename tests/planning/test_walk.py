"""Every situation of the walk has a golden plan; and another run, with every local file lost, plans the same."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from millpond.model.desired import Desired
from millpond.model.plan import TenantPlan
from tests.planning.plan_text import depths, text
from tests.planning.walk_cases import CASES
from tests.planning.world import World

GOLDEN = Path(__file__).parent / "walk"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))


@dataclass(frozen=True)
class Situation:
    name: str
    desired: Desired
    world: World
    plan: TenantPlan


@pytest.fixture(scope="module")
def situation(request: pytest.FixtureRequest) -> Situation:
    """Played once for all that is asked of it: pytest runs the tests of one after the other."""
    desired, world = CASES[request.param]()
    return Situation(request.param, desired, world, world.plan(desired))


def each(names: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("situation", names, indirect=True)


@each(list(CASES))
def test_the_plan_of_a_situation(situation: Situation) -> None:
    found, golden = text(situation.plan), GOLDEN / f"{situation.name}.txt"
    if UPDATE:
        golden.write_text(found)
    assert found == golden.read_text()


def test_every_golden_has_its_situation() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


def essence(plan: TenantPlan) -> dict[str, tuple[str, ...]]:
    """Without the claims of another run, which come in between."""
    claims = {step.id for step in plan.steps if step.action == "claim"}
    return {step.id: tuple(id for id in step.after if id not in claims) for step in plan.steps if step.id not in claims}


@each([name for name in CASES if not name.startswith(("11", "12-deleted"))])
def test_another_run_with_every_local_file_lost_plans_the_same(situation: Situation) -> None:
    """Row 32. In rows 11 and 12 a boot was declared: there only the run that has sent nothing yet may send it at once."""
    situation.world.crash()
    assert essence(situation.world.plan(situation.desired)) == essence(situation.plan)


@each(list(CASES))
def test_steps_are_unique_and_come_after_steps_of_the_same_plan(situation: Situation) -> None:
    plan = situation.plan
    ids = [step.id for step in plan.steps]
    assert len(ids) == len(set(ids))
    assert {id for step in plan.steps for id in step.after} <= set(ids)
    assert depths(plan.steps).keys() == set(ids)
