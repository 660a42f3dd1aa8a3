"""Servers that are down now: since when, which, and what continues."""

from __future__ import annotations

from datetime import datetime

from millpond.model.plan import Plan, TenantPlan, WaveStatus
from millpond.reporting.amounts import duration, moment
from millpond.reporting.layout import wrapped
from millpond.reporting.symbols import red


def outage_lines(plan: Plan, wave: str = "") -> list[str]:
    """The block OUTAGE IN PROGRESS; nothing where no server is down by our doing."""
    down = [(tenant, status) for tenant in plan.tenants for status in tenant.waves if status.outage_since]
    if not down:
        return []
    lines = [red("OUTAGE IN PROGRESS")]
    for tenant, status in down:
        lines += _wave(tenant, status, plan.made_at)
    return [*lines, "  To continue:", "", f"    {continue_with(sorted({tenant.tenant for tenant, _ in down}), wave)}"]


def continue_with(tenants: list[str], wave: str = "") -> str:
    return " ".join(["millpond apply", *tenants, *(["--wave", wave] if wave else [])])


def _wave(tenant: TenantPlan, status: WaveStatus, now: datetime) -> list[str]:
    since = f"  {tenant.tenant}, wave {status.name}: since {moment(status.outage_since)}{_elapsed(status.outage_since, now)}"
    return [since, *wrapped(", ".join(status.down), "    ")]


def _elapsed(since: str, now: datetime) -> str:
    try:
        seconds = (now - datetime.fromisoformat(since)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f" (for {duration(seconds)})" if seconds > 0 else ""
