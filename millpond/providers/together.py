"""Independent reads at once: what they cost together is what the slowest of them costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Generic, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

AT_ONCE = 64
"""Threads for all reads of a process. How many requests are in flight is limited further down, per cloud and array."""


@dataclass(frozen=True)
class Read(Generic[T]):
    """One that was begun, or waits for a thread."""

    _future: Future[T]
    _call: Callable[[], T]

    def result(self) -> T:
        """What no thread has come to yet is done by the one that asks: reads that are made of reads never wait for each other's threads."""
        return self._call() if self._future.cancel() else self._future.result()

    def give_up(self) -> None:
        """It is not begun any more. What is under way is not waited for."""
        self._future.cancel()


def begin(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Read[T]:
    def read() -> T:
        return call(*args, **kwargs)

    return Read(_threads(os.getpid()).submit(read), read)


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results of independent reads, in order; the first error of the list is raised, and what is then under way is not waited for."""
    if not calls:
        return []
    first, others = calls[0], [begin(call) for call in calls[1:]]
    try:
        return [first(), *(read.result() for read in others)]
    finally:
        for read in others:
            read.give_up()


@cache
def _threads(process: int) -> ThreadPoolExecutor:
    """They stay: to start threads for every few reads takes longer than many a read. A process that was forked has none of them."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="read")
