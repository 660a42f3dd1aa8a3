"""What is made when it is first asked for, by many threads at once: logins."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import RLock
from typing import Generic, TypeVar

from millpond.errors import MillpondError

T = TypeVar("T")


class FirstUse(Generic[T]):
    """Made once. A failure is told to all who waited for it meanwhile; who asks later tries anew."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = RLock()
        self._made: list[T] = []
        self._failure: MillpondError | None = None
        self._failed_at = 0.0

    def get(self) -> T:
        asked = time.monotonic()
        with self._lock:
            if not self._made:
                if self._failure is not None and asked < self._failed_at:
                    raise self._failure
                self._made.append(self._tried())
            return self._made[0]

    @property
    def made(self) -> tuple[T, ...]:
        """It, or nothing where nobody asked for it yet."""
        return tuple(self._made)

    def _tried(self) -> T:
        try:
            return self._make()
        except MillpondError as error:
            self._failure, self._failed_at = error, time.monotonic()
            raise
