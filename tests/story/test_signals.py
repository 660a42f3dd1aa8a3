"""SIGINT and SIGTERM: 130 whatever is under way, the lease given back, and an outage told with what continues it.

Nothing here is timed. A call of these tests gets no answer for so long that a run which waited for it would have seen the answer: that
none was given when the run has ended shows that it did not wait.
"""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from millpond.execution import lease as leases
from millpond.execution.journal import Journal
from millpond.execution.lease import Lease, holders
from millpond.execution.run import new_run
from millpond.runs import signals
from tests.story.command import millpond, started
from tests.story.stage import Stage

SILENCE = 300
"""Seconds without an answer, and no longer: a run that waits for them ends all the same, and fails its test."""
PIPELINES_KILL_AFTER = 7.0
BLOCK = re.compile(
    r"OUTAGE IN PROGRESS\n"
    r"  acme, wave rest: since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC(?: \(for [^)]+\))?\n"
    r"    acme/server/db-1, acme/server/web-1, acme/server/web-2\n"
    r"  To continue:\n\n"
    r"    millpond apply acme\n$"
)

QUIET = "Interrupted: nothing new was begun, and no server is down. What replicates goes on by itself. To continue:\n\n    millpond apply acme\n"


def until(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """As long as it takes, unless `process` ends before."""
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)


def seen(stage: Stage, method: str, path: str) -> list[dict[str, object]]:
    return [one for one in stage.sandbox.control.requests() if one["method"] == method and re.search(path, one["path"])]


def unanswered(stage: Stage, method: str, path: str, skip: int = 0) -> bool:
    """Such a request has arrived and is being held back: none of the first `skip`, which are only on their way when they have no answer."""
    requests = seen(stage, method, path)
    return len(requests) > skip and any(one["status"] is None for one in requests)


@contextmanager
def running(stage: Stage, *words: str) -> Iterator[subprocess.Popen[str]]:
    stage.sandbox.control.clear_requests()
    process = started(stage.directory, *words)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[str, str]:
    """What it printed in all, once it has ended with 130."""
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 130, (process.returncode, out, err)
    assert "Traceback" not in out + err
    return out, err


def held(stage: Stage) -> list[str]:
    return list(holders(Journal.open("", stage.directory).engine))


def patient(stage: Stage, **fault: object) -> None:
    """Calls may take longer than the silence of those that the fault is for."""
    stage.site_spec = {"limits": {"request_timeout": f"{2 * SILENCE}s", "mac_move": "0s", "poll": "50ms"}}
    stage.manifest["cutover"] = True
    stage.write()
    stage.sandbox.control.fault(action={"delay": SILENCE}, **fault)


def test_what_a_run_allows_itself_after_a_signal_is_less_than_pipelines_do() -> None:
    """Calls under way, then the heartbeat."""
    assert signals.GRACE + leases._GRACE < PIPELINES_KILL_AFTER


def test_a_boot_without_an_answer_holds_up_nothing_and_the_outage_is_told(stage: Stage) -> None:
    patient(stage, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    with running(stage, "apply") as process:
        until(lambda: unanswered(stage, "POST", "/servers$"), process)
        assert held(stage) == ["acme"]
        out, err = ended(process, signal.SIGINT)
        assert unanswered(stage, "POST", "/servers$")
    assert BLOCK.search(out), out
    assert err == ""
    assert held(stage) == []
    stage.sandbox.control.clear_faults()
    stage.site_spec = {}
    assert stage.settle().plan.tenants[0].steps == ()
    assert {row["vm_state"] for row in stage.rows("target/nova/servers")} == {"active"}
    assert stage.sandbox.control.violations() == []


def test_a_list_without_an_answer_holds_up_nothing_either(stage: Stage) -> None:
    patient(stage, cloud="target", service="nova", method="GET", path="/servers/detail", count=0)
    with running(stage, "apply") as process:
        until(lambda: unanswered(stage, "GET", "/servers/detail"), process)
        out, err = ended(process, signal.SIGTERM)
        assert unanswered(stage, "GET", "/servers/detail")
    assert out.endswith(QUIET), out
    assert err == ""
    assert held(stage) == []


def test_a_second_signal_ends_at_once(stage: Stage) -> None:
    patient(stage, cloud="source", service="nova", method="POST", path="/metadata", count=0)
    with running(stage, "apply") as process:
        until(lambda: unanswered(stage, "POST", "/metadata"), process)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 130
    assert held(stage) == ["acme"]
    stage.sandbox.control.clear_faults()
    stage.site_spec = {}
    stage.write()
    refused = millpond(stage.directory, "apply")
    assert refused.code == 5
    command = refused.err.splitlines()[-1].split()
    assert command[:4] == ["millpond", "unlock", "acme", "--run"]
    assert millpond(stage.directory, "unlock", "acme", "--run", "another").code == 1
    assert held(stage) == ["acme"]
    freed = millpond(stage.directory, *command[1:])
    assert (freed.code, freed.err, held(stage)) == (0, "", [])
    arrives(stage)


def test_a_lease_that_ran_out_is_nobodys(stage: Stage) -> None:
    """Of a run that died without a word a minute ago."""
    stage.manifest["cutover"] = True
    stage.write()
    journal = Journal.open("", stage.directory)
    lease = Lease(journal.engine, "acme", new_run({}, stage.directory, "1"), ttl=3600, beat=3600)
    with lease:
        assert millpond(stage.directory, "apply").code == 5
        with sqlite3.connect(stage.directory / ".millpond/journal.db") as database:
            database.execute("UPDATE leases SET until = until - 3601")
        assert held(stage) == []
        arrives(stage)


@pytest.mark.parametrize(
    ("fault", "number", "told"),
    [
        ({"cloud": "source", "service": "nova", "path": "/servers/[^/]+/action$"}, signal.SIGTERM, re.compile(re.escape(QUIET) + "$")),
        ({"cloud": "source", "service": "nova", "path": "/servers/[^/]+/action$", "skip": 3}, signal.SIGTERM, BLOCK),
        ({"cloud": "ibox-a", "path": "/suspend"}, signal.SIGINT, BLOCK),
    ],
    ids=["locked", "stopped", "suspended"],
)
def test_a_call_that_hangs_anywhere_in_a_cut_holds_up_no_signal(
    stage: Stage, fault: dict[str, Any], number: signal.Signals, told: re.Pattern[str]
) -> None:
    patient(stage, method="POST", count=0, **fault)
    with running(stage, "apply") as process:
        until(lambda: unanswered(stage, "POST", fault["path"], fault.get("skip", 0)), process)
        out, err = ended(process, number)
        assert unanswered(stage, "POST", fault["path"])
    assert told.search(out), out
    assert (err, held(stage)) == ("", [])
    stage.sandbox.control.clear_faults()
    stage.site_spec = {}
    arrives(stage)


def test_a_preparation_that_is_interrupted_goes_on(untouched: Stage) -> None:
    patient(untouched, cloud="target", service="neutron", method="POST", count=0)
    untouched.manifest["cutover"] = False
    untouched.write()
    with running(untouched, "apply") as process:
        until(lambda: unanswered(untouched, "POST", "/networks$"), process)
        out, err = ended(process, signal.SIGINT)
        assert unanswered(untouched, "POST", "/networks$")
    assert out.endswith(QUIET), out
    assert (err, held(untouched)) == ("", [])
    untouched.sandbox.control.clear_faults()
    untouched.site_spec = {}
    assert untouched.settle().plan.tenants[0].steps == ()


def arrives(stage: Stage) -> None:
    assert stage.settle().plan.tenants[0].steps == ()
    assert {row["vm_state"] for row in stage.rows("target/nova/servers")} == {"active"}
    assert stage.sandbox.control.violations() == []


def test_a_run_that_is_interrupted_while_it_looks_says_so(stage: Stage) -> None:
    patient(stage, cloud="target", method="GET", count=0)
    with running(stage, "plan") as process:
        until(lambda: any(one["cloud"] == "target" for one in seen(stage, "GET", "")), process)
        out, err = ended(process, signal.SIGINT)
    assert (out, err) == ("", "\nInterrupted.\n")


def test_another_run_at_work_is_named_with_what_takes_its_lease(stage: Stage) -> None:
    stage.write()
    journal = Journal.open("", stage.directory)
    run = new_run({"CI_JOB_URL": "https://ci.example/jobs/7"}, stage.directory, "1")
    with Lease(journal.engine, "acme", run), stage.counted() as mutating:
        answer = millpond(stage.directory, "apply")
        planned = millpond(stage.directory, "plan", "--detailed-exitcode")
    assert answer.code == 5
    assert mutating == []
    assert re.fullmatch(REFUSAL.format(run=run.id, who=re.escape(run.who)), " ".join(answer.err.split())), answer.err
    assert answer.err.endswith(f"\n\n    millpond unlock acme --run {run.id}\n")
    assert planned.code == 0
    assert millpond(stage.directory, "apply").code == 0


REFUSAL = (
    r"Error: Another run is working on this tenant Where: acme Why: run {run} of {who} in https://ci\.example/jobs/7 works on acme since "
    r"[-0-9]+ [:0-9]+ UTC; its lease ends at [:0-9]+ UTC unless it is renewed "
    r"To do: Wait for it to end\. If that run is dead, its lease ends by itself; to take it away at once: millpond unlock acme --run {run}"
)
