"""The comment after an apply, and the result as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from millpond.errors import InvalidDocument, LeaseHeld, Problem, StalePlan
from millpond.model.change import Waiting
from millpond.model.outcome import ApplyResult, Outcome, Result
from millpond.model.plan import TenantPlan
from millpond.reporting.error_markdown import error_markdown
from millpond.reporting.gitlab_json import gitlab_document
from millpond.reporting.hosts import HOSTS, Host, fitting
from millpond.reporting.outcome_text import NOT_MEASURED
from millpond.reporting.result_json import result_document
from millpond.reporting.result_markdown import result_markdown
from millpond.schemas import schema_text

from . import examples
from .golden import check
from .test_markdown import NASTY, live
from .test_texts import GOING_ON

OUTAGES = (("acme/server/db-1", 47.2), ("acme/server/web-1", 95.0))
DONE = examples.result(
    examples.QUIET, outcomes=examples.OUTCOMES[:5], outages=OUTAGES, estimated=(("acme/server/db-1", 52.0),), advanced=True
)
FAILED = examples.result(GOING_ON, outcomes=examples.OUTCOMES, advanced=True, remaining=True)


def comment(result: ApplyResult, host: Host = HOSTS["github"]) -> str:
    return result_markdown(result, "north", host, "3f2a9c01" * 5).rstrip("\n")


def test_the_result_of_a_cutover() -> None:
    check("result_done.md", comment(DONE))


def test_a_result_with_failures_in_an_outage() -> None:
    check("result_failed.md", comment(FAILED))


def test_a_result_that_waits_for_its_window() -> None:
    reason = "its maintenance window opens at 2026-12-02T20:00:00+00:00: run apply then, before 2026-12-02T23:00:00+00:00"
    check("result_waits.md", comment(examples.result(shut(reason), held=True, remaining=True)))


def shut(reason: str) -> TenantPlan:
    """Acme, whose wave waits for this."""
    gate = Waiting(examples.address("gate", "core"), "admission", reason, "core", long=True, seconds=115_200)
    return replace(examples.QUIET, waves=(replace(examples.CORE, admitted=False),), steps=(gate,))


@pytest.mark.parametrize(
    ("reason", "cell"),
    [
        (
            "its maintenance window opens at 2026-12-02T20:00:00+00:00: run apply then, before 2026-12-03",
            "window opens at 2026-12-02 20:00:00 UTC",
        ),
        ("its cutover begins at 2026-12-02T20:00:00+00:00, in 115200 s", "cutover begins at 2026-12-02 20:00:00 UTC"),
        ("its cutover begins at 2026-12-02T20:00:00.123456+00:00, in 5 s", "begins at 2026-12-02 20:00:00 UTC"),
        ("540 s until its MAC addresses may move again: fabrics freeze an address", "540 s until its MAC addresses may move again"),
        ("the soak ends in 600 s", "the soak ends in 600 s"),
        (f"the {'long ' * 9}soak ends in 600 s", f"the {'long ' * 7}lo..."),
    ],
)
def test_the_gate_is_shortened_but_for_its_moment(reason: str, cell: str) -> None:
    (row,) = [line for line in comment(examples.result(shut(reason), held=True)).splitlines() if line.startswith("| `acme` ")]
    assert row.endswith(f" | {cell} |")


def test_measured_stands_beside_estimated_the_longest_first() -> None:
    rows = [line for line in comment(DONE).splitlines() if line.startswith("| `acme/server/")]
    assert rows == ["| `acme/server/web-1` | 1 min 35 s | - |", "| `acme/server/db-1` | 47 s | 52 s |"]


def test_a_comment_says_that_it_has_the_newest_apply_alone_and_where_the_others_are() -> None:
    """Every apply of a request edits the same comment: the one after a cutover has no outage to tell of."""
    newest = "This is the newest apply alone; all outages there were: "
    later = comment(examples.result(examples.QUIET))
    assert "#### Outages" not in later
    assert f"\n{newest}`millpond report acme`.\n" in f"{later}\n"
    other = replace(examples.QUIET, tenant="globex")
    both = examples.result(examples.QUIET)
    both = replace(both, plan=replace(both.plan, tenants=(examples.QUIET, other)))
    assert f"\n{newest}`millpond report`.\n" in f"{comment(both)}\n", "of all tenants"
    assert newest not in comment(examples.result(examples.GLOBEX)), "nothing of it was ever cut over"


def test_an_outage_that_nobody_measured_is_told() -> None:
    result = replace(DONE, unmeasured=("acme/server/db-2",), estimated=(("acme/server/db-2", 52.0),))
    assert "| `acme/server/db-2` | not measured | 52 s |" in comment(result)
    assert NOT_MEASURED in comment(result)
    assert NOT_MEASURED not in comment(DONE)
    document = json.loads(result_document(result, "north"))
    Draft202012Validator(json.loads(schema_text("result"))).validate(document)
    assert document["outages"][-1] == {"server": "acme/server/db-2", "measured": None, "estimated": 52.0}


def test_plan_and_result_have_the_same_marker() -> None:
    assert comment(DONE).splitlines()[0] == "<!-- millpond:north -->"


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (DONE, "done"),
        (FAILED, "outage in progress"),
        (examples.result(examples.GLOBEX, remaining=True), "work remains"),
        (examples.result(examples.QUIET, interrupted=True), "interrupted"),
        (examples.result(replace(examples.QUIET, findings=(examples.UNDECIDED,)), held=True), "held"),
        (examples.result(examples.QUIET, errors=(("acme", StalePlan("documents changed")),)), "failed"),
    ],
)
def test_the_heading_and_the_document_say_how_it_ended(result: ApplyResult, state: str) -> None:
    assert f"### Apply of `north` at commit `3f2a9c013f2a`: {state}\n" in comment(result) + "\n"
    document = json.loads(result_document(result, "north"))
    Draft202012Validator(json.loads(schema_text("result"))).validate(document)
    assert document["state"] == state


def test_the_document_says_what_became_of_each_change() -> None:
    document = json.loads(result_document(FAILED, "north", "3f2a"))
    results = {(outcome["address"], outcome["migration_action"]): outcome["result"] for outcome in document["outcomes"]}
    assert results["acme/server/web-1", "create"] == "failed"
    assert results["acme/server/db-1", "create"] == "unknown"
    assert document["left"] == {"add": 1, "change": 0, "destroy": 0}


@pytest.mark.parametrize("fit", ["github", "bitbucket", "4000"])
def test_a_result_of_thousands_of_changes_fits(fit: str) -> None:
    outages = tuple((f"acme/server/app-{number}", 40.0 + number) for number in range(3000))
    outcomes = [Outcome(f"acme/server/app-{number}#create", Result.DONE, 1.0) for number in range(3000)]
    outcomes += [Outcome(f"acme/server/bad-{number}#create", Result.FAILED, 1.0, "no valid host " * 20) for number in range(3000)]
    text = comment(examples.result(examples.QUIET, outages=outages, outcomes=tuple(outcomes)), fitting(fit))
    assert len(text.encode()) <= fitting(fit).limit
    assert "| `acme/server/app-2999` | 50 min 39 s | - |" in text
    assert "Apply: 3000 done, 3000 failed, 0 unknown" in text


@pytest.mark.parametrize("name", NASTY)
def test_no_message_comes_to_life(name: str) -> None:
    bad = Outcome(f"acme/server/{name}#create", Result.FAILED, 1.0, f"no host for {name}")
    error = StalePlan(f"{name} changed", where=name, fix=f"look at {name}", command="millpond plan")
    result = examples.result(examples.ACME, outcomes=(bad,), outages=((f"acme/server/{name}", 1.0),), errors=((name, error),))
    assert live(comment(result)) == []
    assert live(error_markdown(error, "Apply", name, HOSTS["github"])) == []


def test_an_error_takes_the_place_of_the_comment() -> None:
    held = LeaseHeld("run 2026-3f of ada@runner-1 works on acme", where="acme", fix="Wait:", command="millpond unlock acme --run 2026-3f")
    text = error_markdown(held, "Apply", "north", HOSTS["github"])
    assert text.startswith("<!-- millpond:north -->\n### Apply of `north`\n\n**Error: ")
    assert "  ```sh\n  millpond unlock acme --run 2026-3f\n  ```\n" in text


def test_all_problems_of_documents_are_told_as_far_as_they_fit() -> None:
    problems = tuple(
        Problem(f"tenants/acme.yaml:{line}:7", "unknown field `cutovr`", fix="did you mean `cutover`?") for line in range(2000)
    )
    few = error_markdown(InvalidDocument(problems[:2]), "Plan", "north", HOSTS["github"])
    assert "- `tenants/acme.yaml:1:7`: unknown field `cutovr`. To do: did you mean `cutover`?\n" in few
    many = error_markdown(InvalidDocument(problems), "Plan", "north", HOSTS["bitbucket"])
    assert len(many.encode()) <= 32_768
    assert many.rstrip().endswith("more")


def test_gitlab_gets_its_counts() -> None:
    assert json.loads(gitlab_document(examples.FULL)) == {"create": 4, "update": 4, "delete": 1}
