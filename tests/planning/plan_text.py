"""A plan as text for goldens: the steps by how many others they come after, what waits, and what is found."""

from __future__ import annotations

from graphlib import TopologicalSorter

from millpond.model.change import AnyStep, Effect, Waiting
from millpond.model.plan import TenantPlan

SYMBOLS = {Effect.CREATE: "+", Effect.UPDATE: "~", Effect.DELETE: "-"}


def text(plan: TenantPlan) -> str:
    lines = [f"wave {wave.name}: {wave.stage}, {wave.phase}" for wave in plan.waves]
    depth = depths(plan.steps)
    lines += [_line(depth[step.id], step) for step in sorted(plan.steps, key=lambda step: depth[step.id])]
    lines += [f"drift on {item.side} {_short(str(item.address))}: {_drift(item)}" for item in plan.drift]
    for found in plan.findings:
        lines.append(f"{found.severity} {found.code} {_short(str(found.address))} [{found.wave or 'all'}]: {found.what}")
        lines += [f"    {line}" for line in found.patch.splitlines()]
    return "\n".join(lines) + "\n"


def depths(steps: tuple[AnyStep, ...]) -> dict[str, int]:
    """step id → length of the longest chain before it. CycleError where there is one."""
    after = {step.id: step.after for step in steps}
    found: dict[str, int] = {}
    for id in TopologicalSorter(after).static_order():
        found[id] = max((found[earlier] + 1 for earlier in after[id]), default=0)
    return found


def _short(id: str) -> str:
    return id.partition("/")[2]


def _line(depth: int, step: AnyStep) -> str:
    if isinstance(step, Waiting):
        return f"{depth:3} … {_short(step.id)} (waiting{', long' if step.long else ''}: {step.reason})"
    marks = [word for word, on in (("danger", step.danger), ("outage", step.outage), ("for good", not step.reversible)) if on]
    goal = f" → {step.destination}" if step.destination != step.action else ""
    told = f" ({', '.join(marks)})" if marks else ""
    return f"{depth:3} {SYMBOLS[step.effect]} {step.side:7} {_short(step.id)}{goal}{told}"


def _drift(item: object) -> str:
    what = getattr(item, "what", "")
    fields = getattr(item, "fields", ())
    return what or ", ".join(f"{field.path} {field.before!r} → {field.after!r}" for field in fields)
