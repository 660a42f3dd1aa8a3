import subprocess
from pathlib import Path

import pytest

from millpond.execution.run import ci_url, git_sha, new_run


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        (
            {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "ops/tenants", "GITHUB_RUN_ID": "42"},
            "https://github.example/ops/tenants/actions/runs/42",
        ),
        (
            {"CI_JOB_URL": "https://gitlab.example/-/jobs/7", "CI_PIPELINE_URL": "https://gitlab.example/p/3"},
            "https://gitlab.example/-/jobs/7",
        ),
        ({"BUILD_URL": "https://jenkins.example/job/1/"}, "https://jenkins.example/job/1/"),
        ({}, ""),
    ],
)
def test_the_pipeline_is_told_from_its_variables(environment: dict[str, str], url: str) -> None:
    assert ci_url(environment) == url


def test_the_commit_is_the_working_copys_or_the_pipelines(tmp_path: Path) -> None:
    assert git_sha({"GITHUB_SHA": "3f2a"}, tmp_path) == "3f2a"
    assert git_sha({}, tmp_path) == ""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    checked_out = git_sha({}, tmp_path)
    assert len(checked_out) == 40
    assert git_sha({"GITHUB_SHA": "3f2a"}, tmp_path) == checked_out
    assert git_sha({"BITBUCKET_COMMIT": "3f2a"}, tmp_path) == checked_out
    of_a_request = {"BITBUCKET_COMMIT": "3f2a", "BITBUCKET_PR_ID": "7"}
    assert git_sha(of_a_request, tmp_path) == "3f2a", "what is checked out is a merge that exists nowhere else"


def test_every_run_has_an_id_of_its_own(tmp_path: Path) -> None:
    first, second = (new_run({}, tmp_path, "0.1.0") for _ in range(2))
    assert first.id != second.id
    assert "@" in first.who
    assert first.started.tzinfo is not None
