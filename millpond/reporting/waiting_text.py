"""What time alone will bring, with bytes left, rate and time to go."""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.change import Waiting
from millpond.reporting.amounts import rate, rough, size
from millpond.reporting.layout import columns, wrapped
from millpond.reporting.symbols import WIDTH


def waiting_lines(waiting: Iterable[Waiting]) -> list[str]:
    """Address, rung and progress, aligned; why, below where it does not fit. What waits for other steps of the plan is not under way."""
    under_way = [step for step in waiting if not step.after]
    heads = columns((str(step.address), step.action, _amounts(step)) for step in under_way)
    lines: list[str] = []
    for step, head in zip(under_way, heads, strict=True):
        reason = f"({step.reason})" if step.reason else ""
        fits = len(head) + len(reason) < WIDTH
        lines += [f"{head} {reason}".rstrip()] if fits else [head, *wrapped(reason, "     ", first="    ")]
    return lines


def progress_of(step: Waiting) -> str:
    """`412.0 GiB left, 118.2 MiB/s, about 59 min (the first copy is under way)`."""
    known = _amounts(step)
    return f"{known} ({step.reason})" if known and step.reason else known or step.reason


def _amounts(step: Waiting) -> str:
    seconds = step.seconds or (step.bytes_left / step.rate if step.rate else 0)
    parts = (
        f"{size(step.bytes_left)} left" if step.bytes_left else "",
        rate(step.rate) if step.rate else "",
        f"about {rough(seconds)}" if seconds else "",
    )
    return ", ".join(part for part in parts if part)


def waiting_line(waiting: Iterable[Waiting]) -> str:
    """`Waiting: 2 (acme/replication_group/core-p1 seed, about 59 min; ...)`, or empty."""
    found = [step for step in waiting if not step.after]
    if not found:
        return ""
    longest = max(found, key=lambda step: step.seconds)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"Waiting: {longest.address} {longest.action}{more}; {progress_of(longest)}."
