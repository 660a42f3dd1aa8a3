"""Where each bar of a cutover's picture lies: pure geometry, in the units of its view box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from millpond.model.cutover import Cutover, ServerOutage, Wait
from millpond.reporting.amounts import duration
from millpond.reporting.html.phases import Named, Phase

LEFT, PLOT, RIGHT = 190.0, 610.0, 160.0
TOP, ROW, BOTTOM = 12.0, 44.0, 34.0
MOST = 30
"""Rows of a picture; the table beside it has all of them."""
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_TICKS = 8
_LETTER = 6.4
"""Width of a letter in the labels of bars, about."""


@dataclass(frozen=True)
class Segment:
    """What a server waited for. `label` is empty where there is no room for it; `of_other`: another server's own step."""

    x: float
    width: float
    phase: Phase
    words: str
    seconds: float
    label: str = ""
    critical: bool = False
    of_other: bool = False

    @property
    def css(self) -> str:
        return self.phase.name.lower()


@dataclass(frozen=True)
class Row:
    """One server's outage. `estimate_width` 0: none was said; `estimate_cut`: it goes on to the right. `down`: it has not come back yet."""

    name: str
    y: float
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
    x: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """`hidden`: servers with shorter outages, which are not drawn."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    height: float
    hidden: int = 0
    width: float = LEFT + PLOT + RIGHT
    left: float = LEFT
    plot: float = PLOT

    @property
    def has_others(self) -> bool:
        return any(segment.of_other for row in self.rows for segment in row.segments)

    @property
    def phases(self) -> tuple[Phase, ...]:
        used = {segment.phase for row in self.rows for segment in row.segments}
        return tuple(phase for phase in Phase if phase in used)


def timeline(cutover: Cutover, now: datetime) -> Timeline:
    """The longest outage first. Servers that are still down reach until `now`."""
    ranked = sorted(cutover.servers, key=lambda server: (-_seconds(server, now), server.address))
    drawn = ranked[:MOST]
    span = _span(cutover, drawn, now)
    step = next((step for step in _STEPS if span / step <= _TICKS), _STEPS[-1])
    ticks = tuple(Tick(LEFT + n * step / span * PLOT, duration(n * step)) for n in range(int(span / step) + 1))
    critical = frozenset(cutover.critical)
    slowest = max(cutover.servers, key=lambda server: (server.ended is None, _seconds(server, now), server.address))
    rows = tuple(_row(cutover, server, at, span, critical, server is slowest, now) for at, server in enumerate(drawn))
    return Timeline(rows, ticks, TOP + ROW * len(rows) + BOTTOM, len(ranked) - len(drawn))


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


def _row(cutover: Cutover, server: ServerOutage, at: int, span: float, critical: frozenset[str], slowest: bool, now: datetime) -> Row:
    scale = PLOT / span
    seconds, x = _seconds(server, now), LEFT + _offset(cutover, server) * scale
    return Row(
        name=short_name(server.address),
        y=TOP + at * ROW,
        segments=tuple(_segments(cutover, server, scale, critical)),
        x=x,
        width=seconds * scale,
        estimate_width=min(server.estimated * scale, LEFT + PLOT - x),
        estimate_cut=server.estimated * scale > LEFT + PLOT - x,
        measured=duration(seconds) if server.ended else f"down for {duration(seconds)}",
        estimated=duration(server.estimated) if server.estimated else "",
        critical=slowest,
        down=server.ended is None,
    )


def _segments(cutover: Cutover, server: ServerOutage, scale: float, critical: frozenset[str]) -> Iterator[Segment]:
    """Neighbours of one phase that belong together are one bar."""
    for group in _grouped(server):
        began, ended, steps = group[0].began, group[-1].ended, [Named.of(wait.step) for wait in group]
        width = (ended - began).total_seconds() * scale
        phase, other = steps[0].phase, bool(steps[0].server) and steps[0].server != server.address
        text = f"{steps[0].name}: {phase}" if other else str(phase)
        yield Segment(
            x=LEFT + (began - cutover.began).total_seconds() * scale,
            width=width,
            phase=phase,
            words=", ".join(dict.fromkeys(step.words for step in steps)),
            seconds=(ended - began).total_seconds(),
            label=next((each for each in (text, str(phase)) if len(each) * _LETTER + 8 < width), ""),
            critical=any(wait.step in critical for wait in group),
            of_other=other,
        )


def _grouped(server: ServerOutage) -> list[list[Wait]]:
    groups: list[list[Wait]] = []
    for wait in server.waits:
        key = (Named.of(wait.step).phase, Named.of(wait.step).server)
        if groups and key == (Named.of(groups[-1][-1].step).phase, Named.of(groups[-1][-1].step).server):
            groups[-1].append(wait)
        else:
            groups.append([wait])
    return groups
