"""Independent reads at once: what they cost together is what the slowest of them costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 16
"""Threads. How many requests are in flight is limited further down, per cloud and array."""


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results of independent reads, in order; the first error of the list is raised, and what is then under way is not waited for."""
    if len(calls) <= 1:
        return [call() for call in calls]
    pool = ThreadPoolExecutor(min(AT_ONCE, len(calls)), thread_name_prefix="read")
    try:
        return [future.result() for future in [pool.submit(call) for call in calls]]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
