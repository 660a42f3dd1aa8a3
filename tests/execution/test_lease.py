import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from millpond.errors import LeaseHeld
from millpond.execution.journal import Journal
from millpond.execution.lease import Lease, NoSuchLease, holders, unlock
from millpond.execution.tables import LEASES

from .conftest import run_named

HOLD = """
import sys, time
from datetime import datetime, UTC
from pathlib import Path
from millpond.execution.journal import Journal
from millpond.execution.lease import Lease
from millpond.execution.run import Run
journal = Journal.open(sys.argv[3], Path(sys.argv[1]))
run = Run("run-other", "grace@runner-2", "https://ci.example/runs/8", "", "0.1.0", datetime.now(UTC))
with Lease(journal.engine, "acme", run, ttl=float(sys.argv[2]), beat=0.1) as lease:
    print("held", lease.token, flush=True)
    sys.stdin.readline()
print("released", flush=True)
"""


@contextmanager
def other_process(directory: Path, ttl: float, url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease of acme until it reads a line or is killed."""
    program = [sys.executable, "-c", HOLD, str(directory), str(ttl), url]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("held")
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_and_told_who_and_what_to_do(journal: Journal, tmp_path: Path, url: str) -> None:
    with other_process(tmp_path, ttl=60, url=url), pytest.raises(LeaseHeld) as refused, Lease(journal.engine, "acme", run_named("run-1")):
        pytest.fail("two runs held the lease")
    why = refused.value.why
    assert "run run-other of grace@runner-2 in https://ci.example/runs/8 works on acme since " in why
    assert "its lease ends at " in why
    assert refused.value.command == "millpond unlock acme --run run-other"


def test_another_tenant_is_free(journal: Journal, tmp_path: Path, url: str) -> None:
    with other_process(tmp_path, ttl=60, url=url), Lease(journal.engine, "globex", run_named("run-1")) as lease:
        assert lease.token == 1


def test_a_released_lease_is_free_at_once_and_the_token_grows(journal: Journal, tmp_path: Path, url: str) -> None:
    with other_process(tmp_path, ttl=60, url=url) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "released\n"
        with Lease(journal.engine, "acme", run_named("run-1")) as lease:
            assert lease.token == 2


def test_a_killed_process_loses_its_lease_after_its_time(journal: Journal, tmp_path: Path, url: str) -> None:
    with other_process(tmp_path, ttl=1.0, url=url) as process:
        process.kill()
        process.wait()
        with pytest.raises(LeaseHeld), Lease(journal.engine, "acme", run_named("run-1")):
            pytest.fail("the lease was taken before its time")
        time.sleep(1.2)
        with Lease(journal.engine, "acme", run_named("run-1")) as lease:
            assert lease.token == 2


def test_a_living_process_keeps_its_lease_beyond_its_time(journal: Journal, tmp_path: Path, url: str) -> None:
    with other_process(tmp_path, ttl=0.6, url=url):
        time.sleep(1.2)
        with pytest.raises(LeaseHeld), Lease(journal.engine, "acme", run_named("run-1")):
            pytest.fail("the heartbeat did not keep the lease")


def test_only_one_of_many_gets_it(journal: Journal) -> None:
    got: list[int] = []
    start = threading.Barrier(8)
    done = threading.Event()

    def contend(number: int) -> None:
        start.wait()
        try:
            with Lease(journal.engine, "acme", run_named(f"run-{number}")) as lease:
                got.append(lease.token)
                done.wait(5)
        except LeaseHeld:
            pass

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    while sum(thread.is_alive() for thread in threads) > 1:
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert got == [1]


def test_the_margin_shrinks_and_is_checked(journal: Journal) -> None:
    with Lease(journal.engine, "acme", run_named("run-1"), ttl=0.6, beat=60) as lease:
        assert 0.4 < lease.margin() <= 0.6
        lease.require()
        time.sleep(0.5)
        assert lease.margin() < 0.2
        with pytest.raises(LeaseHeld, match="could not be renewed"):
            lease.require()


def test_the_margin_is_renewed_by_the_heartbeat(journal: Journal) -> None:
    with Lease(journal.engine, "acme", run_named("run-1"), ttl=0.8, beat=0.1) as lease:
        time.sleep(1.0)
        assert lease.margin() > 0.5


def test_a_lease_taken_away_has_no_margin(journal: Journal) -> None:
    with Lease(journal.engine, "acme", run_named("run-1"), ttl=60, beat=0.05) as lease:
        unlock(journal.engine, "acme", "run-1")
        time.sleep(0.3)
        assert lease.margin() == 0.0
        with Lease(journal.engine, "acme", run_named("run-2")) as next_lease:
            assert next_lease.token > lease.token


def test_the_end_of_a_lost_lease_leaves_the_next_holder_alone(journal: Journal) -> None:
    lost = Lease(journal.engine, "acme", run_named("run-1"), beat=60).__enter__()
    unlock(journal.engine, "acme", "run-1")
    with Lease(journal.engine, "acme", run_named("run-2"), beat=60):
        lost.__exit__(None, None, None)
        assert holders(journal.engine)["acme"].run == "run-2"


def test_released_when_the_block_fails(journal: Journal) -> None:
    with pytest.raises(KeyboardInterrupt), Lease(journal.engine, "acme", run_named("run-1")):
        raise KeyboardInterrupt
    assert holders(journal.engine) == {}


def test_release_is_quick(journal: Journal) -> None:
    began = time.monotonic()
    with Lease(journal.engine, "acme", run_named("run-1")):
        pass
    assert time.monotonic() - began < 2


def test_holders_tells_who_works_now(journal: Journal) -> None:
    with Lease(journal.engine, "acme", run_named("run-1")):
        holder = holders(journal.engine)["acme"]
        assert (holder.run, holder.who, holder.ci) == ("run-1", "ada@runner-1", "https://ci.example/runs/7")
        assert 59 < (holder.until - holder.since).total_seconds() < 61
    assert holders(journal.engine) == {}


def test_unlock_names_the_run_that_holds_it(journal: Journal) -> None:
    with Lease(journal.engine, "acme", run_named("run-1")):
        with pytest.raises(NoSuchLease, match="leased to run run-1 of ada@runner-1"):
            unlock(journal.engine, "acme", "run-9")
        assert "acme" in holders(journal.engine)


def test_unlock_of_nothing_says_so(journal: Journal) -> None:
    with pytest.raises(NoSuchLease, match="nobody has a lease of acme"):
        unlock(journal.engine, "acme", "run-1")


def test_an_expired_lease_is_nobodys(journal: Journal) -> None:
    with Lease(journal.engine, "acme", run_named("run-1"), beat=60):
        with journal.engine.begin() as connection:
            connection.execute(update(LEASES).values(until=1.0))
        assert holders(journal.engine) == {}
