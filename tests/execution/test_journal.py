import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from millpond.errors import ExitCode, LeaseHeld
from millpond.execution.journal import Journal, digest_of
from millpond.execution.lease import Lease, unlock
from millpond.execution.store import JournalUnusable
from millpond.model.address import Address
from millpond.model.change import Change, FieldChange
from millpond.model.cutover import Expectation, ExpectedStep, Outage
from millpond.model.outcome import Outcome, Result
from millpond.model.secret import Secret

from .conftest import run_named

CANARY = "c4n4ry-S3cret"
CHANGE = Change(Address("acme", "server", "web-1"), "stop", "cutover: true for wave pilot", danger=True)


def test_intent_and_outcome_are_kept_in_order(journal: Journal) -> None:
    with Lease(journal.engine, "acme", run_named("run-1")) as lease:
        first = journal.intend("run-1", CHANGE, lease.token)
        second = journal.intend("run-1", CHANGE, lease.token)
        journal.settle(first, Outcome(CHANGE.id, Result.UNKNOWN, 60.0, "no reply"))
    entries = journal.entries("acme")
    assert [(e.id, e.step, e.outcome) for e in entries] == [
        (first, "acme/server/web-1#stop", Outcome(CHANGE.id, Result.UNKNOWN, 60.0, "no reply")),
        (second, "acme/server/web-1#stop", None),
    ]
    assert entries[0].change_digest == digest_of(CHANGE)
    assert entries[0].at.tzinfo is not None
    assert journal.entries("acme", run="run-2") == ()
    assert journal.entries("globex") == ()


def test_what_was_expected_is_kept_as_it_was_said(journal: Journal) -> None:
    steps = (ExpectedStep("acme/server/web-1#create", ("acme/x#y",), ("acme/server/web-1",), 20.0),)
    expectation = Expectation("core", (("acme/server/web-1", 52.0),), ("acme/x#y",), steps)
    journal.expect("run-1", "acme", expectation)
    ((at, said),) = journal.expectations("acme")
    assert said == expectation
    assert at.tzinfo is not None
    assert journal.expectations("globex") == ()


def test_a_measured_outage_is_kept_to_the_microsecond(journal: Journal) -> None:
    began = datetime(2026, 12, 1, 12, 0, 0, 1, tzinfo=UTC)
    outage = Outage("acme/server/web-1", began, began + timedelta(microseconds=6_512_345), back=True)
    journal.measure("run-1", "acme", outage)
    assert journal.measured("acme") == (outage,)
    assert journal.measured("globex") == ()


def test_the_run_says_who_and_from_where(journal: Journal) -> None:
    assert journal.runs() == (run_named("run-1"),)


def test_an_outcome_is_written_once(journal: Journal) -> None:
    with Lease(journal.engine, "acme", run_named("run-1")) as lease:
        intent = journal.intend("run-1", CHANGE, lease.token)
        journal.settle(intent, Outcome(CHANGE.id, Result.DONE))
        with pytest.raises(JournalUnusable):
            journal.settle(intent, Outcome(CHANGE.id, Result.FAILED))
    assert [e.outcome.result for e in journal.entries("acme") if e.outcome] == [Result.DONE]


def test_a_run_that_lost_its_lease_can_record_no_intent(journal: Journal) -> None:
    with Lease(journal.engine, "acme", run_named("run-1")) as lease:
        unlock(journal.engine, "acme", "run-1")
        with pytest.raises(LeaseHeld) as refused:
            journal.intend("run-1", CHANGE, lease.token)
    assert refused.value.exit_code is ExitCode.LEASED
    assert journal.entries("acme") == ()


def test_no_intent_without_a_lease_of_that_tenant(journal: Journal) -> None:
    with Lease(journal.engine, "globex", run_named("run-1")) as lease, pytest.raises(LeaseHeld):
        journal.intend("run-1", CHANGE, lease.token)


def test_a_secret_in_a_change_stops_it_before_anything_is_written(journal: Journal) -> None:
    change = Change(Address("acme", "server", "web-1"), "create", fields=(FieldChange("user_data", None, Secret(CANARY)),))
    with Lease(journal.engine, "acme", run_named("run-1")) as lease, pytest.raises(TypeError):
        journal.intend("run-1", change, lease.token)
    assert journal.entries("acme") == ()


def test_secrets_in_messages_do_not_reach_the_disk(tmp_path: Path) -> None:
    journal = Journal.open("", tmp_path, frozenset({CANARY}))
    journal.begin(run_named("run-1"))
    with Lease(journal.engine, "acme", run_named("run-1")) as lease:
        for message in (f"login with {CANARY} refused", f'{{"adminPass": "{CANARY}"}}', f"X-Auth-Token: {CANARY}"):
            journal.settle(journal.intend("run-1", CHANGE, lease.token), Outcome(CHANGE.id, Result.FAILED, 1.0, message))
    journal.engine.dispose()
    files = list((tmp_path / ".millpond").iterdir())
    assert files
    assert not [file for file in files if CANARY.encode() in file.read_bytes()]


def test_every_commit_reaches_the_disk(sqlite_journal: Journal) -> None:
    with sqlite_journal.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_directory_that_cannot_be_made_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / ".millpond").write_text("in the way")
    with pytest.raises(JournalUnusable) as refused:
        Journal.open("", tmp_path)
    assert refused.value.where == str(tmp_path / ".millpond/journal.db")
    assert refused.value.why == "File exists"
    assert refused.value.fix.startswith("Nothing more was sent. Make the place writable")


def test_a_file_that_is_no_journal_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / ".millpond").mkdir()
    (tmp_path / ".millpond/journal.db").write_bytes(b"no database at all, " * 100)
    with pytest.raises(JournalUnusable, match="not a database") as refused:
        Journal.open("", tmp_path)
    assert refused.value.fix.startswith("Nothing more was sent. Move the damaged file away: it is evidence")


def test_a_full_disk_is_told_plainly(sqlite_journal: Journal) -> None:
    def fill_up(connection: sqlite3.Connection, _record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with Lease(sqlite_journal.engine, "acme", run_named("run-1"), beat=60) as lease:
        intent = sqlite_journal.intend("run-1", CHANGE, lease.token)
        sqlite_journal.engine.dispose()
        event.listen(sqlite_journal.engine, "connect", fill_up)
        with pytest.raises(JournalUnusable, match="full"):
            sqlite_journal.settle(intent, Outcome(CHANGE.id, Result.FAILED, 1.0, "x" * 100_000))
    assert sqlite_journal.entries("acme")[0].outcome is None


def test_a_relative_sqlite_url_starts_at_the_site(tmp_path: Path) -> None:
    Journal.open("sqlite:///state/journal.db", tmp_path).engine.dispose()
    assert (tmp_path / "state/journal.db").exists()


@pytest.mark.parametrize("url", ["nonsense", "carrier-pigeon://loft/1"])
def test_a_url_that_names_no_database_is_told_plainly(url: str, tmp_path: Path) -> None:
    with pytest.raises(JournalUnusable):
        Journal.open(url, tmp_path)


def test_an_unreachable_postgresql_shows_no_password(tmp_path: Path) -> None:
    with pytest.raises(JournalUnusable) as refused:
        Journal.open(f"postgresql://millpond:{CANARY}@127.0.0.1:1/millpond?connect_timeout=2", tmp_path)
    assert CANARY not in f"{refused.value.why} {refused.value.where}"
    assert "millpond:***@127.0.0.1" in refused.value.where


def test_a_missing_postgresql_driver_says_what_to_install(tmp_path: Path) -> None:
    program = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
sys.modules["psycopg"] = None
from millpond.execution.journal import Journal
from millpond.execution.store import JournalUnusable
try:
    Journal.open("postgresql://db.example/millpond", Path(sys.argv[1]))
except JournalUnusable as error:
    print(error.command)
"""
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout.strip() == "pip install 'millpond[postgresql]'"
