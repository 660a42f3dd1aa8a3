"""The verbs on simulated clouds, from an empty directory to a tenant that has moved and one that hesitates."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from millpond.reporting.amounts import moment
from tests.cli.calling import Called, call
from tests.sandbox.running import Sandbox, start_sandbox
from tests.story.stage import Stage

TO_TARGET = ("--source-cloud", "source-admin", "--target-cloud", "target-admin", "--target-domain", "customers")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("cli"), scenario="small", speed=120)
    yield running
    running.stop()


def flip(site: Path, before: str, after: str) -> None:
    manifest = site / "tenants/acme.yaml"
    text = manifest.read_text()
    assert before in text
    manifest.write_text(text.replace(before, after, 1))


def test_a_move_from_the_first_discovery_to_the_report(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(sandbox, tmp_path)
    (tmp_path / "tenants/acme.yaml").unlink()

    def millpond(*arguments: str) -> Called:
        return call(capsys, "-C", str(tmp_path), *arguments)

    found = millpond("discover", "acme", *TO_TARGET)
    assert (found.code, found.err) == (0, "")
    assert "acme: 3 servers, 4 volumes of 50 GiB, 1 network" in found.out
    assert f"    millpond -C {tmp_path} plan acme" in found.out.splitlines()
    assert (tmp_path / "schemas/tenant.schema.json").read_text() == millpond("schema", "tenant").out
    assert "is up to date" in millpond("discover").out
    assert millpond("validate").code == 0

    with stage.counted() as mutating:
        assert millpond("plan").code == 0
        planned = millpond("plan", "--detailed-exitcode", "-o", str(tmp_path / "plan.json"))
        assert planned.code == 2
        assert f"    millpond -C {tmp_path} apply {tmp_path / 'plan.json'}" in planned.out.splitlines()
        expires = moment(json.loads((tmp_path / "plan.json").read_text())["expires"])
        assert f"Saved the plan to: {tmp_path / 'plan.json'}, valid until {expires}" in planned.out.splitlines()
        assert json.loads(millpond("plan", "--format", "json").out)["summary"]["destroy"] == 0
        assert millpond("status").code == 0
        assert millpond("drift").code == 0
        assert millpond("report").code == 0
        assert millpond("show", str(tmp_path / "plan.json")).code == 0
    assert mutating == []
    assert not (tmp_path / ".millpond").exists()

    applied = millpond("apply", "--detailed-exitcode")
    assert applied.code in (0, 2), applied.err
    assert "\x1b" not in applied.out
    deadline = time.monotonic() + 30
    while "No changes. Your infrastructure matches the configuration." not in millpond("plan").out.splitlines():
        assert time.monotonic() < deadline
        millpond("apply")
    assert "in sync" in millpond("status").out

    flip(tmp_path, "cutover: false", "cutover: true")
    cut = millpond("plan", "--detailed-exitcode")
    assert cut.code == 2
    assert "What stops, promotes or deletes" in cut.out.splitlines()
    assert "Migration: 1 cutover (3 servers), 0 rollbacks, 0 decommissions; outage about " in cut.out
    moved = millpond("apply")
    assert (moved.code, moved.err) == (0, "")
    assert "Nothing is left to do." in moved.out
    assert "acme/server/db-1" in moved.out[moved.out.index("MEASURED") :]
    assert "handed over" in millpond("status").out
    report = millpond("report").out
    assert "| acme/server/web-1 |" in report
    assert "| server | web-1 | `" in report

    flip(tmp_path, "cutover: true", "cutover: false")
    held = millpond("apply")
    assert held.code == 3
    assert "Blocker: acme/wave/rest holds wave rest" in held.out
    assert "Ready to commit in tenants/acme.yaml, merged into what stands there:" in held.out


def test_a_cloud_that_is_not_configured(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Stage(sandbox, tmp_path)
    (tmp_path / "tenants/acme.yaml").unlink()
    called = call(capsys, "-C", str(tmp_path), "discover", "acme", "--source-cloud", "nowhere", "--target-cloud", "target-admin")
    assert called.code == 1
    assert "nowhere" in called.err
    assert list((tmp_path / "tenants").iterdir()) == []


def test_a_project_that_is_not_there_the_first_time(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Stage(sandbox, tmp_path)
    (tmp_path / "tenants/acme.yaml").unlink()
    called = call(capsys, "-C", str(tmp_path), "discover", "globex", *TO_TARGET)
    told = " ".join(called.err.split())
    assert called.code == 1
    assert "no project called globex in domain Default on cloud source-admin" in told
    assert "--source-cloud, --source-domain and --source-project" in told
    assert "in the manifest" not in told
