from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from millpond.execution.journal import Journal
from millpond.execution.run import Run


def run_named(id: str) -> Run:
    return Run(id, "ada@runner-1", "https://ci.example/runs/7", "3f2a9c1", "0.1.0", datetime(2026, 12, 1, 22, 0, tzinfo=UTC))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open("", tmp_path)
    opened.begin(run_named("run-1"))
    yield opened
    opened.engine.dispose()
