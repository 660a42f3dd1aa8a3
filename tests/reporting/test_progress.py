import io
import threading
from dataclasses import replace

import pytest
from click import unstyle

from millpond.model.change import Change, Waiting
from millpond.model.outcome import Outcome, Result
from millpond.reporting.live import Live
from millpond.reporting.progress import Lines, Running
from millpond.reporting.progress_view import progress_on

from . import examples


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines() -> tuple[Lines, list[str]]:
    seen: list[str] = []
    return Lines(lambda text: seen.append(unstyle(text)), now=lambda: examples.NOON), seen


def test_one_line_per_change_of_state() -> None:
    progress, seen = lines()
    stop, lock = examples.stop("web-1"), examples.lock("web-1")
    with progress:
        for left in (442381631488, 300000000000, 100):
            progress.planned(replace(examples.GLOBEX, steps=(replace(examples.SEED, bytes_left=left), examples.NOT_YET)))
        progress.began(lock)
        progress.ended(lock, Outcome(lock.id, Result.DONE, 0.2))
        progress.began(stop)
        progress.ended(stop, Outcome(stop.id, Result.DONE, 8.1))
        away = Waiting(stop.address, "stop", "the server is changing its power state (task powering-off)")
        for steps in ((away,), (away,), (examples.promote(),)):
            progress.planned(replace(examples.ACME, steps=steps))
    assert seen == [
        "12:00:00 waiting globex/replication_group/rest-p1 seed: 412.0 GiB left, 118.2 MiB/s, about 59 min (the first copy is under way)",
        "12:00:00 done    acme/source_server/web-1 lock",
        "12:00:00 begun   acme/source_server/web-1 stop",
        "12:00:00 sent    acme/source_server/web-1 stop in 8.1 s",
        "12:00:00 waiting acme/source_server/web-1 stop: the server is changing its power state (task powering-off)",
        "12:00:00 done    acme/source_server/web-1 stop",
    ]


def test_a_request_is_done_only_when_it_is_seen_to_be() -> None:
    progress, seen = lines()
    boot = examples.boot("web-1")
    with progress:
        progress.ended(boot, Outcome(boot.id, Result.DONE, 0.4))
        progress.planned(replace(examples.GLOBEX, steps=()))
    assert seen == ["12:00:00 sent    acme/server/web-1 create"]


def test_a_request_that_was_taken_in_and_then_failed_is_not_done() -> None:
    progress, seen = lines()
    boot = examples.boot("web-1")
    with progress:
        for _ in range(2):
            progress.ended(boot, Outcome(boot.id, Result.DONE, 0.4))
            progress.ended(boot, Outcome(boot.id, Result.FAILED, 3.0, "No valid host was found."))
            progress.planned(replace(examples.GLOBEX, steps=()))
    said = ["12:00:00 sent    acme/server/web-1 create", "12:00:00 failed  acme/server/web-1 create in 3 s: No valid host was found."]
    assert seen == said * 2


def test_a_failure_says_why_and_the_same_one_is_said_once() -> None:
    progress, seen = lines()
    boot = examples.boot("web-1")
    for _ in range(3):
        progress.ended(boot, Outcome(boot.id, Result.HELD, 0.1, "no host\nis free"))
    progress.ended(boot, Outcome(boot.id, Result.FAILED, 3.0, "quota exceeded"))
    assert seen == [
        "12:00:00 held    acme/server/web-1 create: no host is free",
        "12:00:00 failed  acme/server/web-1 create in 3 s: quota exceeded",
    ]


def part(number: int) -> Change:
    return Change(examples.address("replication_group", "core-p1"), f"add_member:{number}")


def test_what_is_done_to_several_parts_is_one_line() -> None:
    progress, seen = lines()
    parts = [part(number) for number in range(3)]
    with progress:
        progress.planned(replace(examples.QUIET, steps=tuple(parts)))
        for change in parts:
            progress.ended(change, Outcome(change.id, Result.DONE, 0.1))
        assert seen == ["12:00:00 done    acme/replication_group/core-p1 add_member (3)"]
        progress.planned(replace(examples.QUIET, steps=(part(4), part(5))))
        progress.ended(part(4), Outcome(part(4).id, Result.DONE, 0.1))
        progress.ended(part(5), Outcome(part(5).id, Result.FAILED, 0.1, "full"))
    assert seen[1:] == [
        "12:00:00 failed  acme/replication_group/core-p1 add_member:5: full",
        "12:00:00 done    acme/replication_group/core-p1 add_member (1)",
    ]


def test_lines_are_whole_when_many_threads_write() -> None:
    progress, seen = lines()
    changes = [examples.stop(f"s-{number}") for number in range(50)]
    threads = [threading.Thread(target=progress.began, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted(f"12:00:00 begun   {change.address} stop" for change in changes)


def test_a_pipe_gets_plain_lines() -> None:
    pipe = io.StringIO()
    stop = examples.stop("web-1")
    with progress_on(pipe) as progress:
        assert isinstance(progress, Lines)
        progress.ended(stop, Outcome(stop.id, Result.DONE, 8.1))
    assert "\x1b" not in pipe.getvalue()
    assert "acme/source_server/web-1 stop in 8.1 s" in pipe.getvalue()


def test_a_terminal_gets_a_live_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(progress_on(Terminal()), Live)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress_on(Terminal()), Lines)


def test_what_is_under_way_is_shown_with_its_time_and_share() -> None:
    seconds = iter((100.0, 107.5))
    running = Running(clock=lambda: next(seconds))
    stop = examples.stop("web-1")
    running.began(stop)
    assert running.changes() == [(stop, 7.5)]
    running.ended(stop)
    assert running.changes() == []
    running.planned(examples.GLOBEX)
    half = replace(examples.SEED, bytes_left=examples.SEED.bytes_left // 2)
    running.planned(replace(examples.GLOBEX, steps=(half,)))
    assert running.waiting() == [(half, 0.5)]
    running.planned(replace(examples.GLOBEX, steps=(replace(half, bytes_left=0),)))
    assert running.waiting()[0][1] == 1.0
    running.planned(replace(examples.GLOBEX, steps=()))
    assert running.waiting() == []


def test_the_live_view_keeps_the_lines_of_what_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    terminal = Terminal()
    stop, boot = examples.stop("web-1"), examples.boot("db-1")
    with Live(terminal) as live:
        live.planned(examples.GLOBEX)
        live.began(stop)
        live.ended(stop, Outcome(stop.id, Result.DONE, 8.1))
        live.began(boot)
        assert live.table().row_count == 2
    written = unstyle(terminal.getvalue())
    assert "sent    acme/source_server/web-1 stop in 8.1 s" in written
