"""Amounts as people read them: durations, sizes, rates, moments."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from millpond.model.counting import counted as counted  # noqa: PLC0414 (views take all amounts from here)

_ISO = re.compile(r"(?<![\w`])\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)(?![\w`])")
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def duration(seconds: float) -> str:
    """At most two units: `0.8 s`, `48 s`, `1 min 30 s`, `3 h`, `2 d 4 h`."""
    if seconds < 9.95:
        tenths = round(seconds, 1)
        return f"{tenths:.1f} s" if tenths % 1 else f"{tenths:.0f} s"
    left = round(seconds)
    parts: list[str] = []
    for unit, length in _UNITS:
        count, rest = divmod(left, length)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
            left = rest
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part)


def rough(seconds: float) -> str:
    """A duration that is only guessed: from ten minutes on without seconds."""
    return duration(round(seconds / 60) * 60 if seconds >= 600 else round(seconds))


def lag(seconds: float) -> str:
    """Of a replica, in whole seconds: it is another one a moment later."""
    return duration(round(seconds)) if seconds >= 0.5 else "-"


def size(count: float) -> str:
    """Binary units: `412.0 GiB`."""
    unit = 0
    while count >= 1024 and unit < len(_SIZES) - 1:
        count /= 1024
        unit += 1
    return f"{count:.1f} {_SIZES[unit]}" if unit else f"{count:.0f} B"


def rate(bytes_per_second: float) -> str:
    return f"{size(bytes_per_second)}/s"


def moment(when: datetime | str) -> str:
    """In UTC: `2026-12-01 21:00:00 UTC`. Text that is no ISO 8601 time stays as it is."""
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when)
        except ValueError:
            return str(when)
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def moments(text: str) -> str:
    """A sentence in which every ISO 8601 time with its offset is told as all others are, in UTC."""
    return _ISO.sub(lambda found: moment(found[0]), text)
