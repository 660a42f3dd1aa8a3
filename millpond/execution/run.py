"""Who is at work: one run is one invocation of apply."""

from __future__ import annotations

import getpass
import socket
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """`who` is user@host, `ci` the URL of the pipeline's run or empty, `git_sha` the commit that the documents come from, if known."""

    id: str
    who: str
    ci: str
    git_sha: str
    tool_version: str
    started: datetime


def new_run(environment: Mapping[str, str], directory: Path, tool_version: str) -> Run:
    started = datetime.now(UTC)
    id = f"{started:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"
    return Run(id, _who(), ci_url(environment), git_sha(environment, directory), tool_version, started)


def ci_url(environment: Mapping[str, str]) -> str:
    """The run's page, from the variables that GitHub Actions, GitLab CI and Jenkins set."""
    if server := environment.get("GITHUB_SERVER_URL"):
        return f"{server}/{environment.get('GITHUB_REPOSITORY', '')}/actions/runs/{environment.get('GITHUB_RUN_ID', '')}"
    return environment.get("CI_JOB_URL") or environment.get("CI_PIPELINE_URL") or environment.get("BUILD_URL") or ""


def git_sha(environment: Mapping[str, str], directory: Path) -> str:
    """The commit: what the working copy is on, else what the pipeline says; empty outside of git.

    Pipelines name the commit that began them. What they check out may be another one: GitHub names the merge of a request that is
    planned, and an old one when a run is started again. For a request Bitbucket merges its destination into what is checked out: that
    commit exists nowhere else, so it is the request's own that is told
    (https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/).
    """
    request = environment.get("BITBUCKET_COMMIT", "") if environment.get("BITBUCKET_PR_ID") else ""
    stated = (environment.get(name) for name in ("GITHUB_SHA", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "GIT_COMMIT"))
    return request or _checked_out(directory) or next((sha for sha in stated if sha), "")


def _checked_out(directory: Path) -> str:
    try:
        asked = subprocess.run(["git", "-C", str(directory), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
