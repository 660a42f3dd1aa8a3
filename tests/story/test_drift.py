"""`drift` in all of its forms, on a tenant that has just moved and after its people changed things."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from millpond.schemas import schema_text
from tests.sandbox.conftest import connect
from tests.story.command import Answer, millpond
from tests.story.stage import Stage
from tests.story.worlds import Moved

INTO = ("--json-into", "d.json", "--markdown-into", "d.md", "--junit-into", "d.xml", "--html-into", "d.html", "--metrics", "d.prom")


@pytest.fixture
def moved(shop_moved: Moved, tmp_path: Path) -> Stage:
    stage = shop_moved.world.stage(tmp_path)
    stage.write()
    return stage


def drift(stage: Stage) -> tuple[Answer, dict[str, str]]:
    """What was printed, and every file by the end of its name."""
    answer = millpond(stage.directory, "drift", *INTO)
    return answer, {path.suffix[1:]: path.read_text() for path in stage.directory.glob("d.*")}


def test_a_tenant_that_has_just_moved_has_none(moved: Stage) -> None:
    """Whatever the target's services filled in by themselves is no drift."""
    with moved.counted() as mutating:
        answer, files = drift(moved)
    assert (answer.code, answer.out, answer.err, mutating) == (0, "No drift.\n", "", [])
    document = json.loads(files["json"])
    Draft202012Validator(json.loads(schema_text("drift"))).validate(document)
    assert (document["resource_drift"], document["lag"], document["errors"]) == ([], [], [])
    assert "\nNo drift. Looked at" in files["md"]
    assert ElementTree.fromstring(files["xml"]).get("failures") == "0"
    assert "<p>No drift.</p>" in files["html"]
    samples = {(s.name, *sorted(s.labels.values())): s.value for f in text_string_to_metric_families(files["prom"]) for s in f.samples}
    assert samples["millpond_drift_objects", "acme", "source"] == samples["millpond_drift_objects", "acme", "target"] == 0
    assert samples["millpond_wave_phase", "acme", "handed over", "handed_over", "rest"] == 1
    assert not [name for name, *_ in samples if name == "millpond_replication_lag_seconds"]


def test_what_people_changed_is_in_every_form(moved: Stage) -> None:
    with connect(moved.sandbox, "target-admin") as cloud:
        servers = {row["name"]: row["id"] for row in moved.rows("target/nova/servers")}
        cloud.compute.update_server(servers["web-2"], name="web-two")
        cloud.compute.delete_server(servers["bobs"])
    moved.sandbox.control.advance(60)
    answer, files = drift(moved)
    assert (answer.code, answer.err) == (2, "")
    found = {item["address"]: item["change"] for item in json.loads(files["json"])["resource_drift"]}
    assert found["acme/server/web-2"] == {"actions": ["update"], "before": {"name": "web-2"}, "after": {"name": "web-two"}}
    assert (found["acme/server/bobs"]["actions"], found["acme/server/bobs"]["after"]) == (["delete"], None)
    failed = {case.get("name") for case in ElementTree.fromstring(files["xml"]).iter("testcase") if case.find("failure") is not None}
    assert failed == found.keys()
    for address in found:
        assert address in answer.out
        assert address in files["md"]
        assert address in files["html"]
    assert f'millpond_drift_objects{{side="target",tenant="acme"}} {len(found)}.0' in files["prom"].splitlines()


def test_both_copies_running_is_told_although_nothing_drifted(moved: Stage) -> None:
    with connect(moved.sandbox, "source-admin") as cloud:
        (id,) = [row["id"] for row in moved.rows("source/nova/servers") if row["name"] == "web-2"]
        cloud.compute.unlock_server(id)
        cloud.compute.start_server(id)
    moved.sandbox.control.advance(60)
    answer, files = drift(moved)
    assert (answer.code, answer.err) == (3, "")
    assert "the server runs on both clouds at once: web-2" in answer.out
    assert answer.out.splitlines()[-1] == "1 blocker of what moves or has moved. No drift."
    document = json.loads(files["json"])
    Draft202012Validator(json.loads(schema_text("drift"))).validate(document)
    assert [check["code"] for check in document["checks"]] == ["both_running"]
    for form in ("md", "xml", "html"):
        assert "the server runs on both clouds at once: web-2" in files[form]
    assert 'millpond_findings{severity="blocker",tenant="acme"} 1.0' in files["prom"].splitlines()
    page = moved.directory / "report.html"
    assert millpond(moved.directory, "report", "-o", str(page)).code == 0
    servers = len(moved.plan().waves[0].servers)
    assert f"<dt>Servers handed over</dt><dd>{servers} of {servers}</dd>" in page.read_text()


def test_what_a_disk_and_a_network_were_given_is_watched_there(moved: Stage) -> None:
    """A key that nobody gave the disk is the tenant's own and no drift."""
    with connect(moved.sandbox, "target-admin") as cloud:
        disks = {row["name"]: row["id"] for row in moved.rows("target/cinder/volumes")}
        url = f"/volumes/{disks['web-1-root']}/action"
        given = {"hw_machine_type": "q35", "hw_rng_model": "virtio"}
        assert cloud.block_storage.post(url, json={"os-set_image_metadata": {"metadata": given}}).ok
        networks = {row["name"]: row["id"] for row in moved.rows("target/neutron/networks")}
        cloud.network.update_network(networks["data"], mtu=1400)
    _, files = drift(moved)
    found = {item["address"]: item["change"] for item in json.loads(files["json"])["resource_drift"]}
    assert found == {
        "acme/volume/web-1-root": {
            "actions": ["update"],
            "before": {"image_metadata.hw_machine_type": "pc"},
            "after": {"image_metadata.hw_machine_type": "q35"},
        },
        "acme/network/data": {"actions": ["update"], "before": {"mtu": 1450}, "after": {"mtu": 1400}},
    }


def test_lag_is_told_and_is_no_drift(stage: Stage) -> None:
    stage.site_spec["replication"] = {"rpo": "1s"}
    stage.write()
    answer = millpond(stage.directory, "drift", "--format", "json")
    document = json.loads(answer.out)
    assert (answer.code, document["resource_drift"]) == (0, [])
    assert [(lag["tenant"], lag["wave"], lag["late"]) for lag in document["lag"]] == [("acme", "rest", True)]
    assert "acme, wave rest  in sync" in millpond(stage.directory, "drift").out


def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(stage: Stage) -> None:
    stage.write()
    stage.sandbox.control.clear_requests()
    answer = millpond(stage.directory, "drift", "--metrics", "nowhere/d.prom")
    assert (answer.code, answer.out) == (1, "")
    assert "A file cannot be written" in answer.err
    assert stage.sandbox.control.requests() == []
