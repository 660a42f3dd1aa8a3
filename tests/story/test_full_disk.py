"""A disk that is full: nothing is half written, nothing is sent that could not be noted down, and the next run goes on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from millpond.execution.journal import Journal
from tests.story.command import millpond, started
from tests.story.stage import Stage
from tests.story.test_faults import whole
from tests.story.worlds import INVENTORY


def limited(stage: Stage, blocks: int, *words: str) -> subprocess.CompletedProcess[str]:
    """No file may become larger than so many blocks of 512 bytes; nor compiled modules, which Python 3.11 would leave cut off for all."""
    limit = ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh"]
    command = [*limit, sys.executable, "-m", "millpond.cli.main", *words]
    surroundings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=stage.directory, env=surroundings, capture_output=True, text=True, check=False)


def test_an_inventory_is_written_whole_or_not_at_all(stage: Stage) -> None:
    path = stage.directory / INVENTORY
    path.write_text(path.read_text().replace("9.9.9.9", "9.9.9.8"))
    stage.write()
    before = {file: file.read_bytes() for file in stage.directory.rglob("*") if file.is_file()}
    done = limited(stage, 4, "discover", "acme")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip().startswith(f"Error: A file cannot be written\n  Where: {INVENTORY}\n  Why:   File too large\n  To do: ")
    assert {file: file.read_bytes() for file in stage.directory.rglob("*") if file.is_file()} == before


def test_a_journal_that_is_full_in_a_cut_stops_it_and_tells_the_outage(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.write()
    done = limited(stage, 600, "apply")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "OUTAGE IN PROGRESS" in done.stdout
    assert "Error: The journal cannot be used" in done.stderr
    assert "Nothing more was sent" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert stage.sandbox.control.violations() == []
    stage.unlocked()
    assert millpond(stage.directory, "apply").code == 0
    whole(stage)


FULL = "SELECT RAISE(ABORT, 'database or disk is full')"
NO_OUTCOME_OF_A_STOP = f"""
    CREATE TRIGGER full BEFORE INSERT ON outcomes WHEN (SELECT step FROM intents WHERE id = NEW.intent) LIKE '%#stop' BEGIN {FULL}; END
"""
NO_INTENT_AFTER_THE_FIRST_STOP = f"""
    CREATE TRIGGER full BEFORE INSERT ON intents WHEN EXISTS (SELECT * FROM intents WHERE step LIKE '%#stop') BEGIN {FULL}; END
"""


@pytest.mark.parametrize("when", [NO_OUTCOME_OF_A_STOP, NO_INTENT_AFTER_THE_FIRST_STOP], ids=["outcomes", "intents"])
def test_a_journal_that_is_full_between_stops_names_every_server_whose_stop_was_sent(stage: Stage, when: str) -> None:
    journal = Journal.open("", stage.directory)
    with sqlite3.connect(stage.directory / ".millpond/journal.db") as database:
        database.execute(when)
    stage.manifest["cutover"] = True
    stage.write()
    done = millpond(stage.directory, "apply")
    intents = [entry.step for entry in journal.entries("acme")]
    sent = sorted(step.partition("#")[0].replace("source_server", "server") for step in intents if step.endswith("#stop"))
    assert done.code == 1, done.text
    assert f"    {', '.join(sent)}\n  To continue:" in done.out, done.out
    assert "Error: The journal cannot be used" in done.err
    with sqlite3.connect(stage.directory / ".millpond/journal.db") as database:
        database.execute("DROP TRIGGER full")
    assert millpond(stage.directory, "apply").code == 0
    whole(stage)


def test_a_log_on_a_full_disk_ends_no_run(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.write()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "millpond.cli.main", "apply"],
            cwd=stage.directory, env=os.environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The output cannot be written\n  Where: standard output\n  Why:   No space left on device\n")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    whole(stage)


def test_a_reader_that_goes_away_ends_no_run(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.write()
    process = started(stage.directory, "apply")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(60)
    whole(stage)
