"""Servers that are down now: since when, which, and what continues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from millpond.model.plan import NOT_KNOWN, Plan, TenantPlan, WaveStatus
from millpond.reporting.amounts import duration, moment
from millpond.reporting.layout import wrapped
from millpond.reporting.symbols import red

_AT_WORK = "A run is at work on {}, see below: it goes on by itself. Only if it dies, and a minute later its lease has ended:"
_UNKNOWN = "since the rollback stopped its servers, time not known"


def outage_lines(plan: Plan, wave: str = "", at_work: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """The block OUTAGE IN PROGRESS; nothing where no server is down by our doing. `at_work`: tenant → who works on it now, in words."""
    down = [(tenant, status) for tenant in plan.tenants for status in tenant.waves if status.outage_since]
    if not down:
        return []
    lines = [red("OUTAGE IN PROGRESS")]
    for tenant, status in down:
        lines += _wave(tenant, status, plan.made_at)
    tenants = sorted({tenant.tenant for tenant, _ in down})
    busy = [tenant for tenant in tenants if at_work.get(tenant)]
    left = [tenant for tenant in tenants if tenant not in busy]
    ways = [(_AT_WORK.format(", ".join(busy)), busy), ("To continue:", left)]
    return [*lines, *(line for when, names in ways if names for line in _go_on(when, names, wave))][:-1]


def _go_on(when: str, tenants: list[str], wave: str) -> list[str]:
    return [*wrapped(when, "  "), "", f"    {continue_with(tenants, wave)}", ""]


def continue_with(tenants: list[str], wave: str = "") -> str:
    return " ".join(["millpond apply", *tenants, *(["--wave", wave] if wave else [])])


def _wave(tenant: TenantPlan, status: WaveStatus, now: datetime) -> list[str]:
    return [f"  {tenant.tenant}, wave {status.name}: {_since(status.outage_since, now)}", *wrapped(", ".join(status.down), "    ")]


def _since(since: str, now: datetime) -> str:
    return _UNKNOWN if since == NOT_KNOWN else f"since {moment(since)}{_elapsed(since, now)}"


def _elapsed(since: str, now: datetime) -> str:
    try:
        seconds = (now - datetime.fromisoformat(since)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f" (for {duration(seconds)})" if seconds > 0 else ""
