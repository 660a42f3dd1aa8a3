"""Lines that fit a terminal: wrapped text, aligned columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from click import unstyle

from millpond.reporting.symbols import WIDTH

WIDEST = 44
"""Of a cell, in columns, where not all fit."""


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
    """The lines of a `table`."""
    return [line for row in table(rows, indent, right, gap) for line in row]


def table(rows: Iterable[Sequence[str]], indent: str = "  ", right: frozenset[int] = frozenset(), gap: str = "  ") -> list[tuple[str, ...]]:
    """The lines of each row, cells below each other; columns in `right` are aligned to the right. Colours take no room.

    Where that is wider than a terminal, long cells do not push the others aside, and what does not fit goes on below.
    """
    cells = [list(row) for row in rows]
    widths = [max(len(unstyle(row[n])) for row in cells if n < len(row)) for n in range(max((len(row) for row in cells), default=0))]
    if len(indent) + sum(widths) + len(gap) * (len(widths) - 1) > WIDTH:
        widths = [min(width, WIDEST) for width in widths]
    return [_row([_padded(cell, widths[n], n in right) for n, cell in enumerate(row)], indent, gap) for row in cells]


def _row(cells: list[str], indent: str, gap: str) -> tuple[str, ...]:
    line = (indent + gap.join(cells)).rstrip()
    if len(unstyle(line)) <= WIDTH or len(cells) == 1:
        return (line,)
    return (*_row(cells[:-1], indent, gap), *wrapped(unstyle(cells[-1]).strip(), indent + "    "))


def _padded(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - len(unstyle(cell)))
    return blanks + cell if right else cell + blanks
