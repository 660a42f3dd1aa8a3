"""Which view of an apply a stream gets: a live one on a terminal, plain lines on a pipe."""

from __future__ import annotations

import os
from typing import TextIO

from click import echo

from millpond.reporting.progress import Lines, Progress


def progress_on(stream: TextIO) -> Progress:
    """A live view if `stream` is a terminal that can be redrawn, else lines."""
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from millpond.reporting.live import Live  # noqa: PLC0415 - rich is slow to load and needed on a terminal alone

        return Live(stream)
    return Lines(lambda text: echo(text, file=stream))
