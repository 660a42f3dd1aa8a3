"""Drift: what changed outside of Millpond. Reported and left alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millpond.model.plan import Drift
from millpond.reporting.amounts import lag as lag_words
from millpond.reporting.amounts import moments, size
from millpond.reporting.drift_report import BLOCKED, LAG, SIDES, DriftReport, Lag, happened
from millpond.reporting.findings_text import findings_text
from millpond.reporting.layout import columns, wrapped
from millpond.reporting.no_tenants import no_tenants
from millpond.reporting.symbols import bold, green, red, yellow
from millpond.reporting.values import field_lines


def drift_text(report: DriftReport) -> str:
    """What the verb `drift` prints."""
    plan = report.plan
    lines = [*wrapped(f"{BLOCKED[0]}: {BLOCKED[1]}"), "", *findings_text(report.blockers), ""] if report.blockers else []
    lines += [line for tenant in plan.tenants for line in _tenant(tenant.tenant, tenant.drift)]
    lines += [*_lag_lines(report.lags), ""] if report.lags else []
    for tenant, summary in plan.errors:
        lines += [*wrapped(f"{tenant} could not be compared: {moments(summary)}", "  ", first=""), ""]
    lines += [*no_tenants(plan), ""] if not plan.tenants and not plan.errors else []
    paint = red if report.blockers else yellow if report.drifted else str if plan.errors or not plan.tenants else green
    return "\n".join([*lines, paint(report.verdict)])


def drift_lines(drift: Sequence[Drift]) -> list[str]:
    """Grouped by side, without a blank line at the end."""
    lines: list[str] = []
    for side, (title, meaning) in SIDES.items():
        there = [item for item in drift if item.side == side]
        if there:
            lines += [*wrapped(f"{title}: {meaning}"), *_items(there), ""]
    return lines[:-1]


def _items(drift: Iterable[Drift]) -> list[str]:
    lines: list[str] = []
    for item in drift:
        lines.append(f"  # {item.address} {happened(item)}")
        lines += field_lines(item.fields, "      ")
    return lines


def _lag_lines(lags: Sequence[Lag]) -> list[str]:
    rows = [(f"{lag.tenant}, wave {lag.wave}", lag.phase, _behind(lag)) for lag in lags]
    return [*wrapped(f"{LAG[0]}: {LAG[1]}"), *columns(rows)]


def _behind(lag: Lag) -> str:
    behind = f"{lag_words(lag.seconds)} behind" if lag.seconds >= 0.5 else ""
    said = yellow(f"{behind}, more than the site file allows") if lag.late else behind
    return ", ".join(part for part in (said, f"{size(lag.bytes_left)} to copy" if lag.bytes_left else "") if part)


def _tenant(name: str, drift: Sequence[Drift]) -> list[str]:
    return [bold(f"Tenant {name}"), "", *drift_lines(drift), ""] if drift else []
