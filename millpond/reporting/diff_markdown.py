"""The changes of one tenant as a diff block, in as much room as there is: what does not fit is taken out of the middle."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from click import unstyle

from millpond.model.change import Change
from millpond.model.plan import TenantPlan
from millpond.reporting.amounts import counted
from millpond.reporting.change_text import resource_lines
from millpond.reporting.drift_text import drift_lines
from millpond.reporting.findings_text import LEFT_BEHIND, excluded_lines, findings_text
from millpond.reporting.markdown import inert, weight
from millpond.reporting.plan_text import wave_heading
from millpond.reporting.sequence import by_wave
from millpond.reporting.summary import resources
from millpond.reporting.waiting_text import waiting_lines, waits

Part = Callable[[], list[str]]
_SIGN = re.compile(r"^  ( *)(-/\+|[+~-])(?= )")
_COLOURED = {"+": "+", "-": "-", "~": "!", "-/+": "-"}
"""Hosts colour a line of a diff by its first character; `!` is their sign for what changes."""


def tenant_diff(tenant: TenantPlan, room: int) -> list[str]:
    """At most `room` bytes; only what is shown is rendered."""
    lines = cut(_parts(tenant), room)
    return lines[1:] if lines and not lines[0] else lines


def cut(parts: Sequence[Part], room: int) -> list[str]:
    """The lines of `parts`, or their beginning and their end in `room` bytes with a line between them that says how much is missing."""
    first, used, whole = _taken(iter(parts), room)
    if whole == len(parts):
        return first
    said = weight(_missing(len(parts)))
    first, used, heads = _taken(iter(parts), (room - said) * 2 // 3)
    last, _, tails = _taken((parts[n] for n in range(len(parts) - 1, heads - 1, -1)), room - said - used, backwards=True)
    return [*first, _missing(len(parts) - heads - tails), *last]


def _taken(parts: Iterator[Part], room: int, *, backwards: bool = False) -> tuple[list[str], int, int]:
    """As many whole parts as fit: their lines, the bytes, the number of parts."""
    lines: list[str] = []
    used = count = 0
    for part in parts:
        found = part()
        size = sum(weight(line) + 1 for line in found)
        if used + size > room:
            break
        lines = [*found, *lines] if backwards else [*lines, *found]
        used, count = used + size, count + 1
    return lines, used, count


def _missing(count: int) -> str:
    return f"@@ {counted(count, 'block')} left out here: the saved plan has all of it @@"


def _parts(tenant: TenantPlan) -> list[Part]:
    parts: list[Part] = []
    for wave, changes in by_wave(tenant).items():
        parts.append(plain_part(["", wave_heading(tenant, wave)]))
        parts += [partial(_resource, group) for group in resources(changes)]
    drift = drift_lines(tenant.drift)
    blocks = {
        "Waiting": waiting_lines(waits(tenant)),
        LEFT_BEHIND: excluded_lines(tenant.findings),
        "Findings": findings_text(tenant.findings),
    }
    parts += [plain_part(["", title, *lines]) for title, lines in blocks.items() if lines]
    return [*parts, partial(_changed, ["", "Changed outside of Millpond", *drift])] if drift else parts


def _resource(group: Sequence[Change]) -> list[str]:
    return _changed(["", *resource_lines(group)])


def _changed(lines: Iterable[str]) -> list[str]:
    """`      ~ status = ...` becomes `!     status = ...`: the sign first, the rest where it was."""
    return [_SIGN.sub(_moved, line, count=1) for line in _plain(lines)]


def _moved(found: re.Match[str]) -> str:
    return f"{_COLOURED[found[2]]} {found[1]}{' ' * (len(found[2]) - 1)}"


def plain_part(lines: Iterable[str]) -> Part:
    return partial(_plain, list(lines))


def _plain(lines: Iterable[str]) -> list[str]:
    return [inert(unstyle(line)).rstrip() for line in lines]
