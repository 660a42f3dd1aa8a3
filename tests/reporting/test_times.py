"""Text for people has one form of time, whatever a cause was told in; machines get ISO 8601."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from click import unstyle

from millpond.errors import InvalidDocument, Problem, StalePlan
from millpond.model.outcome import Outcome, Result
from millpond.model.plan_document import PlanDocument
from millpond.reporting.drift_junit import drift_junit
from millpond.reporting.drift_markdown import drift_markdown
from millpond.reporting.drift_report import DriftReport
from millpond.reporting.drift_text import drift_text
from millpond.reporting.error_markdown import error_markdown
from millpond.reporting.errors_text import error_text
from millpond.reporting.hosts import HOSTS
from millpond.reporting.html.page import DriftPage, report_page
from millpond.reporting.html.render import drift_html, report_html
from millpond.reporting.outcome_text import outcome_text
from millpond.reporting.plan_json import to_json
from millpond.reporting.plan_markdown import plan_markdown
from millpond.reporting.plan_text import plan_text
from millpond.reporting.report_text import report_text
from millpond.reporting.result_markdown import result_markdown
from millpond.reporting.status_text import status_text

from . import examples

ISO = "2026-11-21T21:00:00+01:00"
TOLD = "2026-11-21 20:00:00 UTC"
SAID = f"it expired at {ISO}"
HELD = replace(examples.UNDECIDED, what=SAID, why=SAID, fix=SAID, patch="")
ORPHAN = replace(examples.ORPHAN, what=SAID)
TENANT = replace(examples.QUIET, findings=(HELD,))
PLAN = examples.plan(TENANT, errors=(("globex", SAID),), findings=(ORPHAN,))
DOCUMENT = PlanDocument(PLAN, PLAN.made_at + timedelta(hours=1), "north")
ERROR = StalePlan(SAID, fix=SAID)
RESULT = replace(
    examples.result(TENANT, outcomes=(Outcome("acme/server/web-1#create", Result.FAILED, 1.0, SAID),), errors=(("acme", ERROR),)), plan=PLAN
)
GITHUB = HOSTS["github"]
FORMS = {
    "plan": lambda: plan_text(PLAN),
    "comment": lambda: plan_markdown(DOCUMENT, GITHUB),
    "status": lambda: status_text(PLAN, {}),
    "drift": lambda: drift_text(DriftReport(PLAN)),
    "drift comment": lambda: drift_markdown(DriftReport(PLAN), "north", GITHUB),
    "drift page": lambda: drift_html(DriftPage("north", DriftReport(PLAN))),
    "junit": lambda: re.sub(r'timestamp="[^"]*"', "", drift_junit(DriftReport(PLAN))),
    "report": lambda: report_text(TENANT, (), (), examples.NOON),
    "page": lambda: report_html(report_page("north", examples.NOON, "0.1.0", (), PLAN.errors)),
    "outcome": lambda: outcome_text(RESULT),
    "result": lambda: result_markdown(RESULT, "north", GITHUB),
    "error": lambda: error_text(ERROR),
    "error comment": lambda: error_markdown(ERROR, "Apply", "north", GITHUB),
    "documents": lambda: error_text(InvalidDocument((Problem("a.yaml", "it is late", SAID),))),
}


@pytest.mark.parametrize("form", FORMS)
def test_people_read_one_form_of_time(form: str) -> None:
    text = " ".join(unstyle(FORMS[form]()).split())
    assert TOLD in text
    assert ISO not in text


def test_what_is_to_be_written_into_a_document_stays_as_it_is_written() -> None:
    found = InvalidDocument((Problem("a.yaml", "it has no offset", "nobody can tell which moment is meant", f"write {ISO}"),))
    assert f"write {ISO}" in error_text(found)
    assert f"write {ISO}" in error_markdown(found, "Plan", "north", GITHUB)


def test_machines_get_iso() -> None:
    check = to_json(DOCUMENT)["tenants"][0]["checks"][0]
    assert [check[key] for key in ("what", "why", "fix")] == [SAID, SAID, SAID]
    assert TOLD not in json.dumps(to_json(DOCUMENT))
