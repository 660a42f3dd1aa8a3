"""A manifest that was removed: its tenant is detached, nothing is deleted, and every plan of all tenants says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

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
    assert "OUTAGE: 3 server(s) of acme are stopped" in str(outage)


def test_documents_that_cannot_be_read_are_no_orphans(stage: Stage) -> None:
    replaced(stage)
    (stage.directory / "tenants/acme.yaml").write_text("{")
    assert orphans(stage) == []


def test_clouds_that_do_not_list_them_are_a_warning(stage: Stage) -> None:
    stage.write()
    stage.sandbox.control.fault(action={"status": 403}, cloud="source", service="keystone", path=r"/projects\?tags=millpond$", count=0)
    assert [orphan["code"] for orphan in orphans(stage)] == ["orphans_not_listed"]
