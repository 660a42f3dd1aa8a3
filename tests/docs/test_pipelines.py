"""The pipelines to copy: valid by what their hosts publish, and keeping the promises that their comments make."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_config, load_manifest

from millpond.errors import LeaseHeld
from tests.pipelines.shell import bash

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
WORKFLOWS = sorted((EXAMPLES / "github").glob("*.yml"))
GITLAB = EXAMPLES / "gitlab/gitlab-ci.yml"
BITBUCKET = EXAMPLES / "bitbucket/bitbucket-pipelines.yml"
CHANGING = ("millpond apply ", "millpond unlock ", "millpond discover ")


def checked(schema: str, *words: str) -> str:
    """What check-jsonschema says; empty if it has nothing to say. The schemas come with it: no network is asked."""
    command = [sys.executable, "-m", "check_jsonschema", "--quiet", "--builtin-schema", schema, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"exit {done.returncode}: {done.stdout}{done.stderr}"


def workflow(path: Path) -> dict[Any, Any]:
    return dict(yaml.safe_load(path.read_text()))


def steps(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(job, step) of a GitHub workflow."""
    for job in workflow(path)["jobs"].values():
        for step in job["steps"]:
            yield job, step


def jobs_of_gitlab() -> dict[str, dict[str, Any]]:
    document = yaml.safe_load(GITLAB.read_text())
    jobs = {name: job for name, job in document.items() if isinstance(job, dict) and "script" in job}
    return {name: {**document.get(job.get("extends", ""), {}), **job} for name, job in jobs.items()}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_are_what_github_takes(path: Path) -> None:
    assert checked("vendor.github-workflows", str(path)) == ""


def test_the_pipeline_is_what_gitlab_takes() -> None:
    assert checked("vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(GITLAB)) == ""


def test_the_pipeline_is_what_bitbucket_takes() -> None:
    assert checked("vendor.bitbucket-pipelines", str(BITBUCKET)) == ""


def test_bitbucket_uses_an_environment_once_in_a_pipeline() -> None:
    """It refuses a second step in the same one; credentials of clouds are in no other place."""
    kinds = yaml.safe_load(BITBUCKET.read_text())["pipelines"]
    for pipeline in (pipeline for kind in kinds.values() for pipeline in kind.values()):
        steps_of = [step for item in pipeline for kind, step in item.items() if kind != "variables"]
        used = [step["deployment"] for step in steps_of if "deployment" in step]
        assert len(used) == len(set(used))
        for step in steps_of:
            changing = [line for line in step["script"] if any(words in line for words in CHANGING)]
            assert all(line.startswith("exec millpond apply ") for line in changing)
            assert not changing or step["deployment"] in ("millpond-apply", "millpond-decommission")
            assert ("deployment" in step) == any("CLOUDS_YAML" in line for line in step["script"])


def test_a_mistake_would_be_seen(tmp_path: Path) -> None:
    for schema, text in (
        ("vendor.github-workflows", "on: push\njobs: {a: {steps: 3}}"),
        ("vendor.gitlab-ci", "a: {script: 3}"),
        ("vendor.bitbucket-pipelines", "pipelines: {default: 3}"),
    ):
        (tmp_path / "wrong.yml").write_text(text)
        assert checked(schema, str(tmp_path / "wrong.yml")).startswith("exit 1:")


def test_the_hook_is_what_pre_commit_takes() -> None:
    (hook,) = load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    config = load_config(str(EXAMPLES / "pre-commit/.pre-commit-config.yaml"))
    assert [used["id"] for repo in config["repos"] for used in repo["hooks"]] == [hook["id"]]
    wanted = {
        "millpond.yaml": True,
        "tenants/acme.yaml": True,
        "tenants/acme.inventory.yaml": True,
        "README.md": False,
        "a/millpond.yaml": False,
    }
    assert {path: bool(re.search(hook["files"], path)) for path in wanted} == wanted


def test_the_hook_runs(tmp_path: Path) -> None:
    (hook,) = load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    program, *words = hook["entry"].split()
    command = [str(Path(sys.executable).with_name(program)), *words]
    known = {"OS_CLIENT_CONFIG_FILE": "clouds.yaml", "IBOX_A_PASSWORD": "x", "IBOX_B_PASSWORD": "x"}
    good = subprocess.run(command, cwd=EXAMPLES / "north", capture_output=True, text=True, check=False, env={**os.environ, **known})
    assert (good.returncode, good.stdout) == (0, "Valid: 1 tenant, 3 servers.\n")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_changes_clouds_is_run_by_exec_and_never_cancelled(path: Path) -> None:
    for _, step in steps(path):
        for line in step.get("run", "").splitlines():
            if any(words in line for words in CHANGING):
                assert line.strip().startswith("exec millpond apply ")
                assert workflow(path)["concurrency"]["cancel-in-progress"] is False
                assert "pull_request" not in workflow(path)[True]


def test_no_run_takes_the_place_of_another_kind_that_waits() -> None:
    """Of the runs that wait in a group GitHub keeps the newest:
    https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency."""
    groups = {path.stem: workflow(path)["concurrency"]["group"] for path in WORKFLOWS if "concurrency" in workflow(path)}
    assert groups == {
        "millpond-plan": "millpond-plan-${{ github.event.pull_request.number }}",
        "millpond-apply": "millpond-apply-${{ github.event_name }}",
        "millpond-decommission": "millpond-decommission-${{ inputs.tenant }}",
    }


LEASED = {"summary": LeaseHeld.summary}
OTHER = {"summary": "A call failed"}


@pytest.mark.skipif(shutil.which("jq") is None, reason="the step uses jq, as its image has it")
@pytest.mark.parametrize(
    ("event", "result", "green"),
    [
        ("push", {"state": "held"}, True),
        ("push", {"state": "failed", "errors": [LEASED]}, False),
        ("schedule", {"state": "failed", "errors": [LEASED]}, True),
        ("schedule", {"state": "outage in progress", "errors": [LEASED]}, True),
        ("schedule", {"state": "outage in progress"}, False),
        ("schedule", {"state": "failed", "errors": [LEASED, OTHER]}, False),
        ("schedule", {"state": "failed", "errors": [LEASED], "outcomes": [{"result": "failed"}]}, False),
        ("schedule", {"state": "interrupted", "errors": [LEASED], "interrupted": True}, False),
        ("schedule", None, False),
    ],
)
def test_what_is_held_or_at_work_elsewhere_is_no_failure(event: str, result: dict[str, Any] | None, green: bool, tmp_path: Path) -> None:
    (script,) = [step["run"] for _, step in steps(EXAMPLES / "github/millpond-apply.yml") if step.get("name") == "Judge"]
    if result is not None:
        (tmp_path / "result.json").write_text(json.dumps({"errors": [], "outcomes": [], "interrupted": False, **result}))
    (tmp_path / "comment.md").write_text("### Plan of `story`\n")
    ran = bash(script, tmp_path, {"OUTCOME": "failure", "EVENT": event, "PATH": os.environ["PATH"]}, tmp_path / "temp")
    assert ran.code == (0 if green else 1), ran.text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_job_holds_both_clouds_and_a_token_that_writes(path: Path) -> None:
    assert workflow(path)["permissions"] == {"contents": "read"}
    for job, step in steps(path):
        holds_secrets = any("secrets." in str(value) for value in step.get("env", {}).values())
        assert not (holds_secrets and "write" in job.get("permissions", {}).values())
        assert not holds_secrets or job["environment"].startswith("millpond-")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_from_outside_becomes_shell(path: Path) -> None:
    assert [step["run"] for _, step in steps(path) if "${{" in step.get("run", "")] == []
    assert not re.search(r"pull_request_target|set -x", path.read_text())


def test_each_kind_of_work_has_an_environment_of_its_own() -> None:
    found = {path.stem: {job.get("environment", "") for job, _ in steps(path)} - {""} for path in WORKFLOWS}
    assert found == {
        "millpond-plan": {"millpond-read"},
        "millpond-drift": {"millpond-read"},
        "millpond-apply": {"millpond-apply"},
        "millpond-decommission": {"millpond-decommission"},
    }
    gitlab = {name: job["environment"]["name"] for name, job in jobs_of_gitlab().items()}
    assert gitlab == {
        "plan": "millpond-read",
        "drift": "millpond-read",
        "comment": "millpond-comment",
        "result": "millpond-comment",
        "reviewed": "millpond-comment",
        "apply": "millpond-apply",
        "decommission": "millpond-decommission",
    }


def test_gitlab_interrupts_no_apply_and_runs_one_at_a_time() -> None:
    for name, job in jobs_of_gitlab().items():
        changing = any(words in line for line in job["script"] for words in CHANGING)
        assert changing == (name in ("apply", "decommission"))
        if changing:
            assert (job["interruptible"], job["resource_group"]) == (False, "millpond")
            assert job["script"][-1].startswith("exec millpond apply ")


def test_atlantis_runs_a_known_workflow_by_known_keys() -> None:
    """By the keys of https://www.runatlantis.io/docs/server-side-repo-config.html and repo-level-atlantis-yaml.html."""
    server = yaml.safe_load((EXAMPLES / "atlantis/repos.yaml").read_text())
    repository = yaml.safe_load((EXAMPLES / "atlantis/atlantis.yaml").read_text())
    assert set(server) <= {"repos", "workflows", "policies", "metrics", "team_authz"}
    assert {key for repo in server["repos"] for key in repo} <= {
        "id", "branch", "repo_config_file", "plan_requirements", "apply_requirements", "import_requirements", "workflow", "allowed_overrides",
        "allowed_workflows", "allow_custom_workflows", "delete_source_branch_on_merge", "repo_locks", "policy_check", "autodiscover",
    }  # fmt: skip
    assert set(repository) <= {
        "version",
        "automerge",
        "delete_source_branch_on_merge",
        "parallel_plan",
        "parallel_apply",
        "projects",
        "workflows",
    }
    assert {repo["workflow"] for repo in server["repos"]} == set(server["workflows"])
    assert "--checkout-strategy=merge" in (EXAMPLES / "atlantis/repos.yaml").read_text(), "else `undiverged` holds nothing"
    for name, stage in server["workflows"]["millpond"].items():
        assert name in ("plan", "policy_check", "apply", "import", "state_rm")
        for step in stage["steps"]:
            assert step == "policy_check" or (isinstance(step, dict) and set(step) <= {"run", "env"}), step


def test_the_server_of_atlantis_takes_what_the_repository_says() -> None:
    """A key that is to be allowed is refused where the server does not allow it:
    https://www.runatlantis.io/docs/server-side-repo-config.html#reference, `allowed_overrides`."""
    (server,) = yaml.safe_load((EXAMPLES / "atlantis/repos.yaml").read_text())["repos"]
    to_be_allowed = {
        "workflow", "plan_requirements", "apply_requirements", "import_requirements", "delete_source_branch_on_merge", "repo_locking",
        "repo_locks", "policy_check",
    }  # fmt: skip
    for project in yaml.safe_load((EXAMPLES / "atlantis/atlantis.yaml").read_text())["projects"]:
        assert project.keys() & to_be_allowed <= set(server["allowed_overrides"])


def test_the_container_is_made_of_files_that_are_there() -> None:
    lines = re.sub(r"\\\n\s*", "", (EXAMPLES / "Containerfile").read_text()).splitlines()
    orders = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    assert {order for order, _ in orders} <= {"FROM", "RUN", "COPY", "USER", "WORKDIR", "CMD"}
    copied = [word for order, rest in orders if order == "COPY" for word in rest.split()[:-1] if not word.startswith("--")]
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
    for order, rest in orders:
        if order == "RUN":
            assert subprocess.run(["sh", "-n", "-c", rest], check=False).returncode == 0
    assert orders.index(["USER", "millpond"]) > max(n for n, (order, _) in enumerate(orders) if order in ("RUN", "COPY"))


def test_the_script_that_comments_needs_python_alone() -> None:
    imports = re.findall(r"^(?:import|from) (\w+)", (EXAMPLES / "put-comment").read_text(), re.MULTILINE)
    assert set(imports) <= sys.stdlib_module_names
    assert (EXAMPLES / "put-comment").stat().st_mode & 0o111
