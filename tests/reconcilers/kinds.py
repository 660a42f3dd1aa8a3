"""What the tests of single kinds share: the small tenant with disks, as plans of one kind see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from millpond.model.change import AnyStep, Change, Waiting
from millpond.model.desired import Desired
from millpond.planning.stages import goals
from millpond.reconcilers.base import KindPlan
from tests.planning.world import World


def planned(kind: ModuleType, documents: Desired, world: World) -> KindPlan:
    """The plan of one kind, with the goals that flags and observation give."""
    snapshot = world.snapshot()
    found: KindPlan = kind.plan(documents, snapshot, goals(documents, snapshot, world.run, frozenset(world.tried))[0])
    return found


def ids(found: KindPlan | Iterable[AnyStep]) -> list[str]:
    """Without tenant and kind; a step that waits has an ellipsis before it."""
    steps = found.steps if isinstance(found, KindPlan) else found
    return [("… " if isinstance(step, Waiting) else "") + step.id.split("/", 2)[2] for step in steps]


def change(found: KindPlan, id: str) -> Change:
    step = next(step for step in found.steps if step.id.endswith(id))
    assert isinstance(step, Change)
    return step


def body(found: KindPlan, id: str) -> Mapping[str, Any]:
    values: Mapping[str, Any] = change(found, id).parameters["body"]
    return values


def codes(found: KindPlan) -> list[tuple[str, str]]:
    """(code, wave) of each finding."""
    return [(finding.code, finding.wave) for finding in found.findings]
