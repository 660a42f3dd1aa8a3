"""Several tenants in one site: what is wrong with one does not keep the others."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.story.command import millpond
from tests.story.stage import SOURCE, TARGET, Stage

OTHER = "tenants/other.yaml"


def other(stage: Stage, **spec: Any) -> None:
    """A second tenant beside acme, whose project is not there."""
    stage.write()
    inventory = yaml.safe_load((stage.directory / "tenants/acme.inventory.yaml").read_text())
    inventory["metadata"]["name"] = "other"
    (stage.directory / "tenants/other.inventory.yaml").write_text(yaml.safe_dump(inventory))
    manifest = {
        "apiVersion": "millpond.dev/v1",
        "kind": "Tenant",
        "metadata": {"name": "other"},
        "spec": {"source": {**SOURCE, "project": "gone"}, "target": {**TARGET, "project": "other"}, **spec},
    }
    (stage.directory / OTHER).write_text(yaml.safe_dump(manifest))


def planned(stage: Stage, *words: str) -> dict[str, Any]:
    answer = millpond(stage.directory, "plan", "--format", "json", *words)
    assert (answer.code, answer.err) == (1, "")
    document: dict[str, Any] = json.loads(answer.out)
    assert (document["errored"], document["applyable"], document["complete"]) == (True, False, False)
    assert [tenant["tenant"] for tenant in document["tenants"]] == ["acme"]
    assert [error["tenant"] for error in document["errors"]] == ["other"]
    return document


def test_a_cloud_that_is_not_configured_concerns_its_tenant_alone(stage: Stage) -> None:
    other(stage, source={**SOURCE, "cloud": "nowhere"})
    assert "nowhere" in planned(stage)["errors"][0]["summary"]
    answer = millpond(stage.directory, "plan")
    assert answer.code == 1
    assert "Error: other was not planned: A cloud is not configured" in answer.out
    for verb in ("status", "drift"):
        assert millpond(stage.directory, verb).code == 1
    assert millpond(stage.directory, "plan", "acme").code == 0


def test_documents_that_contradict_concern_their_tenant_alone(stage: Stage) -> None:
    other(stage, waves=[{"name": "pilot", "servers": ["nobody"]}])
    summary = planned(stage)["errors"][0]["summary"]
    assert "tenants/other.yaml:" in summary
    assert "nobody" in summary
    alone = millpond(stage.directory, "plan", "other")
    assert (alone.code, alone.out) == (1, "")
    assert "Error: The documents are not valid" in alone.err


def test_a_plan_with_errors_is_shown_but_not_applied(stage: Stage) -> None:
    other(stage, source={**SOURCE, "cloud": "nowhere"})
    assert millpond(stage.directory, "plan", "-o", "plan.json").code == 1
    shown = millpond(stage.directory, "show", "plan.json")
    assert "other was not planned" in shown.out
    with stage.counted() as mutating:
        answer = millpond(stage.directory, "apply", "plan.json")
    assert (answer.code, answer.out, mutating) == (1, "", [])
    assert answer.err.startswith("Error: The saved plan cannot be applied\n")
    assert "other was not planned" in " ".join(answer.err.split())


def test_a_plan_with_blockers_is_shown_but_not_applied(stage: Stage) -> None:
    stage.site_spec = {"brakes": {"servers_stopped": 2}}
    stage.manifest["cutover"] = True
    stage.write()
    assert millpond(stage.directory, "plan", "-o", "plan.json").code == 0
    assert json.loads((stage.directory / "plan.json").read_text())["applyable"] is False
    with stage.counted() as mutating:
        answer = millpond(stage.directory, "apply", "plan.json")
    assert (answer.code, answer.out, mutating) == (3, "", [])
    assert "the wave stops 3 servers, the brake allows 2" in " ".join(answer.err.split())


def test_invalid_documents_of_one_tenant_do_not_keep_the_others_from_being_applied(stage: Stage) -> None:
    other(stage, waves=[{"name": "pilot", "servers": ["nobody"]}])
    stage.manifest["cutover"] = True
    stage.write()
    answer = millpond(stage.directory, "apply")
    assert answer.code == 1
    assert {row["vm_state"] for row in stage.rows("target/nova/servers")} == {"active"}
    told = " ".join(answer.err.split())
    assert "other Error: The documents are not valid" in told
    assert "tenants/other.yaml:" in told
    with stage.counted() as mutating:
        assert millpond(stage.directory, "apply", "other").code == 1
    assert mutating == []
