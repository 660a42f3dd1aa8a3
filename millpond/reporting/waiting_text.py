"""What is waited for, with bytes left, rate and time to go."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from millpond.model.change import Waiting
from millpond.model.plan import GATE, TenantPlan
from millpond.reporting.amounts import moments, rate, rough, size
from millpond.reporting.layout import table, wrapped
from millpond.reporting.symbols import WIDTH


def waits(tenant: TenantPlan) -> list[Waiting]:
    """What is waited for now. Not what waits for other steps of the plan, and no gate that a blocker keeps shut: that tells it already,
    and a person has to act."""
    held = {finding.wave for finding in tenant.blockers}
    return [step for step in tenant.waiting if not step.after and not (step.kind == GATE and not step.seconds and _is_held(step, held))]


def _is_held(gate: Waiting, held: Collection[str]) -> bool:
    """A gate of no wave is that of the approval, which only blockers shut."""
    return "" in held or gate.wave in held or not gate.wave


def waiting_lines(waiting: Iterable[Waiting]) -> list[str]:
    """Address, rung and progress, aligned; why, below where it does not fit."""
    steps = list(waiting)
    heads = table((str(step.address), step.action, _amounts(step)) for step in steps)
    lines: list[str] = []
    for step, (*above, head) in zip(steps, heads, strict=True):
        reason = f"({moments(step.reason)})" if step.reason else ""
        fits = len(head) + len(reason) < WIDTH
        lines += [*above, f"{head} {reason}".rstrip()] if fits else [*above, head, *wrapped(reason, "     ", first="    ")]
    return lines


def progress_of(step: Waiting) -> str:
    """`412.0 GiB left, 118.2 MiB/s, about 59 min (the first copy is under way)`."""
    known, reason = _amounts(step), moments(step.reason)
    return f"{known} ({reason})" if known and reason else known or reason


def _amounts(step: Waiting) -> str:
    seconds = step.seconds or (step.bytes_left / step.rate if step.rate else 0)
    parts = (
        f"{size(step.bytes_left)} left" if step.bytes_left else "",
        rate(step.rate) if step.rate else "",
        f"about {rough(seconds)}" if seconds else "",
    )
    return ", ".join(part for part in parts if part)


def waiting_line(waiting: Iterable[Waiting]) -> str:
    """`Waiting: acme/replication_group/core-p1 seed; 412.0 GiB left, about 59 min; and 1 more.`: the longest, or empty."""
    found = list(waiting)
    if not found:
        return ""
    longest = max(found, key=lambda step: step.seconds)
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    return f"Waiting: {longest.address} {longest.action}; {progress_of(longest)}{more}."
