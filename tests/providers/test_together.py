import multiprocessing
from threading import Barrier, current_thread

import pytest

from millpond.providers.together import AT_ONCE, begin, together

PATIENCE = 20


def meet(barrier: Barrier) -> str:
    barrier.wait(PATIENCE)
    return current_thread().name


def test_reads_run_at_once_and_are_told_in_order() -> None:
    barrier = Barrier(3)
    assert together([lambda at=at: (barrier.wait(PATIENCE), at)[1] for at in range(3)]) == [0, 1, 2]
    assert together([]) == []


def test_threads_are_kept_for_the_next_reads() -> None:
    """More reads than there may be threads, a few at a time."""
    names: set[str] = set()
    for _ in range(2 * AT_ONCE):
        barrier = Barrier(2)
        others = begin(meet, barrier)
        meet(barrier)
        names.add(others.result())
    assert len(names) <= AT_ONCE


def test_the_first_error_of_the_list_is_raised() -> None:
    def refuse(why: str) -> None:
        raise ValueError(why)

    with pytest.raises(ValueError, match="first"):
        together([lambda: None, lambda: refuse("first"), lambda: refuse("second")])


def test_reads_that_are_made_of_reads_never_wait_for_each_others_threads() -> None:
    def nested(depth: int) -> int:
        return 1 if depth == 0 else sum(together([lambda: nested(depth - 1)] * 3))

    assert together([lambda: nested(3)] * (2 * AT_ONCE)) == [27] * (2 * AT_ONCE)


def test_what_was_given_up_is_not_begun() -> None:
    barrier, done = Barrier(AT_ONCE + 1), []
    busy = [begin(barrier.wait, PATIENCE) for _ in range(AT_ONCE)]
    late = begin(done.append, "late")
    late.give_up()
    barrier.wait(PATIENCE)
    for read in busy:
        read.result()
    assert together([lambda: "next", lambda: "one"]) == ["next", "one"]
    assert not done


def test_a_forked_process_reads_with_threads_of_its_own() -> None:
    barrier = Barrier(2)
    together([barrier.wait, barrier.wait])
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=_reads)
    child.start()
    child.join(2 * PATIENCE)
    assert child.exitcode == 0


def _reads() -> None:
    barrier = Barrier(3)
    assert len(set(together([lambda: meet(barrier)] * 3))) == 3
