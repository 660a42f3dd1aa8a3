"""A manifest that was removed: its tenant is detached, nothing is deleted, and every plan of all tenants says so."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from millpond.reporting.summary import NO_CHANGES
from tests.story.command import millpond
from tests.story.stage import Stage


def replaced(stage: Stage) -> None:
    """The site's only manifest now names a project that nothing was done to."""
    stage.write()
    tenants = stage.directory / "tenants"
    for ending in ("yaml", "inventory.yaml"):
        document = yaml.safe_load((tenants / f"acme.{ending}").read_text())
        document["metadata"]["name"] = "other"
        (tenants / f"other.{ending}").write_text(yaml.safe_dump(document))
        (tenants / f"acme.{ending}").unlink()
    _edit(tenants / "other.inventory.yaml", lambda document: document["spec"]["project"].update(id="f" * 32, name="other"))
    _edit(tenants / "other.yaml", lambda document: [document["spec"][side].update(project="other") for side in ("source", "target")])


def _edit(path: Path, change: Any) -> None:
    document = yaml.safe_load(path.read_text())
    change(document)
    path.write_text(yaml.safe_dump(document))


def orphans(stage: Stage, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(millpond(stage.directory, "plan", "--format", "json", *words).out)["orphans"]
    return found


def test_what_a_removed_manifest_left_is_in_every_plan_of_all_tenants(stage: Stage) -> None:
    assert orphans(stage) == []
    replaced(stage)
    assert [orphan["code"] for orphan in orphans(stage)] == ["orphan", "orphan"]
    assert orphans(stage, "other") == []
    told = millpond(stage.directory, "plan").out
    assert "Orphans (no manifest names them; nothing is done to them)" in told


def test_one_in_the_middle_of_a_cut_is_an_outage(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.sandbox.control.fault(action={"status": 400}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    stage.apply()
    replaced(stage)
    stage.sandbox.control.clear_faults()
    outage = next(orphan for orphan in orphans(stage) if orphan["code"] == "orphan_in_outage")
    assert "OUTAGE: 3 servers of acme are stopped" in str(outage)


def test_documents_that_cannot_be_read_are_no_orphans(stage: Stage) -> None:
    replaced(stage)
    (stage.directory / "tenants/acme.yaml").write_text("{")
    assert orphans(stage) == []


def test_clouds_that_do_not_list_them_are_a_warning(stage: Stage) -> None:
    stage.write()
    stage.sandbox.control.fault(action={"status": 403}, cloud="source", service="keystone", path=r"/projects\?tags=millpond$", count=0)
    assert [orphan["code"] for orphan in orphans(stage)] == ["orphans_not_listed"]


@pytest.fixture
def without_manifest(stage: Stage) -> Stage:
    """Killed by a fault with its servers down, and then the only manifest of the site was removed."""
    stage.manifest["cutover"] = True
    stage.sandbox.control.fault(action={"status": 400}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    stage.apply()
    stage.sandbox.control.clear_faults()
    for path in (stage.directory / "tenants").iterdir():
        path.unlink()
    return stage


@pytest.mark.parametrize(("verb", "code"), [("plan", 0), ("status", 0), ("apply", 3)])
def test_the_last_manifest_that_was_removed_is_told_with_what_it_left(without_manifest: Stage, verb: str, code: int) -> None:
    answer = millpond(without_manifest.directory, verb)
    assert (answer.code, "OUTAGE: 3 servers of acme are stopped" in answer.out) == (code, True)
    told = " ".join(answer.out.split())
    assert "no tenant has a manifest" in told
    assert "clouds that this machine knows (source-admin, target-admin), and on no other" in told
    assert NO_CHANGES not in answer.out
    assert "Nothing is left" not in answer.out


def test_without_a_manifest_no_form_says_that_all_is_well(without_manifest: Stage) -> None:
    directory = without_manifest.directory
    found = json.loads(millpond(directory, "plan", "--format", "json").out)
    assert [orphan["code"] for orphan in found["orphans"]] == ["orphan_in_outage", "orphan", "no_manifest"]
    assert found["summary"]["quiet"] is False
    assert millpond(directory, "plan", "--detailed-exitcode").code == 3
    assert "No tenant has a manifest" in millpond(directory, "plan", "--format", "markdown").out
    assert "OUTAGE" in millpond(directory, "apply", "--format", "markdown").out
    assert json.loads(millpond(directory, "apply", "--format", "json").out)["held"] is True
    for form in ("text", "markdown", "html"):
        drift = millpond(directory, "drift", "--format", form).out
        assert "Nothing was compared: no tenant has a manifest." in drift
        assert "No drift" not in drift


def test_clouds_that_nobody_knows_are_not_said_to_be_without_orphans(without_manifest: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    config = yaml.safe_load(Path(os.environ["OS_CLIENT_CONFIG_FILE"]).read_text())
    for cloud in config["clouds"].values():
        cloud["auth"]["password"] = "wrong"
    other = without_manifest.directory / "clouds.yaml"
    other.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(other))
    codes = [orphan["code"] for orphan in orphans(without_manifest)]
    assert codes == ["orphans_not_listed", "orphans_not_listed", "no_manifest"]
    assert "not looked for" in millpond(without_manifest.directory, "status").out
