"""A hook is a command of the site's: bounded in time, without credentials, and what it says is kept short and masked."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from millpond.execution.hooks import HookResult, run_hook
from millpond.model.site import ArraySystem, Hook, Site


def never() -> bool:
    return False


def run(directory: Path, script: str, timeout: int = 20, **facts: str) -> HookResult:
    arrays = (ArraySystem("ibox-a", "192.0.2.1", "admin", password_env="IBOX_A_WORD"),)
    return run_hook(Hook(("/bin/sh", "-c", script), timeout), Site("north", arrays, directory=str(directory)), facts, never)


def test_it_runs_in_the_sites_directory_with_facts_and_without_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "of-the-cloud")
    monkeypatch.setenv("IBOX_A_WORD", "of-the-array")
    assert run(tmp_path, "env > seen", tenant="acme", phase="cutover") == HookResult("", "")
    seen = (tmp_path / "seen").read_text().splitlines()
    assert {"MILLPOND_TENANT=acme", "MILLPOND_PHASE=cutover", f"MILLPOND_SITE={tmp_path}"} <= set(seen)
    assert not [line for line in seen if line.startswith("OS_") or "of-the-" in line]


def test_a_failure_has_its_exit_code_and_the_last_lines_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER_TOKEN", "xoxb-123456789")
    failed = run(tmp_path, "seq 1 100; echo used $PAGER_TOKEN; printf 'password=abc\\033[2J' >&2; exit 3")
    assert failed.said == "it ended with exit code 3"
    lines = failed.output.splitlines()
    assert lines[:2] == ["93", "94"]
    assert lines[-2] == "used (sensitive value)"
    assert "abc" not in lines[-1]
    assert "\033" not in failed.output


def test_at_its_timeout_all_that_it_started_is_killed(tmp_path: Path) -> None:
    begun = time.monotonic()
    failed = run(tmp_path, "echo begun; sleep 60 & echo $! > child; wait", timeout=1)
    assert (failed.said, failed.output) == ("it was killed after its timeout of 1 s", "begun")
    assert time.monotonic() - begun < 15
    assert ends(int((tmp_path / "child").read_text()))


def ends(process: int) -> bool:
    """One that was sent SIGKILL may be seen running until the kernel has come to it; nobody may be there to reap it."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


def test_it_does_not_outlive_an_interrupted_run(tmp_path: Path) -> None:
    began = tmp_path / "began"
    hook = Hook(("/bin/sh", "-c", "touch began; sleep 60"))
    assert "interrupted" in run_hook(hook, Site("north", directory=str(tmp_path)), {}, began.exists).said


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    said = run_hook(Hook(("./nowhere",)), Site("north", directory=str(tmp_path)), {}, never).said
    assert said == f"it could not be started: {os.strerror(2)}"
