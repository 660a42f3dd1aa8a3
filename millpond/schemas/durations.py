"""Durations as people write them: `500ms`, `90s`, `5m`, `72h`, `3d`."""

from __future__ import annotations

import re

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def seconds(text: str) -> float:
    """Seconds of a duration; ValueError where the text is none. Whole units give whole numbers."""
    if not (match := DURATION.fullmatch(text)):
        raise ValueError(f"not a duration: {text}")
    return int(match[1]) * SECONDS[match[2]]
