import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from millpond.execution.journal import Journal
from millpond.execution.lease import Lease, holders
from millpond.execution.run import Run
from millpond.model.plan_document import PlanDocument
from millpond.planning.digest import plan_digest, tenant_digest
from millpond.reporting.planfile import write_planfile
from millpond.schemas import load_all
from millpond.schemas.definitions import modeline
from tests.cli.calling import call
from tests.reporting import examples

NORTH = Path(__file__).parents[2] / "examples/north"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for array in "AB":
        monkeypatch.setenv(f"IBOX_{array}_PASSWORD", "not asked for")
    shutil.copytree(NORTH, tmp_path / "north")
    return tmp_path / "north"


def saved(path: Path, expires: datetime) -> Path:
    write_planfile(path, PlanDocument(examples.plan(examples.ACME), expires, git_sha="3f2a9c1d8e7f6a5b"))
    return path


def clouds(site: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    """The clouds.yaml of this machine."""
    path = site / "clouds.yaml"
    path.write_text(text)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    return path


def auth(*names: str) -> str:
    return "clouds:\n" + "".join(f"  {name}: {{auth: {{auth_url: http://127.0.0.1:{n}}}}}\n" for n, name in enumerate(names, 1))


def test_validate_counts_what_it_read(site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clouds(site, monkeypatch, auth("rhosp13", "rhosp17", "other"))
    called = call(capsys, "-C", str(site), "validate")
    assert (called.code, called.out) == (0, "Valid: 1 tenant, 3 servers.\n")


def test_validate_says_what_it_could_not_check(site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clouds(site, monkeypatch, auth("devstack"))
    called = call(capsys, "-C", str(site), "validate")
    assert (called.code, called.out.splitlines()[1:]) == (0, ["Not checked: no clouds.yaml of this machine has rhosp13 or rhosp17."])


def test_validate_says_which_passwords_are_not_here(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds(site, monkeypatch, auth("rhosp13", "rhosp17"))
    monkeypatch.delenv("IBOX_A_PASSWORD")
    document = site / "millpond.yaml"
    document.write_text(document.read_text().replace("password_env: IBOX_B_PASSWORD", "password_file: b.password"))
    called = call(capsys, "-C", str(site), "validate")
    assert (called.code, called.out.splitlines()[1:]) == (
        0,
        [
            "Not checked: array ibox-a has no password here, the environment variable IBOX_A_PASSWORD is not set.",
            f"Not checked: array ibox-b has no password here, there is no file {site / 'b.password'}.",
        ],
    )
    (site / "b.password").write_text("secret\n")
    assert "ibox-b" not in call(capsys, "-C", str(site), "validate").out


def test_validate_names_a_cloud_that_is_not_configured(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds(site, monkeypatch, auth("rhosp13", "rhosp18"))
    called = call(capsys, "-C", str(site), "validate")
    assert (called.code, called.out) == (1, "")
    manifest = site / "tenants/acme.yaml"
    line = next(n for n, text in enumerate(manifest.read_text().splitlines(), 1) if "rhosp17" in text)
    said = " ".join(called.err.split())
    assert f"{manifest}:{line}:" in said
    assert "cloud `rhosp17` is not configured" in said
    assert "did you mean `rhosp18`?" in said


def test_two_names_of_one_cloud_are_refused(site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    place = "{auth: {auth_url: http://127.0.0.1:1/v3, username: %s}, region_name: %s}"
    clouds(site, monkeypatch, f"clouds:\n  rhosp13: {place % ('a', 'one')}\n  rhosp17: {place % ('b', 'one')}\n")
    for verb in ("validate", "plan", "apply"):
        called = call(capsys, "-C", str(site), verb)
        assert (called.code, called.out) == (1, "")
        said = " ".join(called.err.split())
        assert f"{site / 'tenants/acme.yaml'}:9:" in said
        assert "source and target are the same cloud: `rhosp13` and `rhosp17` are both http://127.0.0.1:1/v3 region one" in said
        assert "To do: name the cloud that the tenant moves to" in said
    clouds(site, monkeypatch, f"clouds:\n  rhosp13: {place % ('a', 'one')}\n  rhosp17: {place % ('b', 'two')}\n")
    assert call(capsys, "-C", str(site), "validate").code == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("clouds:\n  rhosp13:\n\tauth: {}\n", "it is not valid YAML: found character '\\t' that cannot start any token"),
        ("clouds: [rhosp13]\n", "it is not a mapping of `clouds:`"),
        ("rhosp13\n", "is empty or not a valid mapping"),
    ],
)
def test_a_broken_clouds_yaml_is_not_passed_over(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    path = clouds(site, monkeypatch, text)
    for verb in ("validate", "plan"):
        called = call(capsys, "-C", str(site), verb, "acme")
        assert (called.code, called.out) == (1, "")
        said = " ".join(called.err.split())
        assert "Error: The file of the clouds cannot be read" in said
        assert str(path) in said
        assert why in said


def test_validate_tells_every_problem_with_its_place(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = site / "tenants/acme.yaml"
    manifest.write_text(manifest.read_text().replace("  cutover:", "  cutovr:", 1))
    called = call(capsys, "-C", str(site), "validate")
    assert called.code == 1
    assert f"{manifest}:" in called.err
    assert "cutovr" in called.err


def test_a_tenant_that_is_not_there_is_named(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "-C", str(site), "validate", "acmee")
    assert called.code == 1
    assert "acmee" in called.err


def test_a_wave_that_is_not_there_is_a_misuse(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "-C", str(site), "plan", "--wave", "nonsense")
    assert called.code == 64
    assert "no tenant has a wave 'nonsense'" in called.err


def test_outside_of_a_site_every_verb_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("discover", "validate", "plan", "apply", "status", "drift", "report"):
        called = call(capsys, "-C", str(tmp_path), verb)
        assert (verb, called.code) == (verb, 1)
        assert "there is no site file" in called.err


@pytest.mark.parametrize("kind", ["site", "tenant", "inventory", "plan", "result"])
def test_schema_prints_json(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "schema", kind)
    assert called.code == 0
    assert json.loads(called.out)["$schema"].endswith("2020-12/schema")


def test_schema_writes_all_of_them_where_documents_say_they_lie(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "-C", str(site), "schema", "--write").code == 0
    printed = call(capsys, "schema", "tenant").out
    assert (site / "schemas/tenant.schema.json").read_text() == printed
    assert (site / "tenants" / modeline("tenant").partition("=")[2]).read_text() == printed
    (site / "schemas/site.schema.json").write_text("{}")
    called = call(capsys, "-C", str(site), "schema", "--write")
    assert called.out == f"Wrote {site / 'schemas/site.schema.json'}.\n"
    assert "is up to date" in call(capsys, "-C", str(site), "schema", "--write").out
    for arguments in ([], ["tenant", "--write"]):
        assert call(capsys, "-C", str(site), "schema", *arguments).code == 64


@pytest.mark.parametrize("verb", ["plan", "report"])
def test_a_file_in_no_directory_is_refused_before_anything_is_read(verb: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "-C", str(site), verb, "-o", str(site / "nowhere/x.json"))
    assert called.code == 1
    assert "its directory does not exist" in called.err
    assert not (site / "nowhere").exists()


def test_show_reads_a_saved_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path / "plan.json", examples.NOON + timedelta(hours=1))
    called = call(capsys, "show", str(path))
    assert called.code == 0
    assert "Plan: 4 to add, 4 to change, 1 to destroy." in called.out.splitlines()
    assert "Made at 2026-12-01 12:00:00 UTC of commit 3f2a9c1d8e7f; expires at 2026-12-01 13:00:00 UTC." in called.out
    as_json = call(capsys, "show", "--format", "json", str(path))
    assert as_json.out == path.read_text()


def test_show_of_what_is_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plan.json").write_text('{"format_version": "2.0"}')
    called = call(capsys, "show", str(tmp_path / "plan.json"))
    assert called.code == 1
    assert "the plan has format 2.0" in called.err


def test_a_saved_plan_that_is_not_there(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("show", "apply"):
        called = call(capsys, "-C", str(site), verb, "nofile.json")
        assert (called.code, called.out) == (1, "")
        assert called.err.startswith("Error: There is no such saved plan\n  Where: nofile.json\n")
        assert "To do: Correct its name, or make the plan and save it:" in called.err
        assert called.err.endswith(f"\n    millpond -C {site} plan -o plan.json\n")


def test_a_manifest_is_no_saved_plan(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "-C", str(site), "show", str(site / "tenants/acme.yaml"))
    assert (called.code, called.out) == (1, "")
    assert called.err.startswith("Error: This is no saved plan that can be read: 1 problem\n")
    assert "To do: make it again with `millpond plan -o plan.json`" in " ".join(called.err.split())


def test_apply_of_a_plan_of_other_documents_is_stale(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(site / "plan.json", datetime.now(UTC) + timedelta(hours=1))
    called = call(capsys, "-C", str(site), "apply", str(path))
    assert called.code == 4
    assert "The saved plan is stale" in called.err


def test_apply_with_another_digest_is_stale(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "-C", str(site), "apply", "--expect-digest", f"sha256:{'0' * 64}")
    assert called.code == 4
    assert called.err.startswith("Error: The documents have another digest than was expected\n")
    assert "plan is stale" not in called.err
    _, (desired,) = load_all(site)
    said = " ".join(called.err.split())
    assert f"expected: sha256:{'0' * 64}" in said
    assert f"now: {plan_digest([tenant_digest(desired)])}" in said
    assert f"acme: {tenant_digest(desired)}" in said


@pytest.mark.parametrize("text", ["sha256:123", "0" * 64, f"sha256:{'g' * 64}", f"sha256:{'0' * 65}", f"sha256:{'0' * 64}\n"])
def test_what_is_no_digest_is_a_misuse(text: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "-C", str(site), "apply", "--expect-digest", text)
    assert called.code == 64
    assert "is no digest: one is `sha256:` and 64 hexadecimal digits" in " ".join(called.err.split())


def test_unlock_says_where_the_run_is_named(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "-C", str(site), "unlock", "acme")
    assert called.code == 64
    assert "name the run that died with --run ID; `millpond status acme` tells which one works on it" in " ".join(called.err.split())


def test_unlock_frees_a_tenant(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal.open("", site)
    with Lease(journal.engine, "acme", Run("run-1", "ada@runner-1", "", "", "0.1.0", datetime.now(UTC)), beat=60):
        refused = call(capsys, "-C", str(site), "unlock", "acme", "--run", "run-2")
        assert refused.code == 1
        assert "acme is leased to run run-1 of ada@runner-1" in refused.err
        called = call(capsys, "-C", str(site), "unlock", "acme", "--run", "run-1")
        assert called.code == 0
        assert called.out.splitlines()[-1] == f"    millpond -C {site} apply acme"
        assert holders(journal.engine) == {}


def test_a_first_discovery_needs_both_clouds(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["globex"],
        ["globex", "--source-cloud", "old"],
        ["globex", "initech", "--source-cloud", "old", "--target-cloud", "new"],
        ["globex", "--source-cloud", "old", "--target-cloud", "old"],
    ):
        called = call(capsys, "-C", str(site), "discover", *arguments)
        assert (arguments, called.code) == (arguments, 64)
    known = call(capsys, "-C", str(site), "discover", "acme", "--source-cloud", "old")
    assert known.code == 64
    assert "for a tenant without a manifest" in known.err


def test_what_takes_a_first_tenant_in_is_told_in_full(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = "millpond discover globex --source-cloud NAME --target-cloud NAME"
    for path in (site / "tenants").iterdir():
        path.unlink()
    planned = " ".join(call(capsys, "-C", str(site), "plan", "globex").err.split())
    assert f"run `{first}`" in planned
    again = call(capsys, "-C", str(site), "discover", "globex", "--source-cloud", "old")
    assert again.code == 64
    assert f"    millpond -C {site} discover globex --source-cloud old --target-cloud NAME" in again.err.splitlines()
    unnamed = call(capsys, "-C", str(site), "discover")
    assert f"    millpond -C {site} discover NAME --source-cloud NAME --target-cloud NAME" in unnamed.err.splitlines()
    (site / "tenants").rmdir()
    assert first.replace("globex", "NAME") in " ".join(call(capsys, "-C", str(site), "validate").err.split())


def test_millpond_is_a_module_that_can_be_run() -> None:
    ran = subprocess.run([sys.executable, "-m", "millpond", "--version"], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout.startswith("millpond")


def test_the_sandbox_says_what_to_install() -> None:
    program = """
import sys
sys.modules["aiohttp"] = None
from millpond.cli.main import cli, run
sys.exit(run(cli, ["sandbox", "--dir", "x"]))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ)
    assert ran.returncode == 1
    assert "    pip install 'millpond[sandbox]'" in ran.stderr.splitlines()


def test_the_sandbox_is_a_process_of_its_own() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "millpond.cli.main", "sandbox", "--help"], capture_output=True, text=True, check=True, env=os.environ
    )
    assert ran.stdout.startswith("usage: millpond sandbox")
