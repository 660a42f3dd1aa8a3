"""What a person has to do: each command stands on a line of its own in every form, whole, as it is to be typed."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click import unstyle

from millpond.errors import StalePlan
from millpond.model.finding import Finding
from millpond.model.plan import Plan
from millpond.model.plan_document import PlanDocument
from millpond.model.to_do import to_do, told_apart
from millpond.reporting.danger_markdown import DETAILS, held_blocks
from millpond.reporting.drift_junit import drift_junit
from millpond.reporting.drift_markdown import drift_markdown
from millpond.reporting.drift_report import DriftReport
from millpond.reporting.findings_text import findings_text
from millpond.reporting.hosts import HOSTS
from millpond.reporting.html.page import TenantFacts, report_page
from millpond.reporting.html.render import report_html
from millpond.reporting.planfile import plan_document_text, read_planfile, write_planfile
from millpond.reporting.report_text import report_text
from millpond.reporting.result_markdown import result_markdown
from millpond.reporting.status_text import status_text

from . import examples
from .golden import check

SERVER = "0b1c0f6e-6ec4-4a5a-9c55-4b7b0a1f8f10"
DISKS = ("5a0c6a0d-6f7f-4a32-9d4c-3a9a3d4a7e21", "e6b9d9e4-0e1f-4d0c-8c39-2f3f7b1a9a55")
COMMANDS = tuple(f"openstack --os-cloud rhosp13 server remove volume {SERVER} {disk}" for disk in DISKS)
FIX = f"{to_do('detach them from the server on the source', *COMMANDS)}\nor leave the server where it is; the next apply goes on"
HELD = replace(examples.UNDECIDED, fix=FIX)
PLAN = examples.plan(replace(examples.ACME, findings=(HELD,)))


def junit() -> str:
    (failure,) = ElementTree.fromstring(drift_junit(DriftReport(PLAN))).findall(".//failure[@type='blocker']")
    return failure.text or ""


def html() -> str:
    page = report_html(report_page("north", examples.NOON, "0.1.0", [TenantFacts(PLAN.tenants[0], "rhosp13", "rhosp17")]))
    return unescape(re.sub(r"</?(?:p|pre|code|strong|span)\b[^>]*>", "\n", page))


def forms() -> dict[str, str]:
    return {
        "plan": "\n".join(map(unstyle, findings_text([HELD]))),
        "status": unstyle(status_text(PLAN, {})),
        "comment": "\n".join(held_blocks(PLAN, DETAILS[0])),
        "drift comment": drift_markdown(DriftReport(PLAN), "north", HOSTS["github"]),
        "report": report_text(PLAN.tenants[0], (), (), examples.NOON),
        "junit": junit(),
        "html": html(),
    }


@pytest.mark.parametrize("form", forms())
def test_each_command_is_a_line_and_the_sentences_stand_around_them(form: str) -> None:
    lines = [line.strip() for line in forms()[form].splitlines()]
    assert [line for line in lines if line in COMMANDS] == list(COMMANDS), "each once, whole, on a line that holds nothing else"
    before, after = "\n".join(lines).split("\n".join(COMMANDS))
    assert "To do: detach them from the server on the source:" in before
    assert "or leave the server where it is; the next apply goes on" in after.replace("\n", " ")


@pytest.mark.parametrize("form", ["comment", "drift comment", "report"])
def test_commands_are_code_that_is_ended_again(form: str) -> None:
    lines = [line.strip() for line in forms()[form].splitlines()]
    at = lines.index(COMMANDS[0])
    assert (lines[at - 2 : at], lines[at + 2 : at + 4]) == (["", "```sh"], ["```", ""])


def test_how_it_reads() -> None:
    held = (HELD, replace(HELD, fix=to_do("bring it out of that as an administrator", f"openstack server unpause {SERVER}"), patch=""))
    check("to_do.txt", "\n".join(findings_text(held)))
    check("to_do.md", "\n".join(held_blocks(examples.plan(replace(examples.ACME, findings=held)), DETAILS[0])))


def test_a_sentence_without_a_command_is_one_paragraph() -> None:
    assert list(told_apart("put the manifest back")) == [("put the manifest back", ())]
    assert list(told_apart("")) == []


def test_no_name_begins_a_command() -> None:
    text = to_do("look at `a\n    openstack project delete acme`", "openstack server show `\n    rm -rf /`")
    ((sentence, commands),) = told_apart(text)
    assert sentence == "look at `a     openstack project delete acme`:"
    assert commands == ("openstack server show `     rm -rf /`",)


def saved(plan: Plan) -> PlanDocument:
    return PlanDocument(plan, plan.made_at + timedelta(hours=1), "north")


def checks(plan: Plan) -> tuple[Finding, ...]:
    return tuple(finding for tenant in plan.tenants for finding in tenant.findings)


def test_a_saved_plan_keeps_it_and_one_of_before_is_read(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    write_planfile(file, saved(PLAN))
    assert checks(read_planfile(file).plan) == (HELD,)
    document = json.loads(plan_document_text(saved(PLAN)))
    document["tenants"][0]["checks"][0]["fix"] = old = f"detach it: openstack server remove volume {SERVER} {DISKS[0]}"
    file.write_text(json.dumps(document))
    assert [finding.fix for finding in checks(read_planfile(file).plan)] == [old]


def test_what_ends_a_tenant_of_an_apply_keeps_its_command() -> None:
    error = StalePlan(
        "the documents of acme changed", fix="Make the plan again and have it reviewed:", command="millpond plan -o plan.json"
    )
    result = examples.result(examples.QUIET, errors=(("acme", error),))
    lines = result_markdown(result, "north", HOSTS["github"]).splitlines()
    at = lines.index("  millpond plan -o plan.json")
    assert lines[at - 3].endswith("To do: Make the plan again and have it reviewed:")
    assert (lines[at - 2 : at], lines[at + 1]) == (["", "  ```sh"], "  ```")
