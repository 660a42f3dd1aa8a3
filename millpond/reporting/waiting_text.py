"""What time alone will bring, with bytes left, rate and time to go."""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.change import Waiting
from millpond.reporting.amounts import duration, rate, size
from millpond.reporting.layout import columns


def waiting_lines(waiting: Iterable[Waiting]) -> list[str]:
    """One line each, aligned. What only waits for other steps of the plan is left out: it is not under way."""
    return columns([(f"{step.address}", step.action, progress_of(step)) for step in waiting if not step.after])


def progress_of(step: Waiting) -> str:
    """`412.0 GiB left, 118.2 MiB/s, about 59 min (the first copy is under way)`."""
    seconds = step.seconds or (step.bytes_left / step.rate if step.rate else 0)
    parts = [
        f"{size(step.bytes_left)} left" if step.bytes_left else "",
        rate(step.rate) if step.rate else "",
        f"about {duration(seconds)}" if seconds else "",
    ]
    known = ", ".join(part for part in parts if part)
    return f"{known} ({step.reason})" if known and step.reason else known or step.reason


def waiting_line(waiting: Iterable[Waiting]) -> str:
    """`Waiting: 2 (acme/replication_group/core-p1 seed, about 59 min; ...)`, or empty."""
    found = [step for step in waiting if not step.after]
    if not found:
        return ""
    longest = max(found, key=lambda step: step.seconds)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"Waiting: {longest.address} {longest.action}{more}; {progress_of(longest)}."
