"""Independent reads at once: what they cost together is what the slowest of them costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import current_thread, main_thread
from typing import Any, Generic, ParamSpec, Self, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

AT_ONCE = 256
"""Threads for the reads of a process, about what four tenants ask for at once. How many requests are in flight is limited further down,
per cloud and array: where one of them answers nothing, most of these threads may wait for it.
"""


@dataclass(frozen=True)
class Read(Generic[T]):
    """One that was begun, or waits for a thread. It is asked for its result once."""

    _future: Future[T]
    _call: Callable[[], T]

    def result(self) -> T:
        """What no thread has come to yet is done by the one that asks: reads that are made of reads never wait for each other's threads.
        Not by the main thread, which must hear signals.
        """
        if current_thread() is not main_thread() and self._future.cancel():
            return self._call()
        return self._future.result()

    def give_up(self) -> None:
        """It is not begun any more. What is under way is not waited for."""
        self._future.cancel()


class Reads:
    """Reads that belong together: what was not begun when they are left never is."""

    def __init__(self) -> None:
        self._begun: list[Read[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for read in self._begun:
            read.give_up()

    def begin(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Read[T]:
        def done() -> T:
            return call(*args, **kwargs)

        read = Read(_threads(os.getpid()).submit(done), done)
        self._begun.append(read)
        return read


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results of independent reads, in order; the first error of the list is raised, and what is then under way is not waited for."""
    if len(calls) <= 1:
        return [call() for call in calls]
    with Reads() as reads:
        return [read.result() for read in [reads.begin(call) for call in calls]]


@cache
def _threads(process: int) -> ThreadPoolExecutor:
    """They stay: to start threads for every few reads takes longer than many a read. A process that was forked has none of them."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="read")
