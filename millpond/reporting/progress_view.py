"""Which view of an apply a stream gets: a live one on a terminal, plain lines on a pipe."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

from click import echo

from millpond.reporting.progress import Lines, Progress


def progress_on(stream: TextIO) -> Progress:
    """A live view if `stream` is a terminal that can be redrawn, else lines."""
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from millpond.reporting.live import Live  # noqa: PLC0415 - rich is slow to load and needed on a terminal alone

        return Live(stream)
    return Lines(_as_long_as_it_goes(stream))


def _as_long_as_it_goes(stream: TextIO) -> Callable[[str], None]:
    """Nobody's log may end a run in the middle of an outage: one that takes nothing more, as a closed pipe or a full disk, is left."""
    broken = False

    def write(text: str) -> None:
        nonlocal broken
        try:
            if not broken:
                echo(text, file=stream)
        except OSError:
            broken = True

    return write
