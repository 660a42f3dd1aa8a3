"""SIGINT and SIGTERM ask a run to end; a call that gets no answer does not hold it up."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from types import FrameType
from typing import Any

from millpond.errors import ExitCode

GRACE = 3.0
"""Seconds that calls under way have to end after a signal. Pipelines kill some 7 s after it."""
_GLANCE = 0.1


@contextmanager
def signals() -> Iterator[Event]:
    """SIGINT and SIGTERM set the event; a second one ends the process at once: leases then end by themselves."""
    stop = Event()
    if current_thread() is not main_thread():
        yield stop
        return

    def told(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(ExitCode.INTERRUPTED)
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def await_all(futures: Sequence[Future[Any]], stop: Event) -> None:
    """Until all have ended or, once `stop` is set, for GRACE seconds more."""
    while wait(futures, timeout=_GLANCE).not_done:
        if stop.is_set():
            wait(futures, timeout=GRACE)
            return
