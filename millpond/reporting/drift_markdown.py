"""Drift as Markdown, for an issue or the summary of a job: what it comes to is never cut, objects that do not fit are counted."""

from __future__ import annotations

import re
from collections.abc import Iterable

from click import unstyle

from millpond.model.finding import Finding
from millpond.model.plan import Drift, TenantPlan
from millpond.reporting.amounts import counted, moment, moments, size
from millpond.reporting.amounts import lag as lag_words
from millpond.reporting.drift_report import BLOCKED, LAG, SIDES, DriftReport, Lag, happened, of_side
from millpond.reporting.hosts import Host, fits
from millpond.reporting.markdown import code, fence, prose, table, weight
from millpond.reporting.to_do_markdown import to_do
from millpond.reporting.values import field_lines

_ROWS = 100
_SIGN = re.compile(r"^( *)([+~-])(?= )")


def drift_markdown(report: DriftReport, site: str, host: Host) -> str:
    """At most `host.limit` bytes."""
    lines = _head(report, site, host)
    lines += _blockers(report.blockers, (host.limit - _bytes(lines)) // 3)
    lines += _lag(report.lags)
    told = [(tenant, side) for tenant in report.plan.tenants for side in SIDES if of_side(tenant, side)]
    left = f"{counted(len(told), 'section')} more did not fit: `millpond drift` shows all."
    room = host.limit - _bytes(lines) - weight(left) - 3
    for at, (tenant, side) in enumerate(told):
        block = _section(tenant, side, room // (len(told) - at))
        if not fits(block, room):
            return "\n".join([*lines, "", left.replace(str(len(told)), str(len(told) - at), 1)]) + "\n"
        room -= _bytes(block)
        lines += block
    return "\n".join(lines) + "\n"


def _head(report: DriftReport, site: str, host: Host) -> list[str]:
    plan = report.plan
    lines = [host.marker(f"drift-{site}"), f"### Drift of {code(site)}", "", f"{report.verdict} Looked at {moment(plan.made_at)}."]
    errors = [f"- {code(tenant)} could not be compared: {prose(moments(summary))}" for tenant, summary in plan.errors[:_ROWS]]
    return [*lines, "", *errors] if errors else lines


def _blockers(found: tuple[Finding, ...], room: int) -> list[str]:
    """As many as `room` takes; the others are counted."""
    lines = ["", f"**{BLOCKED[0]}**: {prose(BLOCKED[1])}", ""] if found else []
    for number, finding in enumerate(found):
        first, *rest = to_do(finding.fix, "  ")
        said = [f"- {code(str(finding.address))} {code(finding.code)}: {prose(moments(finding.what))}. {first}".rstrip(), *rest]
        if _bytes([*lines, *said]) > room:
            return [*lines, f"- and {counted(len(found) - number, 'blocker')} more: `millpond drift` shows all"]
        lines += said
    return lines


def _lag(lags: tuple[Lag, ...]) -> list[str]:
    if not lags:
        return []
    worst = sorted(lags, key=lambda lag: (-lag.late, -lag.seconds))
    rows = [("Tenant", "Wave", "Phase", "Lag", "To copy"), *map(_row, worst[:_ROWS])]
    more = ["", f"And {counted(len(lags) - _ROWS, 'wave')} that are less behind."] if len(lags) > _ROWS else []
    return ["", f"**{LAG[0]}**: {prose(LAG[1])}", "", *table(rows), *more]


def _row(lag: Lag) -> tuple[str, ...]:
    behind = f"**{lag_words(lag.seconds)}**, too far" if lag.late else lag_words(lag.seconds)
    return code(lag.tenant), code(lag.wave), prose(lag.phase), behind, size(lag.bytes_left) if lag.bytes_left else "-"


def _section(tenant: TenantPlan, side: str, room: int) -> list[str]:
    """As many objects as `room` takes, at least their number."""
    title, meaning = SIDES[side]
    found = of_side(tenant, side)
    head = ["", f"**{title}** of {code(tenant.tenant)}, {counted(len(found), 'object')}: {prose(meaning)}", ""]
    room -= _bytes(head) + 80
    shown: list[str] = []
    for number, drift in enumerate(found):
        block = _object(drift)
        room -= _bytes(block)
        if room < 0:
            return [*head, *fence([*shown, f"# and {counted(len(found) - number, 'object')} more"], "diff")]
        shown += block
    return [*head, *fence(shown, "diff")]


def _bytes(lines: Iterable[str]) -> int:
    return sum(weight(line) + 1 for line in lines)


def _object(drift: Drift) -> list[str]:
    """Hosts colour a line of a diff by its first character; `!` is their sign for what changes."""
    return [f"# {drift.address} {happened(drift)}", *_signed(field_lines(drift.fields, ""))]


def _signed(lines: Iterable[str]) -> list[str]:
    """The sign of what is nested comes first, too; the rest stays where it was."""
    return [_SIGN.sub(lambda found: f"{'!' if found[2] == '~' else found[2]}{found[1]}", unstyle(line), count=1) for line in lines]
