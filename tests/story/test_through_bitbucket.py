"""The Bitbucket pipeline of the examples: a change through a request, and what cannot be planned."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from millpond.reporting.hosts import HOSTS
from tests.pipelines.bitbucket import Steps
from tests.pipelines.code_host import CodeHost
from tests.pipelines.repository import Repository, git
from tests.pipelines.shell import Ran, calls
from tests.pipelines.site import MANIFEST, block, decommissioned, merge_into_manifest, reading, secrets
from tests.sandbox.running import Sandbox
from tests.story.worlds import rename_a_server

jq = pytest.mark.skipif(shutil.which("jq") is None, reason="the pipeline uses jq, as its image has it")


@pytest.fixture
def steps(repository: Repository, host: CodeHost, small: Sandbox, tmp_path: Path) -> Steps:
    variables = {"millpond-read": reading(small), **dict.fromkeys(("millpond-apply", "millpond-decommission"), secrets(small))}
    return Steps(repository, host, tmp_path / "runner", variables)


def codes(steps: dict[str, Ran]) -> dict[str, int]:
    return {name: ran.code for name, ran in steps.items()}


def change(repository: Repository, branch: str, was: str, now: str) -> None:
    path = repository.clone / MANIFEST
    path.write_text(path.read_text().replace(was, now))
    repository.commit("Change acme", branch)


@jq
def test_a_request_is_planned_merged_and_applied(repository: Repository, steps: Steps, host: CodeHost, small: Sandbox) -> None:
    change(repository, "more-cores", "cutover: false\n", "cutover: false\n  quotas: {cores: 60}\n")
    head = git(repository.clone, "rev-parse", "HEAD")
    git(repository.clone, "checkout", "-q", "main")
    document = repository.clone / "millpond.yaml"
    document.write_text(f"# paid by the network team\n{document.read_text()}")
    repository.commit("Say who pays")
    host.say(7, "mallory", "[//]: # (millpond:story)\nmine")
    host.say(7, "ada", "More cores")
    small.control.clear_requests()
    assert codes(steps.run("pull-requests", "**", "more-cores", BITBUCKET_PR_ID="7")) == {"Plan": 0, "Comment": 0}
    assert small.control.mutating() == []
    plan = host.comment(7).body
    assert plan.startswith("[//]: # (millpond:story)\n### Plan of `story`\n")
    assert "\nPlan: 0 to add, 1 to change, 0 to destroy.\n" in plan
    assert "<details>" not in plan
    assert f"\nCommit `{head[:12]}`, made at " in plan, "not the merge with the main that moved, which exists nowhere else"

    host.merged[repository.merge("more-cores")] = 7
    assert codes(steps.run("branches", "main", "main")) == {"Reviewed": 0, "Apply": 0, "Comment": 0}
    (digest,) = re.findall(r"Digest of acme: `(sha256:[0-9a-f]{64})`", plan)
    assert f" --expect-digest {digest} " in calls(steps.home / "bin", "apply")[-1]
    result = host.comment(7)
    assert (result.edits, host.requests[7][0].body) == (1, "[//]: # (millpond:story)\nmine")
    assert "### Apply of `story` at commit " in result.body
    assert result.body.endswith("\nMain leads where the plan on this request led.\n")
    assert len(result.body.encode()) <= HOSTS["bitbucket"].limit

    small.control.clear_requests()
    assert codes(steps.run("custom", "apply", "main")) == {"Apply": 0}
    assert result.edits == 1, "a run by the clock concerns no request"
    assert "--expect-digest" not in calls(steps.home / "bin", "apply")[-1]
    assert codes(steps.run("custom", "drift", "main")) == {"Drift": 0}
    assert small.control.mutating() == []
    rename_a_server(small, "source")
    assert codes(steps.run("custom", "drift", "main")) == {"Drift": 2}
    assert "acme/server/web-1" in steps.artifacts["drift.html"].read_text()


@jq
def test_what_the_schedule_cut_over_is_told_on_the_request_that_asked_for_it_and_ends_by_hand(
    repository: Repository, steps: Steps, host: CodeHost, small: Sandbox
) -> None:
    change(repository, "move-acme", "cutover: false", "cutover: true")
    host.merged[repository.merge("move-acme")] = 7
    assert codes(steps.run("custom", "apply", "main")) == {"Apply": 0}
    assert re.search(r"^\| `acme/server/\S+` \| \d.* \| \d.* \|$", host.comment(7).body, re.MULTILINE)

    decommissioned(repository.clone)
    repository.commit("Decommission acme", "end-acme")
    assert codes(steps.run("pull-requests", "**", "end-acme", BITBUCKET_PR_ID="8")) == {"Plan": 0, "Comment": 0}
    approval = block(host.comment(8).body)
    merge_into_manifest(repository.clone, approval)
    repository.commit("Approve it")
    repository.merge("end-acme")
    digest = approval["spec"]["approvals"][0]["digest"]
    assert codes(steps.run("custom", "decommission", "main", TENANT="acme", DIGEST=digest)) == {"Decommission": 0}
    assert small.control.dump()["source/nova/servers"] == []
    assert {row["vm_state"] for row in small.control.dump()["target/nova/servers"]} == {"active"}


def test_what_cannot_be_planned_is_told_on_the_request(repository: Repository, steps: Steps, host: CodeHost) -> None:
    change(repository, "typo", "cutover:", "cutovr:")
    assert codes(steps.run("pull-requests", "**", "typo", BITBUCKET_PR_ID="7")) == {"Plan": 1, "Comment": 0}
    assert "cutovr" in host.comment(7).body


def test_a_commit_of_no_request_is_no_failure(steps: Steps, host: CodeHost) -> None:
    done = steps.run("branches", "main", "main")
    assert done["Reviewed"].code == 0
    assert re.search(r"The commit came from no request\.", done["Comment"].text)
    assert host.requests == {}


def test_decommissioning_by_hand_wants_the_digest_of_what_is_there(steps: Steps, small: Sandbox) -> None:
    small.control.clear_requests()
    assert codes(steps.run("custom", "decommission", "main", TENANT="acme", DIGEST=f"sha256:{0:064}")) == {"Decommission": 4}
    assert codes(steps.run("custom", "decommission", "main"))["Decommission"] not in (0, 4)
    assert small.control.mutating() == []
