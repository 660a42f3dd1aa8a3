"""What a pipeline is given of a plan and of an apply, on two clouds."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from millpond.schemas import schema_text
from tests.reporting.test_markdown import live
from tests.story.command import millpond
from tests.story.stage import Stage


def test_one_plan_in_every_form_and_its_result(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.write()
    site = stage.directory
    planned = millpond(site, "plan", "-o", "plan.json", "--format", "markdown", "--json-into", "same.json", "--detailed-exitcode")
    assert (planned.code, planned.err) == (2, "")
    assert planned.out.startswith("<!-- millpond:story -->\n### Plan of `story`\n")
    assert "  - stop server on the source: " in planned.out
    assert "Migration: 1 cutover (3 servers), 0 rollbacks, 0 decommissions; outage about " in planned.out
    assert live(planned.out) == []
    assert (site / "same.json").read_text() == (site / "plan.json").read_text()
    assert millpond(site, "show", "plan.json", "--format", "markdown").out == planned.out

    applied = millpond(site, "apply", "plan.json", "--format", "json", "--markdown-into", "comment.md")
    assert applied.code == 0, applied.text
    result = json.loads(applied.out)
    Draft202012Validator(json.loads(schema_text("result"))).validate(result)
    assert result["state"] == "done"
    assert {outage["server"]: bool(outage["estimated"]) for outage in result["outages"]} == dict.fromkeys(servers(site), True)
    comment = (site / "comment.md").read_text()
    assert comment.startswith("<!-- millpond:story -->\n### Apply of `story`")
    assert [f"\n| `{server}` | " in comment for server in servers(site)] == [True] * 3


def test_who_must_approve_is_named_and_not_notified(stage: Stage) -> None:
    stage.site_spec = {"approvers": {"cutover": ["@org/platform", "cab@example.org"], "decommission": ["@org/storage"]}}
    stage.manifest["cutover"] = True
    stage.write()
    planned = millpond(stage.directory, "plan", "--markdown-into", "comment.md", "--json-into", "plan.json")
    assert "\n  cutover must be approved by: @org/platform, cab@example.org\n" in planned.out
    comment = (stage.directory / "comment.md").read_text()
    assert "\n#### Must be approved\n\n- cutover: by `@org/platform`, `cab@example.org`\n" in comment
    assert live(comment) == []
    assert json.loads((stage.directory / "plan.json").read_text())["approvers"] == {"cutover": ["@org/platform", "cab@example.org"]}


def servers(site: Path) -> list[str]:
    plan = json.loads((site / "plan.json").read_text())
    return sorted(plan["tenants"][0]["outage"]["servers"])


def test_progress_stays_out_of_what_is_read_by_programs(untouched: Stage) -> None:
    untouched.write()
    applied = millpond(untouched.directory, "apply", "--format", "json")
    assert json.loads(applied.out)["advanced"] is True
    assert "acme" in applied.err


def test_a_refusal_takes_the_place_of_the_comment(stage: Stage) -> None:
    stage.write()
    site = stage.directory
    refused = millpond(site, "apply", "--expect-digest", f"sha256:{'0' * 64}", "--markdown-into", "comment.md")
    assert refused.code == 4
    comment = (site / "comment.md").read_text()
    assert comment.startswith(
        "<!-- millpond:story -->\n### Apply of `story`\n\n**Error: The documents have another digest than was expected.** This run changed nothing.\n"
    )
    assert live(comment) == []
