import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, active_count, current_thread

import pytest

from millpond.providers import together as module
from millpond.providers.together import Reads, together

PATIENCE = 20


def few_threads(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    pool = ThreadPoolExecutor(number, thread_name_prefix="few")
    monkeypatch.setattr(module, "_threads", lambda process: pool)


def meet(barrier: Barrier) -> str:
    barrier.wait(PATIENCE)
    return current_thread().name


def test_reads_run_at_once_and_are_told_in_order() -> None:
    barrier = Barrier(3)

    def numbered(number: int) -> int:
        barrier.wait(PATIENCE)
        return number

    assert together([lambda: numbered(1), lambda: numbered(2), lambda: numbered(3)]) == [1, 2, 3]
    assert together([]) == []


def test_threads_are_kept_for_the_next_reads() -> None:
    _reads()
    threads = active_count()
    for _ in range(20):
        _reads()
    assert active_count() <= threads


def test_the_first_error_of_the_list_is_raised() -> None:
    def refuse(why: str) -> None:
        raise ValueError(why)

    with pytest.raises(ValueError, match="first"):
        together([lambda: None, lambda: refuse("first"), lambda: refuse("second")])


def test_reads_that_are_made_of_reads_never_wait_for_each_others_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    few_threads(monkeypatch, 2)

    def nested(depth: int) -> int:
        return 1 if depth == 0 else sum(together([lambda: nested(depth - 1)] * 3))

    assert together([lambda: nested(3)] * 4) == [27] * 4


def test_what_no_thread_comes_to_is_done_by_the_thread_that_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    few_threads(monkeypatch, 1)
    hangs = Event()
    with Reads() as reads, ThreadPoolExecutor(1, thread_name_prefix="own") as own:
        hung = reads.begin(hangs.wait, PATIENCE)
        names = own.submit(together, [lambda: current_thread().name] * 2).result(PATIENCE)
        hangs.set()
        hung.result()
    assert names == ["own_0", "own_0"]


def test_what_was_not_begun_when_an_error_came_never_is(monkeypatch: pytest.MonkeyPatch) -> None:
    few_threads(monkeypatch, 1)
    hangs, done = Event(), []

    def refused() -> None:
        with Reads() as reads:
            reads.begin(done.append, "late")
            raise ValueError("refused")

    with Reads() as others:
        others.begin(hangs.wait, PATIENCE)
        with pytest.raises(ValueError, match="refused"):
            refused()
        hangs.set()
    assert together([lambda: "next", lambda: "one"]) == ["next", "one"]
    assert not done


def test_a_forked_process_reads_with_threads_of_its_own() -> None:
    _reads()
    child = multiprocessing.get_context("fork").Process(target=_reads)
    child.start()
    child.join(2 * PATIENCE)
    assert child.exitcode == 0


def _reads() -> None:
    barrier = Barrier(3)
    assert len(set(together([lambda: meet(barrier)] * 3))) == 3
