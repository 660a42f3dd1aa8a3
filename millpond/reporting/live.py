"""The live view of an apply on a terminal: what is under way below, what ended scrolls by above."""

from __future__ import annotations

from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live as Redrawn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from millpond.model.change import Change
from millpond.model.outcome import Outcome
from millpond.model.plan import TenantPlan
from millpond.reporting.amounts import duration
from millpond.reporting.progress import Lines, Running
from millpond.reporting.waiting_text import progress_of

_ROWS = 12
"""Of changes under way; there is no use in a view that is longer than the terminal."""


class Live:
    """A `Progress`. The view is redrawn four times a second and gone at the end: the lines above stay."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._running = Running()
        self._lines = Lines(lambda text: self._console.print(Text.from_ansi(text)))
        self._view = Redrawn(console=self._console, get_renderable=self.table, transient=True, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._view.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.tell_the_rest()
        self._view.__exit__(kind, error, trace)

    def planned(self, plan: TenantPlan) -> None:
        self._running.planned(plan)
        self._lines.count(plan)

    def began(self, change: Change) -> None:
        self._running.began(change)

    def ended(self, change: Change, outcome: Outcome) -> None:
        self._running.ended(change)
        self._lines.ended(change, outcome)

    def table(self) -> Table:
        rows = Table.grid(padding=(0, 1))
        for change, seconds in self._running.changes()[:_ROWS]:
            rows.add_row(Text("under way", "yellow"), f"{change.address} {change.action}", "", duration(round(seconds)))
        for step, share in self._running.waiting()[:_ROWS]:
            bar = ProgressBar(total=1.0, completed=share, width=20) if share is not None else ""
            rows.add_row(Text("waiting", "yellow"), f"{step.address} {step.action}", bar, progress_of(step))
        return rows
