"""Drift: what changed outside of Millpond. Reported and left alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millpond.model.plan import Drift, Plan
from millpond.reporting.layout import wrapped
from millpond.reporting.symbols import bold, green, yellow
from millpond.reporting.values import field_lines

HEADINGS = {
    "source": ("Source drift", "the source is no longer what the inventory says; `millpond discover` reads it anew"),
    "target": ("Target drift", "objects that were handed over and changed since: the tenant's decisions, left alone"),
}


def drift_text(plan: Plan) -> str:
    """The report of the verb `drift`."""
    lines = [line for tenant in plan.tenants for line in _tenant(tenant.tenant, tenant.drift)]
    found = [drift for tenant in plan.tenants for drift in tenant.drift]
    for tenant, summary in plan.errors:
        lines += [f"{tenant} could not be compared: {summary}", ""]
    if not found:
        return "\n".join([*lines, green("No drift.") if not plan.errors else "No drift in the others."])
    sides = {side: sum(drift.side == side for drift in found) for side in HEADINGS}
    return "\n".join([*lines, yellow(f"Drift: {sides['source']} on the source, {sides['target']} on the target.")])


def drift_lines(drift: Sequence[Drift]) -> list[str]:
    """Grouped by side, without a blank line at the end."""
    lines: list[str] = []
    for side, (title, meaning) in HEADINGS.items():
        there = [item for item in drift if item.side == side]
        if there:
            lines += [*wrapped(f"{title}: {meaning}"), *_items(there), ""]
    return lines[:-1]


def _items(drift: Iterable[Drift]) -> list[str]:
    lines: list[str] = []
    for item in drift:
        lines.append(f"  # {item.address} {item.what or 'has changed'}")
        lines += field_lines(item.fields, "      ")
    return lines


def _tenant(name: str, drift: Sequence[Drift]) -> list[str]:
    return [bold(f"Tenant {name}"), "", *drift_lines(drift), ""] if drift else []
