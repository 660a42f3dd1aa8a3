"""Runs the shell of a step as a runner would: a script of its own, with these variables and no others of this process."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
_CALLS = "calls.txt"


@dataclass(frozen=True)
class Ran:
    code: int
    text: str


def programs(directory: Path) -> str:
    """A PATH with what the image has: millpond, python3, git, jq and put-comment. What Millpond is given is noted down."""
    directory.mkdir(parents=True, exist_ok=True)
    link = directory / "put-comment"
    if not link.exists():
        link.symlink_to(EXAMPLES / "put-comment")
        program = Path(sys.executable).with_name("millpond")
        recording = directory / "millpond"
        recording.write_text(f'#!/bin/sh\necho "$*" >> {shlex.quote(str(directory / _CALLS))}\nexec {shlex.quote(str(program))} "$@"\n')
        recording.chmod(0o755)
    return os.pathsep.join([str(directory), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def calls(directory: Path, verb: str) -> list[str]:
    """What Millpond was given with this verb by the scripts that used these programs, the first call first."""
    file = directory / _CALLS
    return [line for line in (file.read_text() if file.exists() else "").splitlines() if line.startswith(f"{verb} ")]


def bash(script: str, directory: Path, variables: Mapping[str, str], temp: Path) -> Ran:
    """`bash -e`, the default of GitHub's runners; GitLab's sets `-eo pipefail` itself."""
    temp.mkdir(parents=True, exist_ok=True)
    file = temp / "step.sh"
    file.write_text(script)
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "PYTHONPATH", "PYTHONPYCACHEPREFIX") if name in os.environ}
    environment = {**kept, **variables, "PYTHONWARNINGS": "ignore"}
    directory.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(file)],
        cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout)
