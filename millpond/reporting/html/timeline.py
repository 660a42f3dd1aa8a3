"""Where each bar of a cutover's picture lies: pure geometry, in percent of its axis, so that a picture is as wide as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from millpond.model.cutover import Cutover, ServerOutage
from millpond.reporting.amounts import duration
from millpond.reporting.html.phases import Named, Phase
from millpond.reporting.html.stretches import Stretch, stretches

PLOT = 100.0
MOST = 20
"""Rows of a picture; the table beside it has all of them."""
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_TICKS = 8
_LETTER, _MARGIN = 6.4, 8.0
"""Width of a letter in the labels of bars and the room around a label, in pixels, about."""
_WIDE, _NARROW = 600.0, 280.0
"""Pixels that an axis has at least on a screen of 64rem, and on a phone."""


@dataclass(frozen=True)
class Segment:
    """What a server waited for. `label` is empty where there is no room for it; on a phone there is none where it is not `short`."""

    x: float
    width: float
    stretch: Stretch
    label: str = ""

    @property
    def short(self) -> bool:
        return _fits(self.label, self.width, _NARROW)


@dataclass(frozen=True)
class Row:
    """One server's outage. `estimate_width` 0: none was said; `estimate_cut`: it goes on to the right. `down`: it has not come back yet."""

    name: str
    segments: tuple[Segment, ...]
    x: float
    width: float
    estimate_width: float
    estimate_cut: bool
    measured: str
    estimated: str
    critical: bool
    down: bool


@dataclass(frozen=True)
class Tick:
    """`label` is shown on a phone too where it is `even`: every other one is."""

    x: float
    label: str
    even: bool


@dataclass(frozen=True)
class Timeline:
    """`hidden`: servers with shorter outages, which are not drawn."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    hidden: int = 0

    @property
    def has_others(self) -> bool:
        return any(segment.stretch.of for row in self.rows for segment in row.segments)

    @property
    def has_cut(self) -> bool:
        return any(row.estimate_cut for row in self.rows)

    @property
    def phases(self) -> tuple[Phase, ...]:
        used = {segment.stretch.phase for row in self.rows for segment in row.segments}
        return tuple(phase for phase in Phase if phase in used)


def timeline(cutover: Cutover, now: datetime) -> Timeline:
    """The longest outage first. Servers that are still down reach until `now`."""
    ranked = sorted(cutover.servers, key=lambda server: (server is not cutover.slowest, -_seconds(server, now), server.address))
    drawn = ranked[:MOST]
    span = _span(cutover, drawn, now)
    step = next((step for step in _STEPS if span / step <= _TICKS), _STEPS[-1])
    ticks = tuple(Tick(n * step / span * PLOT, duration(n * step), n % 2 == 0) for n in range(int(span / step) + 1))
    rows = tuple(_row(cutover, server, span, now) for server in drawn)
    return Timeline(rows, ticks, len(ranked) - len(drawn))


def short_name(address: str, longest: int = 22) -> str:
    """A server's name without its tenant; the middle of a long one is left out."""
    name = Named.of(address).name
    return name if len(name) <= longest else f"{name[: longest - 9]}…{name[-8:]}"


def _seconds(server: ServerOutage, now: datetime) -> float:
    return ((server.ended or now) - server.began).total_seconds()


def _span(cutover: Cutover, servers: Sequence[ServerOutage], now: datetime) -> float:
    """Seconds of the axis. Estimates that were far too long must not make the measured ones small."""
    measured = max(_offset(cutover, server) + _seconds(server, now) for server in servers)
    estimated = max(_offset(cutover, server) + server.estimated for server in servers)
    return max(measured, min(estimated, 2 * measured)) or 1.0


def _offset(cutover: Cutover, server: ServerOutage) -> float:
    return (server.began - cutover.began).total_seconds()


def _row(cutover: Cutover, server: ServerOutage, span: float, now: datetime) -> Row:
    scale = PLOT / span
    seconds, x = _seconds(server, now), _offset(cutover, server) * scale
    return Row(
        name=short_name(server.address),
        segments=tuple(_segment(cutover, stretch, scale) for stretch in stretches(cutover, server)),
        x=x,
        width=seconds * scale,
        estimate_width=min(server.estimated * scale, PLOT - x),
        estimate_cut=server.estimated * scale > PLOT - x,
        measured=duration(seconds) if server.ended else f"down for {duration(seconds)}",
        estimated=duration(server.estimated) if server.estimated else "",
        critical=server is cutover.slowest,
        down=server.ended is None,
    )


def _segment(cutover: Cutover, stretch: Stretch, scale: float) -> Segment:
    width = stretch.seconds * scale
    return Segment(
        x=(stretch.began - cutover.began).total_seconds() * scale,
        width=width,
        stretch=stretch,
        label=next((each for each in (stretch.text, str(stretch.phase)) if _fits(each, width, _WIDE)), ""),
    )


def _fits(label: str, width: float, axis: float) -> bool:
    return len(label) * _LETTER + _MARGIN < width / PLOT * axis
