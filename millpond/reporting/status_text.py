"""Where every wave stands, what it waits for, what holds it, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping

from millpond.model.plan import DECOMMISSIONED, Plan, Stage, TenantPlan, WaveStatus
from millpond.reporting.amounts import counted, lag, moments, size
from millpond.reporting.findings_text import LEFT_BEHIND, excluded_lines, findings_text
from millpond.reporting.held import is_all_held
from millpond.reporting.layout import columns, wrapped
from millpond.reporting.outage_text import outage_lines
from millpond.reporting.summary import UNAPPROVED, counts
from millpond.reporting.symbols import bold, dim, red, yellow
from millpond.reporting.waiting_text import waiting_lines, waits

_HEAD = ("WAVE", "SERVERS", "PHASE", "LAG", "TO COPY", "CUT", "NEXT")
_RIGHT = frozenset({1, 3, 4})
_SOAK = (
    "All is handed over. The source stays as it is, stopped and write-protected, and while its replicas are kept every wave can go back. "
    "After the soak, with the word of the tenant's owner and an approval, `decommission: true` ends that: it deletes the source."
)


def status_text(plan: Plan, at_work: Mapping[str, str]) -> str:
    """`at_work`: tenant → who works on it now, in words."""
    blocks = [outage_lines(plan, at_work=at_work)]
    for tenant in plan.tenants:
        blocks += _tenant(tenant, at_work.get(tenant.tenant, ""))
    blocks += [wrapped(moments(summary), "  ", first=f"{red('Error')}: {name} could not be read: ") for name, summary in plan.errors]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _tenant(tenant: TenantPlan, at_work: str) -> list[list[str]]:
    heading = [bold(f"Tenant {tenant.tenant}"), *wrapped(at_work or "no run is at work on it", "  ")]
    rows = [tuple(dim(cell) for cell in _HEAD), *(_row(tenant, wave) for wave in tenant.waves)]
    waiting = waiting_lines(waits(tenant))
    excluded = excluded_lines(tenant.findings)
    left = counts(tenant.changes)
    return [
        heading,
        columns(rows, right=_RIGHT),
        wrapped(_SOAK, "  ") if _moved(tenant) else [],
        [yellow("Waiting"), *waiting] if waiting else [],
        [bold(LEFT_BEHIND), *excluded] if excluded else [],
        findings_text(tenant.blockers),
        [f"To do by apply{_when(tenant)}: {left}."] if tenant.changes else [],
        drift_line(tenant),
    ]


def _when(tenant: TenantPlan) -> str:
    if not is_all_held(tenant):
        return ""
    return ", once the blockers are gone" if tenant.blockers else ", once the wait is over"


def drift_line(tenant: TenantPlan) -> list[str]:
    return [f"Drift: {counted(len(tenant.drift), 'object')}, see `millpond drift {tenant.tenant}`."] if tenant.drift else []


def _row(tenant: TenantPlan, wave: WaveStatus) -> tuple[str, ...]:
    copying = wave.stage in (Stage.REPLICATE, Stage.CUT)
    return (
        wave.name,
        str(len(wave.servers)),
        wave.phase,
        lag(wave.lag_seconds if copying else 0),
        size(wave.bytes_left) if wave.bytes_left else "-",
        wave.cut or "-",
        _next(tenant, wave),
    )


def _next(tenant: TenantPlan, wave: WaveStatus) -> str:
    ending = wave.stage is Stage.DECOMMISSION
    if any(finding.wave in ("", wave.name) or (ending and finding.code == UNAPPROVED) for finding in tenant.blockers):
        return red("blocked")
    own = ("", wave.name) if wave.stage is Stage.REPLICATE else (wave.name,)  # what the whole tenant lacks comes before a cutover
    if any(change.wave in own and not change.after for change in tenant.changes):
        return "apply"
    if any(step.wave in own and not step.after for step in tenant.waiting):
        return "wait"
    if wave.phase == DECOMMISSIONED:
        return "nothing"
    if wave.stage is Stage.REPLICATE:
        return "cutover: true"
    return "soak" if _moved(tenant) else "-"


def _moved(tenant: TenantPlan) -> bool:
    return bool(tenant.waves) and all(wave.stage is Stage.HANDED_OVER and wave.phase != DECOMMISSIONED for wave in tenant.waves)
