"""What is said below a plan that was saved: true for each kind of plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.model.finding import Severity
from millpond.model.plan import Plan, Stage
from millpond.model.plan_document import PlanDocument
from millpond.reporting.saved_text import saved_lines, too_late

from . import examples
from .test_held import SHUT, SOAK

CUTS = replace(examples.ACME, findings=(examples.PASSWORDS,))
GOING_BACK = replace(examples.PILOT, stage=Stage.CARRY_BACK)


def said(plan: Plan) -> str:
    return "\n".join(saved_lines(PlanDocument(plan, examples.NOON + timedelta(hours=1)), "plan.json"))


def test_what_can_be_applied_names_the_command() -> None:
    assert said(examples.plan(CUTS)) == (
        "Saved the plan to: plan.json, valid until 2026-12-01 13:00:00 UTC\n\n"
        "To perform these actions, or those still missing by then, run the following command to apply:\n\n"
        "    millpond apply plan.json"
    )
    orphan = replace(examples.ORPHAN, severity=Severity.BLOCKER)
    assert "    millpond apply plan.json" in said(examples.plan(CUTS, findings=(orphan,))), "it holds no tenant of the plan"
    back = replace(examples.ACME, waves=(GOING_BACK,))
    assert "    millpond apply plan.json" in said(examples.plan(back)), "no blocker holds back what brings servers back"


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (examples.plan(examples.ACME), "it has blockers"),
        (examples.plan(examples.QUIET), "it holds no changes"),
        (examples.plan(CUTS, errors=(("umbrella", "unreachable"),)), "it was made with errors"),
    ],
)
def test_what_cannot_be_applied_says_why(plan: Plan, why: str) -> None:
    assert said(plan).endswith(f"\n\nIt can be shown, not applied: {why}.\n\n    millpond show plan.json")
    assert "millpond apply" not in said(plan)


def test_a_gate_that_opens_when_the_plan_has_expired_is_told_with_the_key() -> None:
    late = replace(CUTS, steps=(*CUTS.steps, replace(SHUT, seconds=2 * 3600.0)))
    assert (
        "\n\nIt expires before wave core of acme can begin, which is at 2026-12-01 14:00:00 UTC: make the plan\n"
        "again then, or let it hold for longer (plan.cutover_expires in millpond.yaml).\n\n"
    ) in said(examples.plan(late))
    in_time = replace(CUTS, steps=(*CUTS.steps, replace(SHUT, seconds=1800.0)))
    assert "It expires before" not in said(examples.plan(in_time))
    ends = replace(CUTS, steps=(replace(SOAK, seconds=7200.0),), waves=(replace(examples.CORE, stage=Stage.DECOMMISSION),))
    (line,) = too_late(PlanDocument(examples.plan(ends), examples.NOON))
    assert "before the decommissioning of acme" in line
    assert "(plan.expires in" in " ".join(line.split())
