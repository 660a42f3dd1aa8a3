"""The order in which changes can be carried out, as `after` says."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from millpond.model.change import AnyStep, Change
from millpond.model.plan import TenantPlan


def in_order(steps: Sequence[AnyStep]) -> list[Change]:
    """The changes, each after what it comes after; else as they stand. What lies on a circle comes last, as it stands."""
    known = {step.id: step for step in steps}
    left = {step.id: sum(id in known for id in step.after) for step in steps}
    followers: dict[str, list[str]] = {}
    for step in steps:
        for id in step.after:
            followers.setdefault(id, []).append(step.id)
    ready = deque(step.id for step in steps if not left[step.id])
    order: list[str] = []
    while ready:
        order.append(ready.popleft())
        for id in followers.get(order[-1], ()):
            left[id] -= 1
            if not left[id]:
                ready.append(id)
    order += [id for id, count in left.items() if count]
    return [step for id in order if isinstance(step := known[id], Change)]


def by_wave(tenant: TenantPlan) -> dict[str, list[Change]]:
    """Name of a wave → its changes in order; first what belongs to none, then the waves as they are admitted."""
    names = {"": 0, **{status.name: rank for rank, status in enumerate(tenant.waves, 1)}}
    found: dict[str, list[Change]] = {}
    for change in in_order(tenant.steps):
        found.setdefault(change.wave, []).append(change)
    return {name: found[name] for name in sorted(found, key=lambda name: names.get(name, len(names)))}
