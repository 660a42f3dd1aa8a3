"""The table of tenants: where each stands, where it goes, what that takes and what it waits for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from millpond.model.plan import GATE, Plan, Stage, TenantPlan, WaveStatus
from millpond.reporting.amounts import counted, duration, lag, moments
from millpond.reporting.drift_report import COPYING
from millpond.reporting.hosts import fits
from millpond.reporting.markdown import code, prose, table
from millpond.reporting.summary import counts
from millpond.reporting.waiting_text import waits

HEAD = ("Tenant", "Phase → next", "Resources to add / change / destroy", "Lag", "Outage", "Gate")
# A wave that is held goes nowhere.
_NEXT = {
    Stage.REPLICATE: "in sync",
    Stage.CUT: "handed over",
    Stage.HANDED_OVER: "handed over",
    Stage.RETURN: "back on the source",
    Stage.DISCARD: "back on the source, what the target wrote is lost",
    Stage.CARRY_BACK: "back on the source with what the target wrote",
    Stage.DECOMMISSION: "gone from the source",
}
_WAVES = 3
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?")


def tenant_table(plan: Plan, room: int, gate_width: int = 60) -> list[str]:
    """Tenants with something to do, the gravest first, and the number of the others. Rows that do not fit are counted."""
    found = [tenant for tenant in ranked(plan) if tenant.steps or tenant.blockers]
    quiet = len(plan.tenants) - len(found)
    if not found:
        return []
    rows = table([HEAD, *(_row(tenant, gate_width) for tenant in found)])
    shown = len(found)
    while shown > 1 and not fits(rows[: shown + 2], room - 200):
        shown -= max(1, shown // 50)
    said = [
        f"And {counted(len(found) - shown, 'tenant')} more with changes, which did not fit." if shown < len(found) else "",
        f"{counted(quiet, 'tenant')} without changes." if quiet else "",
    ]
    return ["", *rows[: shown + 2], *(f"\n{line}" for line in said if line)]


def ranked(plan: Plan) -> list[TenantPlan]:
    """Those that stop, promote or delete come first, then what is held."""
    return sorted(plan.tenants, key=_rank)


def _rank(tenant: TenantPlan) -> tuple[bool, bool, bool, str]:
    grave = any(change.danger for change in tenant.changes)
    return not grave, not tenant.blockers, not tenant.changes, tenant.tenant


def _row(tenant: TenantPlan, gate_width: int) -> Sequence[str]:
    found = counts(tenant.changes)
    behind = max((wave.lag_seconds for wave in tenant.waves if wave.stage in COPYING), default=0.0)
    return (
        code(tenant.tenant, 64),
        _phases(tenant),
        f"{found.add} / {found.change} / {found.destroy}",
        lag(behind),
        duration(tenant.outage.longest) if tenant.outage.longest else "-",
        _gate(tenant, gate_width),
    )


def _phases(tenant: TenantPlan) -> str:
    """Of the waves that have steps left; of all where none has."""
    moving = {step.wave for step in tenant.steps}
    waves = [wave for wave in tenant.waves if wave.name in moving] or list(tenant.waves)
    if len(waves) == 1 and len(tenant.waves) == 1:
        return _phase(waves[0])
    more = f"; {len(waves) - _WAVES} waves more" if len(waves) > _WAVES else ""
    return "; ".join(f"{code(wave.name, 40)} {_phase(wave)}" for wave in waves[:_WAVES]) + more


def _phase(wave: WaveStatus) -> str:
    onward = _NEXT.get(wave.stage, wave.phase)
    return prose(wave.phase) if wave.phase == onward else f"{prose(wave.phase)} → {onward}"


def _gate(tenant: TenantPlan, width: int) -> str:
    if tenant.blockers:
        return f"held: {counted(len(tenant.blockers), 'blocker')}"
    shut = next((step.reason for step in waits(tenant) if step.kind == GATE), "")
    if shut:
        return prose(moments(_shortened(shut, width)))
    cutting = any(wave.stage is Stage.CUT for wave in tenant.waves) and any(change.danger for change in tenant.changes)
    return "open" if cutting else "-"


def _shortened(reason: str, width: int) -> str:
    """What explains it goes first, then what stands around a moment. The moment itself never: it is what the reader looks for."""
    text = reason if len(reason) <= width else reason.partition(": ")[0]
    moment = _MOMENT.search(text)
    if moment is None:
        return text if len(text) <= width else f"{text[: width - 3]}..."
    text = text if len(text) <= width else text[: moment.end()]
    while len(text) > width and not _MOMENT.match(text):
        text = text.partition(" ")[2]
    return text
