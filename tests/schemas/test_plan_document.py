from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from millpond.schemas import check_plan
from millpond.schemas.plan_document import read_plan
from tests.schemas.writing import SiteDirectory, lines

CHANGE: dict[str, Any] = {
    "address": "acme/server/web-1",
    "type": "server",
    "name": "web-1",
    "side": "target",
    "wave": "pilot",
    "change": {
        "actions": ["create"],
        "before": None,
        "after": {"name": "web-1"},
        "after_unknown": {"id": True},
        "before_sensitive": False,
        "after_sensitive": {},
    },
    "action_reason": "cutover: true for wave pilot",
    "migration_action": "create",
    "after": [],
    "reversible": True,
    "outage": True,
    "danger": False,
    "source_id": "s1",
    "parameters": {},
}
PLAN: dict[str, Any] = {
    "format_version": "1.0",
    "tool_version": "0.1.0",
    "timestamp": "2026-12-01T22:00:00+00:00",
    "expires": "2026-12-01T23:00:00+00:00",
    "applyable": True,
    "complete": False,
    "errored": False,
    "digest": "sha256:0",
    "source": {"git_sha": None, "dirty": False},
    "identities": {"clouds": {"old": "x"}, "arrays": {}},
    "summary": {"add": 1, "change": 0, "destroy": 0},
    "tenants": [
        {
            "tenant": "acme",
            "digest": "sha256:1",
            "waves": [{"name": "pilot", "stage": "cut", "phase": "in sync"}],
            "checks": [{"code": "x", "severity": "warning", "address": "acme", "what": "y"}],
            "resource_changes": [CHANGE],
            "resource_drift": [],
            "waiting": [],
            "outage": {"servers": {"acme/server/web-1": 48.0}, "critical_path": ["a"], "longest": 48.0},
        }
    ],
}
FIX = "make it again with `millpond plan -o plan.json`"


def test_a_plan_is_read_again(site: SiteDirectory) -> None:
    assert read_plan(site.write("plan.json", json.dumps(PLAN))) == PLAN


def test_a_later_minor_version_may_say_more() -> None:
    check_plan({**PLAN, "format_version": "1.7", "news": 1}, "plan.json")


def test_another_major_version_is_refused(site: SiteDirectory) -> None:
    path = site.write("plan.json", json.dumps({**PLAN, "format_version": "2.0"}))
    assert lines(site.problems(lambda: read_plan(path))) == [
        f"plan.json: the plan has format 2.0 (this version of Millpond reads format 1) -> {FIX}"
    ]


@pytest.mark.parametrize("key", sorted(PLAN))
def test_a_plan_without_one_of_its_parts_is_refused(site: SiteDirectory, key: str) -> None:
    path = site.write("plan.json", json.dumps({name: value for name, value in PLAN.items() if name != key}))
    assert lines(site.problems(lambda: read_plan(path))) == [
        f"plan.json: the plan is not valid at `$` ('{key}' is a required property) -> {FIX}"
    ]


def test_a_change_with_an_effect_of_its_own_is_refused(site: SiteDirectory) -> None:
    plan = copy.deepcopy(PLAN)
    plan["tenants"][0]["resource_changes"][0]["change"]["actions"] = ["explode"]
    path = site.write("plan.json", json.dumps(plan))
    where = "$.tenants[0].resource_changes[0].change.actions[0]"
    assert [each.what for each in site.problems(lambda: read_plan(path))] == [f"the plan is not valid at `{where}`"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "plan.json:1:1: the file is not valid JSON (Expecting value)"),
        ('{\n "a": }', "plan.json:2:7: the file is not valid JSON (Expecting value)"),
        ("[]", "plan.json: the plan is not valid at `$` ([] is not of type 'object')"),
        (
            "[" * 100_000,
            "plan.json: the file is nested too deeply",
        ),
    ],
)
def test_what_is_no_plan(site: SiteDirectory, text: str, line: str) -> None:
    path = site.write("plan.json", text)
    assert lines(site.problems(lambda: read_plan(path))) == [f"{line} -> {FIX}"]
