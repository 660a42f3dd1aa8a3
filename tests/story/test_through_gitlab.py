"""The GitLab pipeline and the Atlantis workflow of the examples: a cutover through a request, and its revert."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from millpond.execution.journal import Journal
from millpond.execution.lease import holders
from tests.pipelines.code_host import TOKEN, CodeHost
from tests.pipelines.gitlab import Pipelines
from tests.pipelines.repository import Repository, git
from tests.pipelines.shell import EXAMPLES, Ran, bash, calls, programs
from tests.pipelines.site import MANIFEST, block, decommissioned, merge_into_manifest, reading, secrets
from tests.reporting.test_markdown import live
from tests.sandbox.running import Sandbox
from tests.story.worlds import rename_a_server

jq = pytest.mark.skipif(shutil.which("jq") is None, reason="the pipeline uses jq, as its image has it")


@pytest.fixture
def pipelines(repository: Repository, host: CodeHost, small: Sandbox, tmp_path: Path) -> Pipelines:
    variables = {"millpond-read": reading(small), **dict.fromkeys(("millpond-apply", "millpond-decommission"), secrets(small))}
    variables["millpond-comment"] = {"COMMENT_TOKEN": TOKEN}
    return Pipelines(repository, host, tmp_path / "runner", variables)


def flip(repository: Repository, branch: str) -> None:
    path = repository.clone / MANIFEST
    path.write_text(path.read_text().replace("cutover: false", "cutover: true"))
    repository.commit("Move acme", branch)


def running(sandbox: Sandbox, cloud: str) -> int:
    return sum(row["vm_state"] == "active" for row in sandbox.control.dump()[f"{cloud}/nova/servers"])


def passed(jobs: dict[str, Ran]) -> list[str]:
    assert all(job.code == 0 for job in jobs.values()), "\n".join(f"== {name}\n{job.text}" for name, job in jobs.items())
    return list(jobs)


@jq
def test_a_tenant_moves_by_a_merge_and_is_held_by_a_revert(
    repository: Repository, pipelines: Pipelines, host: CodeHost, small: Sandbox
) -> None:
    flip(repository, "move-acme")
    host.say(1, "mallory", "<!-- millpond:story -->\nmine")
    host.say(1, "ada", "Move acme")
    small.control.clear_requests()
    assert passed(pipelines.run("merge_request_event", "move-acme", CI_MERGE_REQUEST_IID="1")) == ["plan", "comment"]
    assert small.control.mutating() == []
    plan = host.comment(1).body
    assert "Migration: 1 cutover (3 servers), 0 rollbacks, 0 decommissions; outage about " in plan
    assert live(plan) == []
    counts = json.loads(pipelines.artifacts["widget.json"].read_text())
    assert f"Plan: {counts['create']} to add, {counts['update']} to change, {counts['delete']} to destroy." in plan

    merge = repository.merge("move-acme")
    host.merged[merge] = 1
    assert passed(pipelines.run("push", "main")) == ["reviewed", "apply", "result"]
    (applied,) = calls(pipelines.home / "bin", "apply")
    assert f" --expect-digest {digest_in(plan)} " in applied
    result = host.comment(1)
    assert (result.edits, host.requests[1][0].body) == (1, "<!-- millpond:story -->\nmine"), "somebody else's comment is left alone"
    assert re.search(r"^\| `acme/server/\S+` \| \d.* \| \d.* \|$", result.body, re.MULTILINE)
    assert result.body.endswith("\nMain leads where the plan on this request led.\n")
    assert (running(small, "target"), running(small, "source")) == (3, 0)

    host.say(2, "ada", "Too early")
    repository.revert(merge, "not-yet")
    assert passed(pipelines.run("merge_request_event", "not-yet", CI_MERGE_REQUEST_IID="2")) == ["plan", "comment"]
    assert "#### Held\n" in host.comment(2).body
    host.merged[repository.merge("not-yet")] = 2
    small.control.clear_requests()
    jobs = pipelines.run("push", "main")
    assert {name: job.code for name, job in jobs.items()} == {"reviewed": 0, "apply": 3, "result": 0}, "held is no failure there"
    assert small.control.mutating() == []
    assert "### Apply of `story` at commit " in host.comment(2).body


@jq
def test_a_main_that_moved_meanwhile_is_told_in_the_result(repository: Repository, pipelines: Pipelines, host: CodeHost) -> None:
    path = repository.clone / MANIFEST
    path.write_text(f"# checked by ada\n{path.read_text()}")
    repository.commit("Sign acme", "signed")
    assert passed(pipelines.run("merge_request_event", "signed", CI_MERGE_REQUEST_IID="1")) == ["plan", "comment"]
    planned = digest_in(host.comment(1).body)
    git(repository.clone, "checkout", "-q", "main")
    path.write_text(f"{path.read_text()}  quotas: {{cores: 60}}\n")
    repository.commit("Give acme more cores")
    host.merged[repository.merge("signed")] = 1
    pipelines.run("push", "main")
    (tenant,) = json.loads(pipelines.artifacts["result.json"].read_text())["tenants"]
    applied = tenant["digest"]
    assert applied != planned
    assert "--expect-digest" not in calls(pipelines.home / "bin", "apply")[-1], "main is applied nevertheless"
    said = f"\nMain leads elsewhere than the plan on this request, since it had moved: to `{applied}`, not `{planned}`.\n"
    assert host.comment(1).body.endswith(said)
    assert live(host.comment(1).body) == []

    path.write_text(path.read_text().replace("cores: 60", "cores: 70"))
    host.merged[repository.commit("Give acme yet more cores")] = 2
    assert passed(pipelines.run("push", "main")) == ["reviewed", "apply", "result"]
    assert "### Apply of `story` at commit `" in host.comment(2).body
    assert " leads " not in host.comment(2).body, "nothing was reviewed, and what was told on the earlier request is not told again"


def test_what_was_reviewed_is_read_from_our_own_comment_alone(repository: Repository, pipelines: Pipelines, host: CodeHost) -> None:
    plan = f"<!-- millpond:story -->\n### Plan of `story`\n\nMade at noon. Digest of acme: `sha256:{'0' * 64}`.\n"
    host.say(1, "mallory", plan)
    host.merged[git(repository.clone, "rev-parse", "HEAD")] = 1
    assert pipelines.run("push", "main")["reviewed"].code == 0
    assert pipelines.artifacts["reviewed.txt"].read_text() == "\n"
    assert "reviewed.md" not in pipelines.artifacts
    host.requests[1][0].author = "github-actions[bot]"
    pipelines.run("push", "main")
    assert pipelines.artifacts["reviewed.txt"].read_text() == f"sha256:{'0' * 64}\n"


def digest_in(comment: str) -> str:
    (found,) = re.findall(r"Digest of acme: `(sha256:[0-9a-f]{64})`", comment)
    return str(found)


@jq
def test_what_cannot_be_planned_is_told_on_the_request(repository: Repository, pipelines: Pipelines, host: CodeHost) -> None:
    path = repository.clone / MANIFEST
    path.write_text(path.read_text().replace("cutover:", "cutovr:"))
    repository.commit("Move acme", "typo")
    jobs = pipelines.run("merge_request_event", "typo", CI_MERGE_REQUEST_IID="1")
    assert {name: job.code for name, job in jobs.items()} == {"plan": 1, "comment": 0}
    assert "cutovr" in host.comment(1).body
    assert live(host.comment(1).body) == []


@jq
def test_the_schedules_of_the_night_and_of_every_quarter(pipelines: Pipelines, host: CodeHost, small: Sandbox) -> None:
    assert passed(pipelines.run("schedule", "main", MILLPOND_JOB="drift")) == ["drift"]
    assert pipelines.artifacts["drift.xml"].read_text().startswith("<?xml")
    small.control.clear_requests()
    assert passed(pipelines.run("schedule", "main", MILLPOND_JOB="apply")) == ["apply", "result"]
    assert (small.control.mutating(), host.requests) == ([], {})
    rename_a_server(small, "source")
    (drift,) = pipelines.run("schedule", "main", MILLPOND_JOB="drift").values()
    assert drift.code == 2, "the job fails, and whoever watches the schedule is told"
    assert "acme/server/web-1" in drift.text
    for kept in ("drift.html", "drift.xml"):
        assert "acme/server/web-1" in pipelines.artifacts[kept].read_text()


@jq
def test_what_the_schedule_cut_over_is_told_on_the_request_that_asked_for_it_and_ends_by_hand(
    repository: Repository, pipelines: Pipelines, host: CodeHost, small: Sandbox
) -> None:
    flip(repository, "move-acme")
    host.say(1, "ada", "Move acme")
    host.merged[repository.merge("move-acme")] = 1
    (repository.clone / "README.md").write_text("Who pays: the network team.\n")
    git(repository.clone, "add", "-f", "README.md")
    host.merged[repository.commit("Say who pays")] = 2
    assert passed(pipelines.run("schedule", "main", MILLPOND_JOB="apply")) == ["apply", "result"]
    assert re.search(r"^\| `acme/server/\S+` \| \d.* \| \d.* \|$", host.comment(1).body, re.MULTILINE)
    assert 2 not in host.requests

    decommissioned(repository.clone)
    repository.commit("Decommission acme", "end-acme")
    assert passed(pipelines.run("merge_request_event", "end-acme", CI_MERGE_REQUEST_IID="3")) == ["plan", "comment"]
    approval = block(host.comment(3).body)
    merge_into_manifest(repository.clone, approval)
    repository.commit("Approve it")
    repository.merge("end-acme")
    digest = approval["spec"]["approvals"][0]["digest"]
    assert passed(pipelines.run("push", "main", manual="decommission", TENANT="acme", DIGEST=digest)) == ["decommission"]
    assert small.control.dump()["source/nova/servers"] == []
    assert running(small, "target") == 3


def test_decommissioning_by_hand_wants_the_digest_of_what_is_there(pipelines: Pipelines, small: Sandbox) -> None:
    small.control.clear_requests()
    jobs = pipelines.run("push", "main", manual="decommission", TENANT="acme", DIGEST=f"sha256:{0:064}")
    assert jobs["decommission"].code == 4, jobs["decommission"].text
    jobs = pipelines.run("push", "main", manual="decommission")
    assert jobs["decommission"].code not in (0, 4), "without a tenant nothing is applied, and not all of them"
    assert small.control.mutating() == []


def test_atlantis_applies_the_plan_that_was_reviewed(repository: Repository, small: Sandbox, tmp_path: Path) -> None:
    flip(repository, "move-acme")
    workflow = yaml.safe_load((EXAMPLES / "atlantis/repos.yaml").read_text())["workflows"]["millpond"]
    place = tmp_path / "atlantis"
    repository.check_out("move-acme", place)
    files = {"PLANFILE": str(tmp_path / "millpond-default.tfplan"), "SHOWFILE": str(tmp_path / "millpond-default.json")}
    variables = {"PATH": programs(tmp_path / "bin"), **secrets(small), **files}
    small.control.clear_requests()
    planned = steps(workflow["plan"], place, variables, tmp_path, small)
    assert re.search(r"^Plan: \d+ to add, \d+ to change, \d+ to destroy\.$", planned, re.MULTILINE), "Atlantis looks for this line"
    steps(workflow["policy_check"], place, variables, tmp_path, small)
    assert json.loads(Path(files["SHOWFILE"]).read_text())["resource_changes"]
    assert small.control.mutating() == []
    (place / "plan.json").unlink()
    steps(workflow["apply"], place, variables, tmp_path, small)
    assert (running(small, "target"), running(small, "source")) == (3, 0)
    assert git(place, "status", "--porcelain") == ""


@pytest.mark.parametrize("step", ["github", "gitlab"])
def test_the_signal_of_a_cancelled_job_reaches_millpond(step: str, repository: Repository, small: Sandbox, tmp_path: Path) -> None:
    """It is sent to the shell of the step alone, as a runner does: `exec` made that shell into Millpond."""
    script = {
        "github": yaml.safe_load((EXAMPLES / "github/millpond-apply.yml").read_text())["jobs"]["apply"]["steps"],
        "gitlab": [
            {
                "name": "Apply",
                "run": "tenants=acme\n" + yaml.safe_load((EXAMPLES / "gitlab/gitlab-ci.yml").read_text())["apply"]["script"][-1],
            }
        ],
    }[step]
    flip(repository, "move-acme")
    (repository.clone / "tenants.txt").write_text("acme\n")
    (tmp_path / "apply.sh").write_text(next(one["run"] for one in script if one.get("name") == "Apply"))
    environment = {
        **os.environ, **secrets(small), "PATH": programs(tmp_path / "bin"), "OS_CLIENT_CONFIG_FILE": str(small.clouds_yaml), "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    small.control.clear_requests()
    small.control.fault(action={"delay": 300}, cloud="source", service="nova", method="POST", path="/action$", count=0)
    with subprocess.Popen(
        ["bash", "-e", str(tmp_path / "apply.sh")],
        cwd=repository.clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        while not any(one["status"] is None and one["path"].endswith("/action") for one in small.control.requests()):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=30)
    small.control.clear_faults()
    assert process.returncode == 130, text
    assert json.loads((repository.clone / "result.json").read_text())["interrupted"] is True
    assert holders(Journal.open("", repository.clone).engine) == {}


def steps(stage: dict[str, list[object]], place: Path, variables: dict[str, str], temp: Path, sandbox: Sandbox) -> str:
    """The shell of a stage, with the files of the simulated clouds where the example names those of a server."""
    text, own = "", dict(variables)
    for step in stage["steps"]:
        match step:
            case {"env": {"name": str(name), "value": str(value)}}:
                own[name] = {"OS_CLIENT_CONFIG_FILE": str(sandbox.clouds_yaml), "IBOX_USER": "admin"}.get(name, value)
            case {"run": str(script)}:
                ran = bash(script, place, own, temp / "steps")
                assert ran.code == 0, ran.text
                text += ran.text
            case "policy_check":
                pass
            case _:
                raise AssertionError(f"{step} is not known here")
    return text
