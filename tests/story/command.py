"""The command line as people and pipelines call it: words in, exit code and texts out."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from millpond.cli.main import cli, run


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def millpond(directory: Path, *words: str) -> Answer:
    """In this process, from the entry point to the exit code, as from a shell in `directory` with no terminal on either side."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(directory), redirect_stdout(out), redirect_stderr(err):
        code = run(cli, words)
    return Answer(code, out.getvalue(), err.getvalue())


def started(directory: Path, *words: str) -> subprocess.Popen[str]:
    """The program itself, for what concerns a process: signals and its death."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("millpond"), *words],
        cwd=directory,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
