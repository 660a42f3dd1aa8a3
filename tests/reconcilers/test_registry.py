import pkgutil
from importlib import import_module

import pytest

from millpond import reconcilers
from millpond.model.plan import Stage
from millpond.reconcilers.base import Reconciler
from millpond.reconcilers.goals import GOALS, goal
from millpond.reconcilers.registry import BY_KIND, RECONCILERS


def modules() -> set[str]:
    names = [found.name for found in pkgutil.walk_packages(reconcilers.__path__, "millpond.reconcilers.") if not found.ispkg]
    return {name for name in names if hasattr(import_module(name), "KIND") and hasattr(import_module(name), "observe")}


def test_every_module_that_is_a_kind_is_listed_once() -> None:
    listed = [kind.__name__ for kind in RECONCILERS]  # type: ignore[attr-defined]
    assert len(listed) == len(set(listed)) == len(BY_KIND)
    assert modules() == set(listed)


@pytest.mark.parametrize("kind", RECONCILERS, ids=lambda kind: kind.KIND)
def test_a_kind_has_all_that_the_loop_calls(kind: Reconciler) -> None:
    assert all(callable(getattr(kind, name)) for name in ("observe", "plan", "perform"))
    assert BY_KIND[kind.KIND] is kind


def test_every_kind_of_the_table_exists_and_has_a_rung_for_every_stage_but_held() -> None:
    assert set(GOALS) <= set(BY_KIND)
    for kind, rungs in GOALS.items():
        assert set(rungs) == set(Stage) - {Stage.HELD}, kind
        assert goal(kind, Stage.HELD) == ""
        assert all(goal(kind, stage) for stage in rungs)


def test_nothing_of_the_source_dies_but_in_a_decommissioning() -> None:
    for kind in ("source_server", "source_volume"):
        assert [stage for stage in Stage if goal(kind, stage) == "absent"] == [Stage.DECOMMISSION]
