"""The example of a policy, played by a Rego interpreter on plans as Millpond writes them, and a rule as people have it for Terraform."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from millpond.model.address import Side
from millpond.model.change import Change, Effect
from millpond.model.plan import OutageEstimate, Plan
from millpond.model.plan_document import PlanDocument
from millpond.reporting.plan_json import to_json
from tests.reporting import examples

regopy = pytest.importorskip("regopy", reason="no wheel for this platform")
POLICY = Path(__file__).parents[2] / "examples/policy"

# From Terraform's world: https://www.openpolicyagent.org/docs/terraform counts and names changes like this.
FOR_TERRAFORM = """
package terraform.analysis
import rego.v1
resource_types := {"server", "volume"}
resources[resource_type] := all if {
    some resource_type in resource_types
    all := [name | some name in input.resource_changes; name.type == resource_type]
}
num_creates[resource_type] := num if {
    some resource_type in resource_types
    all := resources[resource_type]
    creates := [res | some res in all; "create" in res.change.actions]
    num := count(creates)
}
num_deletes[resource_type] := num if {
    some resource_type in resource_types
    all := resources[resource_type]
    deletions := [res | some res in all; "delete" in res.change.actions]
    num := count(deletions)
}
named contains address if {
    some change in input.resource_changes
    change.mode == "managed"
    change.change.before == null
    address := sprintf("%s=%v", [change.address, change.change.after.name])
}
"""


def asked(query: str, plan: dict[str, Any], module: str) -> Any:
    interpreter = regopy.Interpreter()
    interpreter.add_module("policy", module)
    interpreter.set_input(plan)
    output = interpreter.query(query)
    assert output.ok()  # to print one that is not ends the process
    (found,) = json.loads(str(output))["expressions"]
    return found


def document(plan: Plan, **facts: Any) -> dict[str, Any]:
    return dict(to_json(PlanDocument(plan, plan.made_at + timedelta(hours=1), "north", git_sha="3f2a", **facts)))


def denied(plan: dict[str, Any]) -> list[str]:
    return sorted(asked("data.main.deny", plan, (POLICY / "millpond.rego").read_text()))


def gone(name: str) -> Change:
    return Change(
        examples.address("source_volume", name), "delete", "decommission: true", side=Side.SOURCE, effect=Effect.DELETE, reversible=False
    )


def test_rules_for_terraform_read_the_plan() -> None:
    plan = document(examples.FULL)
    assert asked("data.terraform.analysis.num_creates", plan, FOR_TERRAFORM) == {"server": 3, "volume": 0}
    assert asked("data.terraform.analysis.num_deletes", plan, FOR_TERRAFORM) == {"server": 1, "volume": 0}
    assert "acme/server/web-1=web-1" in asked("data.terraform.analysis.named", plan, FOR_TERRAFORM)


def test_the_policy_denies_what_it_says() -> None:
    assert denied(document(examples.plan(examples.GLOBEX))) == []
    assert denied(document(examples.plan(examples.ACME))) == ["acme/server/db-1 would boot as m2.large: databases keep a flavor db.*"]
    slow = replace(examples.GLOBEX, outage=OutageEstimate((("globex/server/app-1", 701.0),)))
    assert denied(document(examples.plan(slow), dirty=True)) == [
        "globex/server/app-1 would be down for about 701 s, at most 600 are allowed",
        "the plan was made of documents that are not committed",
    ]
    stops = tuple(examples.stop(f"web-{number}") for number in range(51))
    assert denied(document(examples.plan(replace(examples.QUIET, steps=stops)))) == ["the plan stops 51 servers, at most 50 are allowed"]


def test_a_decommissioning_is_reviewed_alone() -> None:
    end = replace(examples.QUIET, steps=(gone("data"),))
    assert denied(document(examples.plan(end))) == []
    prepares = replace(examples.GLOBEX, steps=(replace(examples.lock("app-1"), address=examples.address("server", "app-1", "globex")),))
    assert denied(document(examples.plan(end, prepares))) == [
        "acme/source_volume/data is deleted for good, and the same plan changes globex: decommission in a request of its own"
    ]


def test_what_cannot_be_undone_is_warned_of() -> None:
    policy = (POLICY / "millpond.rego").read_text()
    plan = document(examples.plan(replace(examples.QUIET, steps=(gone("data"),))))
    assert asked("data.main.warn", plan, policy) == ["acme/source_volume/data (delete) cannot be undone"]
