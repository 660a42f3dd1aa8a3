"""Lines that fit a terminal: wrapped text, aligned columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from click import unstyle

from millpond.reporting.symbols import WIDTH


def wrapped(text: str, indent: str = "", first: str | None = None) -> list[str]:
    """`text` in lines of at most 100 columns; words longer than that stay whole. `first` is what the first line begins with."""
    lines: list[str] = []
    for number, paragraph in enumerate(text.splitlines() or [""]):
        lead = first if first is not None and number == 0 else indent
        room = "." * len(unstyle(lead))  # blanks would be dropped
        found = wrap(paragraph, WIDTH, initial_indent=room, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        begin, *rest = found or [room]
        lines += [f"{lead}{begin[len(room) :]}".rstrip(), *rest]
    return lines


def columns(rows: Iterable[Sequence[str]], indent: str = "  ", right: frozenset[int] = frozenset(), gap: str = "  ") -> list[str]:
    """The rows with their cells below each other; columns in `right` are aligned to the right. Colours take no room."""
    table = [list(row) for row in rows]
    widths = [max(len(unstyle(row[n])) for row in table if n < len(row)) for n in range(max((len(row) for row in table), default=0))]
    return [(indent + gap.join(_padded(cell, widths[n], n in right) for n, cell in enumerate(row))).rstrip() for row in table]


def _padded(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - len(unstyle(cell)))
    return blanks + cell if right else cell + blanks
