"""The journal on SQLite, and on PostgreSQL too where MILLPOND_TEST_POSTGRESQL holds the URL of an empty database."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from millpond.execution.journal import Journal
from millpond.execution.run import Run
from millpond.execution.tables import METADATA

POSTGRESQL = os.environ.get("MILLPOND_TEST_POSTGRESQL", "")


def run_named(id: str) -> Run:
    return Run(id, "ada@runner-1", "https://ci.example/runs/7", "3f2a9c1", "0.1.0", datetime(2026, 12, 1, 22, 0, tzinfo=UTC))


@pytest.fixture(
    params=["", pytest.param(POSTGRESQL, marks=pytest.mark.skipif(not POSTGRESQL, reason="no PostgreSQL is named"))], ids=["sqlite", "pg"]
)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def journal(url: str, tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open(url, tmp_path)
    opened.begin(run_named("run-1"))
    yield opened
    if url:
        METADATA.drop_all(opened.engine)
    opened.engine.dispose()


@pytest.fixture
def sqlite_journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open("", tmp_path)
    opened.begin(run_named("run-1"))
    yield opened
    opened.engine.dispose()
