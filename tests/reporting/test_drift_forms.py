"""Drift as JSON, Markdown and JUnit XML: one report, told apart in the same three parts."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from click import unstyle
from jsonschema import Draft202012Validator

from millpond.model.change import Effect, FieldChange
from millpond.model.plan import Drift, TenantPlan
from millpond.reporting.drift_json import drift_document
from millpond.reporting.drift_junit import drift_junit
from millpond.reporting.drift_markdown import drift_markdown
from millpond.reporting.drift_report import DriftReport, Lag
from millpond.reporting.drift_text import drift_text
from millpond.reporting.hosts import LEAST, fitting
from millpond.schemas import schema_text

from . import examples
from .golden import check
from .junit import wrongs

REPORT = DriftReport(examples.FULL, rpo=600)
QUIET = DriftReport(examples.plan(examples.QUIET))
NASTY = "a`b|<script>@all\x1b[31m\u202e"


BLOCKED = DriftReport(examples.plan(replace(examples.QUIET, findings=(examples.UNDECIDED,))))
"""A tenant that has moved, of which nothing drifted and something is wrong."""


def nasty() -> DriftReport:
    drift = Drift(examples.address("server", NASTY), "target", (FieldChange("name", "web", NASTY),))
    found = replace(examples.UNDECIDED, address=examples.address("server", NASTY), what=NASTY, why=NASTY, fix=NASTY, wave="")
    return DriftReport(examples.plan(replace(examples.QUIET, tenant=NASTY, drift=(drift,), findings=(found,)), errors=((NASTY, NASTY),)))


def many(count: int) -> DriftReport:
    def tenant(name: str) -> TenantPlan:
        drift = (replace(examples.DRIFT[0], address=examples.address("server", f"web-{n}", name)) for n in range(count))
        blockers = (replace(examples.UNDECIDED, address=examples.address("server", f"web-{n}", name)) for n in range(count))
        return replace(examples.ACME, tenant=name, drift=tuple(drift), findings=tuple(blockers))

    return DriftReport(examples.plan(*(tenant(f"t-{n}") for n in range(20))))


def test_lag_is_told_of_waves_that_are_replicated_and_late_by_what_the_site_allows() -> None:
    assert REPORT.lags == (
        Lag("acme", "core", "in sync", 43.3, 0, late=False),
        Lag("globex", "rest", "seeding", 7200, 442381631488, late=True),
    )
    assert not any(lag.late for lag in DriftReport(examples.FULL).lags)
    assert QUIET.lags == ()


def test_hosts_colour_what_is_nested_in_a_change_too() -> None:
    long = [{"direction": word, "cidr": "10.0.0.0/8", "description": "x" * 40} for word in ("ingress", "egress")]
    drift = Drift(
        examples.address("security_group", "web"), "target", (FieldChange("rules", long[:1], long[1:]), FieldChange("name", "a", "b"))
    )
    text = drift_markdown(DriftReport(examples.plan(replace(examples.QUIET, drift=(drift,)))), "north", fitting("github"))
    block = text.partition("```diff\n")[2].partition("```")[0].splitlines()
    assert [line[:6] for line in block[1:]] == ["! rule", "-     ", "+     ", "! name"]
    assert '"ingress"' in block[2]


def test_json_is_what_its_schema_says() -> None:
    document = json.loads(drift_document(REPORT))
    schema = json.loads(schema_text("drift"))
    Draft202012Validator.check_schema(schema)
    for report in (REPORT, QUIET, nasty()):
        Draft202012Validator(schema).validate(json.loads(drift_document(report)))
    assert document["summary"] == {"source": 1, "target": 1, "late": 1, "blockers": 1}
    assert [(check["code"], check["severity"], check["address"]) for check in document["checks"]] == [
        ("rollback_undecided", "blocker", "acme/wave/pilot")
    ]
    assert [(item["address"], item["side"], item["change"]["actions"]) for item in document["resource_drift"]] == [
        ("acme/server/bastion", "target", ["update"]),
        ("acme/volume/scratch", "source", ["create"]),
    ]
    assert document["errors"][0]["tenant"] == "umbrella"
    assert document["lag"][1] == {
        "tenant": "globex", "wave": "rest", "phase": "seeding", "seconds": 7200, "bytes_left": 442381631488, "late": True,
    }  # fmt: skip


def test_what_is_gone_has_nothing_after() -> None:
    gone = Drift(examples.address("server", "web-1"), "target", (), "is gone from the target", Effect.DELETE)
    (item,) = json.loads(drift_document(DriftReport(examples.plan(replace(examples.QUIET, drift=(gone,))))))["resource_drift"]
    assert (item["change"]["actions"], item["change"]["after"]) == (["delete"], None)


def test_markdown_reads_well() -> None:
    check("drift.md", drift_markdown(REPORT, "north", fitting("github")).rstrip("\n"))


def test_markdown_without_drift_says_so() -> None:
    assert "No drift. Looked at" in drift_markdown(QUIET, "north", fitting("github"))
    failed = DriftReport(examples.plan(examples.QUIET, errors=(("umbrella", "unreachable"),)))
    assert "No drift in what could be read." in drift_markdown(failed, "north", fitting("github"))


@pytest.mark.parametrize("limit", [LEAST, 10_000, 65_536, 1_000_000])
def test_markdown_fits_and_counts_what_it_leaves_out(limit: int) -> None:
    text = drift_markdown(many(200), "north", fitting(str(limit)))
    assert len(text.encode()) <= limit
    assert "Drift: 0 on the source, 4000 on the target." in text
    assert text.count("\n```") % 2 == 0
    assert "4000 blockers of what moves or has moved." in text
    assert "millpond drift` shows all" in text
    if limit < 200_000:
        assert "more did not fit" in text or "# and " in text


def test_no_drift_is_not_all_that_is_said_where_a_blocker_holds_what_has_moved() -> None:
    said = "1 blocker of what moves or has moved. No drift."
    assert unstyle(drift_text(BLOCKED)).splitlines()[-1] == said
    assert "Blocker: acme/wave/pilot holds wave pilot  [rollback_undecided]" in unstyle(drift_text(BLOCKED)).splitlines()
    text = drift_markdown(BLOCKED, "north", fitting("github"))
    assert f"{said} Looked at" in text
    assert "- `acme/wave/pilot` `rollback_undecided`: cutover is false" in text
    assert not BLOCKED.drifted


def test_names_do_nothing_in_markdown() -> None:
    text = drift_markdown(nasty(), NASTY, fitting("github"))
    assert "\x1b" not in text
    assert "\u202e" not in text
    outside = [line for line in text.splitlines() if "<script>" in line and "`" not in line and not line.startswith(("#", "!"))]
    assert outside == []


def test_junit_has_a_failure_for_each_object_and_an_error_for_each_tenant_that_was_not_read() -> None:
    root = ElementTree.fromstring(drift_junit(REPORT))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("9", "3", "1")
    suites = {suite.get("name"): suite for suite in root}
    failure = suites["acme: target drift"].find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "acme/server/bastion has changed"
    assert 'flavor = "m1.small" -> "m1.medium"' in str(failure.text)
    blocked = suites["acme: blockers"].find("testcase/failure")
    assert blocked is not None
    assert str(blocked.get("message")).startswith("acme/wave/pilot: cutover is false, but cut 20261130T220000Z")
    assert "        target_writes: carry_back" in str(blocked.text).splitlines()[-1]
    assert [case.get("name") for case in suites["globex: blockers"]] == ["nothing blocks what moves or has moved of globex"]
    assert [case.get("name") for case in suites["globex: source drift"]] == ["globex has no source drift"]
    assert [(case.get("name"), case.findtext("system-out")) for case in suites["lag"]] == [
        ("acme/wave/core", "in sync: 43 s behind"),
        ("globex/wave/rest", "seeding: 2 h behind, more than the site file allows, 412.0 GiB to copy"),
    ]


@pytest.mark.parametrize("report", [REPORT, QUIET, nasty(), many(3)], ids=["full", "quiet", "nasty", "many"])
def test_junit_is_what_ci_systems_take(report: DriftReport) -> None:
    assert list(wrongs(ElementTree.fromstring(drift_junit(report)))) == []


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("<testsuites><testsuite name='a' tests='1' failures='0'/></testsuites>", "testsuite lacks errors"),
        ("<testsuites><testcase name='a'/></testsuites>", "testcase in testsuites"),
        ("<testsuites time='soon'/>", "testsuites took soon"),
        ("<testsuites verdict='good'/>", "testsuites has verdict"),
        ("<testcase name='a'>text</testcase>", "testcase has text"),
        ("<testcase name='a'><note/></testcase>", "note is not known"),
    ],
)
def test_what_ci_systems_do_not_take_would_be_seen(written: str, wrong: str) -> None:
    assert wrong in list(wrongs(ElementTree.fromstring(written)))


@pytest.mark.parametrize("report", [REPORT, QUIET, nasty(), many(3)], ids=["full", "quiet", "nasty", "many"])
def test_junit_counts_what_it_holds(report: DriftReport) -> None:
    root = ElementTree.fromstring(drift_junit(report))
    for holder in (root, *root):
        assert int(holder.get("tests", "0")) == len(list(holder.iter("testcase")))
        assert int(holder.get("failures", "0")) == len(list(holder.iter("failure")))
        assert int(holder.get("errors", "0")) == len(list(holder.iter("error")))
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names))
