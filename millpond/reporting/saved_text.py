"""What a saved plan is good for: whether apply takes it, until when, and what it can never admit."""

from __future__ import annotations

from datetime import timedelta

from millpond.model.plan import BACK, GATE, Plan, Stage
from millpond.model.plan_document import PlanDocument
from millpond.reporting.amounts import moment
from millpond.reporting.layout import wrapped
from millpond.reporting.summary import all_changes, shuts, waves_in

_DO = "To perform these actions, or those still missing by then, run the following command to apply:"


def saved_lines(document: PlanDocument, file: str) -> list[str]:
    """For whoever has just saved it as `file`: the command that goes on."""
    why = not_applicable(document.plan)
    said, command = (f"It can be shown, not applied: {why}.", "show") if why else (_DO, "apply")
    saved = f"Saved the plan to: {file}, valid until {moment(document.expires)}"
    return [saved, *(f"\n{line}" for line in too_late(document)), "", *wrapped(said, ""), "", f"    millpond {command} {file}"]


def not_applicable(plan: Plan) -> str:
    """Why apply would refuse it, or has nothing to do by it; empty where neither is so. Nothing holds back one that brings servers back."""
    if plan.errors:
        return "it was made with errors"
    held = any(tenant.blockers for tenant in plan.tenants)
    if held and not any(wave.stage in BACK for tenant in plan.tenants for wave in tenant.waves):
        return "it has blockers"
    return "" if all_changes(plan) else "it holds no changes"


def too_late(document: PlanDocument) -> list[str]:
    """A sentence for each gate that opens only when the plan has expired, wrapped."""
    plan, lines = document.plan, []
    key = "plan.cutover_expires" if waves_in(plan, {Stage.CUT}) else "plan.expires"
    for gate in (step for tenant in plan.tenants for step in tenant.waiting if step.kind == GATE and step.seconds):
        opens = plan.made_at + timedelta(seconds=gate.seconds)
        if opens > document.expires:
            whole = (
                f"It expires before {shuts(gate)} of {gate.address.tenant} can begin, which is at {moment(opens)}: "
                f"make the plan again then, or let it hold for longer ({key} in millpond.yaml)."
            )
            lines.append("\n".join(wrapped(whole, "")))
    return lines
