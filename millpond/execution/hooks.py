"""Runs a site's own commands before and after a phase. What they need of credentials they bring themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from millpond.execution.redaction import redact, secrets_of
from millpond.model.site import Hook, Site

LINES = 10
_TAIL = 20_000
_GLANCE = 0.1
_GRACE = 2.0


@dataclass(frozen=True)
class HookResult:
    """`said`: why it failed, or empty; `output`: the last lines of what it wrote, credentials masked."""

    said: str
    output: str


def run_hook(hook: Hook, site: Site, facts: Mapping[str, str], stopped: Callable[[], bool]) -> HookResult:
    """In the site's directory, in a process group of its own, which is killed at the hook's timeout or once `stopped` says so.

    `facts` become variables MILLPOND_<NAME>. The rest of the environment is this process's without what logs in to clouds and arrays.
    """
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                hook.command,
                cwd=site.directory,
                env=_environment(site, facts),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return HookResult(f"it could not be started: {error.strerror or error}", "")
        said = _ended(process, hook.timeout, stopped)
        return HookResult(said, _last_lines(output))


def _environment(site: Site, facts: Mapping[str, str]) -> dict[str, str]:
    ours = {name for array in site.arrays for name in (array.password_env, array.username_env)}
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("OS_")}
    return {**kept, **{f"MILLPOND_{name.upper()}": value for name, value in facts.items()}, "MILLPOND_SITE": str(Path(site.directory))}


def _ended(process: subprocess.Popen[bytes], timeout: float, stopped: Callable[[], bool]) -> str:
    deadline = time.monotonic() + timeout
    while True:
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(_GLANCE)
            return "" if code == 0 else f"it ended with exit code {code}" if code > 0 else f"it was killed by signal {-code}"
        if stopped():
            _kill(process)
            return "it was killed, because the run was interrupted"
        if time.monotonic() >= deadline:
            _kill(process)
            return f"it was killed after its timeout of {timeout} s"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Everything in its group: asked first, then made to."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_lines(output: IO[bytes]) -> str:
    output.seek(0, os.SEEK_END)
    output.seek(max(0, output.tell() - _TAIL))
    text = redact(output.read().decode(errors="replace"), secrets_of(os.environ))
    printable = ("".join(c if c.isprintable() else " " for c in line).rstrip() for line in text.splitlines())
    return "\n".join([line for line in printable if line][-LINES:])
