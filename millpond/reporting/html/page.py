"""What the pages show: prepared here, laid out by the templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from millpond.model.cutover import Cutover, ServerOutage
from millpond.model.finding import EXCLUDED, Finding, Severity
from millpond.model.plan import BACK, Stage, TenantPlan, WaveStatus
from millpond.reporting.differences import Difference
from millpond.reporting.drift_report import BLOCKED, COPYING, LAG, SIDES, DriftReport
from millpond.reporting.html.phases import Named
from millpond.reporting.html.stretches import Stretch, stretches
from millpond.reporting.html.timeline import Timeline, timeline
from millpond.reporting.report_text import Moved
from millpond.reporting.to_come import ToCome, said, to_come

_RANK = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True)
class TenantFacts:
    """What is collected of one tenant. `source`, `target`: where it moves from and to, in words. `behind`: (what stays there, why).

    `at_work`: who works on it now, in words, or empty. `windows`: wave → when it may be cut over, where its manifest says so.
    """

    plan: TenantPlan
    source: str
    target: str
    objects: tuple[Moved, ...] = ()
    cutovers: tuple[Cutover, ...] = ()
    differences: tuple[Difference, ...] = ()
    behind: tuple[tuple[str, str], ...] = ()
    at_work: str = ""
    windows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WaveRow:
    """`rate` in bytes per second and `to_go` in seconds are 0 where unknown. `window`: when it may be cut over, or empty.

    `outage_since`: its servers are down since then.
    """

    status: WaveStatus
    rate: int
    to_go: float
    window: str = ""

    @property
    def lag(self) -> float:
        """Seconds; replicas that rest or run backwards are not behind."""
        return self.status.lag_seconds if self.status.stage in COPYING else 0.0

    @property
    def tone(self) -> str:
        """How grave its phase is: a class of the style sheet."""
        if self.status.outage_since:
            return "bad"
        done = self.status.stage in (Stage.HANDED_OVER, Stage.DECOMMISSION)
        return "good" if done else "warn" if self.status.stage in BACK | {Stage.HELD} else "plain"


@dataclass(frozen=True)
class StepRow:
    """What a server waited for: `since` is counted from the beginning of the cutover, both in seconds. `typical` 0: none was said."""

    words: str
    since: float
    seconds: float
    typical: float


@dataclass(frozen=True)
class CutoverPart:
    """One picture and its words: `path` is what the slowest server waited for, `servers` what each did, the slowest first."""

    title: str
    cutover: Cutover
    picture: Timeline
    path: tuple[StepRow, ...]
    servers: tuple[tuple[ServerOutage, tuple[Stretch, ...]], ...]


@dataclass(frozen=True)
class TenantPart:
    """`to_come`, `said`: what an apply would do, by kind and in sentences."""

    id: str
    facts: TenantFacts
    made: datetime
    waves: tuple[WaveRow, ...]
    cutovers: tuple[CutoverPart, ...]
    findings: tuple[Finding, ...]
    objects: Mapping[str, tuple[Moved, ...]]
    to_come: tuple[ToCome, ...]
    said: tuple[str, ...]

    @property
    def servers(self) -> int:
        return sum(len(row.status.servers) for row in self.waves)

    @property
    def arrived(self) -> int:
        """Those that were handed over, whatever holds their wave since."""
        return sum(len(row.status.verified) for row in self.waves)

    @property
    def to_copy(self) -> int:
        return sum(row.status.bytes_left for row in self.waves)

    @property
    def to_go(self) -> float:
        return max((row.to_go for row in self.waves), default=0.0)

    @property
    def phases(self) -> str:
        return ", ".join(dict.fromkeys(row.status.phase for row in self.waves)) or "no waves"

    @property
    def longest(self) -> float:
        """Seconds of the longest outage that was measured; one that has not ended lasts until now."""
        every = [server for part in self.cutovers for server in part.cutover.servers]
        return max((((server.ended or self.made) - server.began).total_seconds() for server in every), default=0.0)

    @property
    def blockers(self) -> int:
        return sum(finding.severity is Severity.BLOCKER for finding in self.findings)


@dataclass(frozen=True)
class ReportPage:
    """`errors`: tenants that could not be read, and why."""

    site: str
    made: datetime
    version: str
    tenants: tuple[TenantPart, ...]
    errors: tuple[tuple[str, str], ...] = ()

    sides: ClassVar = SIDES

    @property
    def title(self) -> str:
        only = self.tenants[0].facts.plan.tenant if len(self.tenants) == 1 and not self.errors else ""
        return f"Migration of {only}" if only else f"Migrations of {self.site}"


@dataclass(frozen=True)
class DriftPage:
    site: str
    report: DriftReport

    sides: ClassVar = SIDES
    lag: ClassVar = LAG
    blocked: ClassVar = BLOCKED

    @property
    def title(self) -> str:
        return f"Drift of {self.site}"

    @property
    def made(self) -> datetime:
        return self.report.plan.made_at

    @property
    def version(self) -> str:
        return self.report.plan.tool_version


def report_page(
    site: str, made: datetime, version: str, tenants: Iterable[TenantFacts], errors: Sequence[tuple[str, str]] = ()
) -> ReportPage:
    return ReportPage(site, made, version, tuple(_tenant(n, facts, made) for n, facts in enumerate(tenants, 1)), tuple(errors))


def _tenant(number: int, facts: TenantFacts, now: datetime) -> TenantPart:
    objects: dict[str, list[Moved]] = {}
    for one in facts.objects:
        objects.setdefault(one.kind, []).append(one)
    return TenantPart(
        id=f"tenant-{number}",
        facts=facts,
        made=now,
        waves=tuple(_wave(facts, status) for status in facts.plan.waves),
        cutovers=tuple(_cutover(cutover, now) for cutover in facts.cutovers),
        findings=tuple(sorted((f for f in facts.plan.findings if f.code != EXCLUDED), key=lambda finding: _RANK[finding.severity])),
        objects={kind: tuple(found) for kind, found in objects.items()},
        to_come=to_come(facts.plan),
        said=tuple(said(facts.plan)),
    )


def _wave(facts: TenantFacts, status: WaveStatus) -> WaveRow:
    copying = [step for step in facts.plan.waiting if step.wave == status.name and step.bytes_left]
    to_go = max((step.seconds or (step.bytes_left / step.rate if step.rate else 0.0) for step in copying), default=0.0)
    return WaveRow(status, sum(step.rate for step in copying), to_go, facts.windows.get(status.name, ""))


def _cutover(cutover: Cutover, now: datetime) -> CutoverPart:
    ranked = sorted(cutover.servers, key=lambda server: (server is not cutover.slowest, -(server.seconds or 0.0), server.address))
    way = (
        ("is coming back" if cutover.back else "is going over") if cutover.ended is None else ("came back" if cutover.back else "went over")
    )
    return CutoverPart(
        title=f"Wave {cutover.wave} {way}, {cutover.began:%Y-%m-%d %H:%M}",
        cutover=cutover,
        picture=timeline(cutover, now),
        path=_path(cutover),
        servers=tuple((server, tuple(stretches(cutover, server))) for server in ranked),
    )


def _path(cutover: Cutover) -> tuple[StepRow, ...]:
    return tuple(
        StepRow(
            words=Named.of(wait.step).words,
            since=(wait.began - cutover.began).total_seconds(),
            seconds=(wait.ended - wait.began).total_seconds(),
            typical=wait.typical,
        )
        for wait in cutover.slowest.waits
    )
