"""What an apply would do, by kind: what is added, changed and destroyed, and how much of it cannot be done now."""

from __future__ import annotations

from dataclasses import dataclass

from millpond.model.change import Change
from millpond.model.counting import told_of
from millpond.model.plan import TenantPlan
from millpond.reporting.amounts import counted
from millpond.reporting.held import within_reach
from millpond.reporting.summary import Counts, counts, extent, resources
from millpond.reporting.waiting_text import waiting_line, waits


@dataclass(frozen=True)
class ToCome:
    """Resources of one kind. `later`: those of which every change comes after a blocker or a long wait."""

    kind: str
    counts: Counts
    later: int


def to_come(tenant: TenantPlan) -> tuple[ToCome, ...]:
    """In the order of the plan."""
    kinds: dict[str, list[tuple[Change, ...]]] = {}
    for group in resources(tenant.changes):
        kinds.setdefault(group[0].kind, []).append(group)
    free = within_reach(tenant)
    return tuple(ToCome(kind.replace("_", " "), _counts(groups), _later(groups, free)) for kind, groups in kinds.items())


def said(tenant: TenantPlan) -> list[str]:
    """In sentences: what it comes to, how grave that is, what is waited for."""
    waiting = waiting_line(waits(tenant))
    if not tenant.changes:
        return [*(["Nothing: no change is left."] if not waiting else ["Nothing at once."]), *filter(None, [waiting])]
    grave = [change for change in tenant.changes if change.danger]
    final = sum(not change.reversible for change in tenant.changes)
    told = [f"{counts(tenant.changes)}: {extent(tenant.changes)}."]
    told += [f"{told_of(len(grave), 'step', 'stops, promotes or deletes', 'stop, promote or delete')}."] if grave else []
    told += [f"{counted(final, 'step')} cannot be undone."] if final else []
    return [*told, *filter(None, [waiting])]


def _counts(groups: list[tuple[Change, ...]]) -> Counts:
    return counts(change for group in groups for change in group)


def _later(groups: list[tuple[Change, ...]], free: frozenset[str]) -> int:
    return sum(not any(change.id in free for change in group) for group in groups)
