"""Every situation of the walk has a golden plan; and another run, with every local file lost, plans the same."""

import os
from pathlib import Path

import pytest

from millpond.model.plan import TenantPlan
from tests.planning.plan_text import depths, text
from tests.planning.walk_cases import CASES

GOLDEN = Path(__file__).parent / "walk"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))


def planned(name: str, *, crash: bool = False) -> TenantPlan:
    desired, world = CASES[name]()
    if crash:
        world.crash()
    return world.plan(desired)


@pytest.mark.parametrize("name", CASES)
def test_the_plan_of_a_situation(name: str) -> None:
    found, golden = text(planned(name)), GOLDEN / f"{name}.txt"
    if UPDATE:
        golden.write_text(found)
    assert found == golden.read_text()


def test_every_golden_has_its_situation() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


def essence(plan: TenantPlan) -> dict[str, tuple[str, ...]]:
    """Without the claims of another run, which come in between."""
    claims = {step.id for step in plan.steps if step.action == "claim"}
    return {step.id: tuple(id for id in step.after if id not in claims) for step in plan.steps if step.id not in claims}


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith(("11", "12-deleted"))])
def test_another_run_with_every_local_file_lost_plans_the_same(name: str) -> None:
    """Row 32. In rows 11 and 12 a boot was declared: there only the run that has sent nothing yet may send it at once."""
    assert essence(planned(name, crash=True)) == essence(planned(name))


@pytest.mark.parametrize("name", CASES)
def test_steps_are_unique_and_come_after_steps_of_the_same_plan(name: str) -> None:
    plan = planned(name)
    ids = [step.id for step in plan.steps]
    assert len(ids) == len(set(ids))
    assert {id for step in plan.steps for id in step.after} <= set(ids)
    assert depths(plan.steps).keys() == set(ids)
