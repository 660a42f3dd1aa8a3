"""Virtual time: it starts at the real time and runs `speed` times as fast."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


class Clock:
    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        self._speed = speed
        self._base = time.time() if start is None else start
        self._since = time.monotonic()
        self._pinned: float | None = None

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self.set(self._running())
        self._speed = speed

    def now(self) -> float:
        """Virtual seconds since the epoch; while a due event runs, the moment at which it was due."""
        return self._running() if self._pinned is None else self._pinned

    def _running(self) -> float:
        return self._base + (time.monotonic() - self._since) * self._speed

    def set(self, now: float) -> None:
        self._base, self._since = now, time.monotonic()

    def advance(self, seconds: float) -> None:
        self.set(self._running() + seconds)

    @contextmanager
    def pinned(self, when: float) -> Iterator[None]:
        """Within this block `now()` is `when`: what an event schedules follows from its own due time."""
        before, self._pinned = self._pinned, when
        try:
            yield
        finally:
            self._pinned = before

    def iso(self, when: float | None = None) -> str:
        """`2026-11-21T04:23:15Z`, as Nova and Neutron print times."""
        return self._moment(when).strftime("%Y-%m-%dT%H:%M:%SZ")

    def iso_us(self, when: float | None = None) -> str:
        """`2026-11-21T04:23:15.000000`, as Cinder prints times (Keystone appends a Z)."""
        return self._moment(when).strftime("%Y-%m-%dT%H:%M:%S.%f")

    def ms(self) -> int:
        """Milliseconds since the epoch, the unit of every InfiniBox time."""
        return int(self.now() * 1000)

    def _moment(self, when: float | None) -> datetime:
        return datetime.fromtimestamp(self.now() if when is None else when, UTC)
