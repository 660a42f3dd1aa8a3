"""Runs the shell of a step as a runner would: a script of its own, with these variables and no others of this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Ran:
    code: int
    text: str


def programs(directory: Path) -> str:
    """A PATH with what the image has: millpond, python3, git, jq and put-comment."""
    directory.mkdir(parents=True, exist_ok=True)
    link = directory / "put-comment"
    if not link.exists():
        link.symlink_to(EXAMPLES / "put-comment")
    return os.pathsep.join([str(directory), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def bash(script: str, directory: Path, variables: Mapping[str, str], temp: Path) -> Ran:
    """`bash -e`, the default of GitHub's runners; GitLab's sets `-eo pipefail` itself."""
    temp.mkdir(parents=True, exist_ok=True)
    file = temp / "step.sh"
    file.write_text(script)
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "PYTHONPATH") if name in os.environ}
    environment = {**kept, **variables, "PYTHONWARNINGS": "ignore"}
    directory.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(file)],
        cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout)
