"""Calls the command line in this process, as the entry point does."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from millpond.cli.main import cli, run
from millpond.cli.say import SITE


@dataclass(frozen=True)
class Called:
    code: int
    out: str
    err: str


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> Called:
    SITE.set(Path())
    code = run(cli, arguments)
    captured = capsys.readouterr()
    return Called(code, captured.out, captured.err)
