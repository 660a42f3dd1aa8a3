"""Servers that are down now: since when, which, and what continues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from millpond.model.plan import NOT_KNOWN, Plan, TenantPlan, WaveStatus
from millpond.reporting.amounts import duration, moment
from millpond.reporting.held import held_by
from millpond.reporting.layout import wrapped
from millpond.reporting.symbols import red

_AT_WORK = (
    "A run is at work on {}, see below: it goes on by itself. Only if that run is dead: its lease ends a minute after its last sign of "
    "life, or at once by the first of these commands, with the id of that run:"
)
_DECIDE = "A blocker holds it and apply cannot continue: a person has to do what the blocker says first. After that:"
_UNKNOWN = "since the rollback stopped its servers, time not known"


def outage_lines(plan: Plan, wave: str = "", at_work: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """The block OUTAGE IN PROGRESS; nothing where no server is down by our doing. `at_work`: tenant → who works on it now, in words."""
    down = [(tenant, status) for tenant in plan.tenants for status in tenant.waves if status.outage_since]
    if not down:
        return []
    lines = [red("OUTAGE IN PROGRESS")]
    for tenant, status in down:
        lines += _wave(tenant, status, plan.made_at, busy=bool(at_work.get(tenant.tenant)))
    tenants = sorted({tenant.tenant for tenant, _ in down})
    busy = [tenant for tenant in tenants if at_work.get(tenant)]
    held = [tenant for tenant in tenants if tenant not in busy and all(held_by(t, s) for t, s in down if t.tenant == tenant)]
    left = [tenant for tenant in tenants if tenant not in (*busy, *held)]
    ways = [(_AT_WORK.format(", ".join(busy)), busy), (_DECIDE, held), ("To continue:", left)]
    return [*lines, *(line for when, names in ways if names for line in _go_on(when, names, wave, dead=names is busy))][:-1]


def _go_on(when: str, tenants: list[str], wave: str, *, dead: bool) -> list[str]:
    free = [f"    millpond unlock {tenant} --run ID" for tenant in tenants if dead]
    return [*wrapped(when, "  "), "", *free, f"    {continue_with(tenants, wave)}", ""]


def continue_with(tenants: list[str], wave: str = "") -> str:
    return " ".join(["millpond apply", *tenants, *(["--wave", wave] if wave else [])])


def _wave(tenant: TenantPlan, status: WaveStatus, now: datetime, *, busy: bool) -> list[str]:
    lines = [f"  {tenant.tenant}, wave {status.name}: {_since(status.outage_since, now)}", *wrapped(", ".join(status.down), "    ")]
    names = dict.fromkeys(f"{finding.address} [{finding.code}]" for finding in (() if busy else held_by(tenant, status)))
    return [*lines, *wrapped(", ".join(names), "      ", first="    Held by ")] if names else lines


def _since(since: str, now: datetime) -> str:
    return _UNKNOWN if since == NOT_KNOWN else f"since {moment(since)}{_elapsed(since, now)}"


def _elapsed(since: str, now: datetime) -> str:
    try:
        seconds = (now - datetime.fromisoformat(since)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f" (for {duration(seconds)})" if seconds > 0 else ""
