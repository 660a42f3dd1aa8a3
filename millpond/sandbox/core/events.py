"""Things that become due in virtual time: a server has stopped, a sync job has ended."""

import heapq
import logging
import uuid
from collections.abc import Callable
from typing import Any

from millpond.sandbox.core.clock import Clock
from millpond.sandbox.core.store import Store

LOG = logging.getLogger(__name__)


class Events:
    """Kept in the store, so they survive a restart; the functions are registered anew at each start."""

    def __init__(self, clock: Clock, store: Store) -> None:
        self.failures: list[str] = []
        self._clock = clock
        self._table = store.table("world/events")
        self._functions: dict[str, Callable[..., None]] = {}
        self._due: list[tuple[float, int, str]] = []
        self._count = 0
        self.reload()

    def at(self, delay: float, name: str, **args: Any) -> str:
        """Calls the function registered as `name` with `args` (JSON-able) after `delay` virtual seconds.

        Returns the id for `cancel`.
        """
        key = uuid.uuid4().hex
        row = self._table.insert({"id": key, "due": self._clock.now() + delay, "name": name, "args": args})
        self._push(row["due"], key)
        return key

    def cancel(self, id: str) -> None:
        """Forgets the event; one that has run or was cancelled before is no error."""
        if id in self._table:
            self._table.delete(id)

    def on(self, name: str, function: Callable[..., None]) -> None:
        self._functions[name] = function

    def run_due(self) -> None:
        """Runs all that is due by now in order of due time, each at its own moment."""
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            due, _, key = heapq.heappop(self._due)
            row = self._table.get(key)
            if row is not None:
                self._table.delete(key)
                self._run(due, row["name"], row["args"])

    def reload(self) -> None:
        """Reads the queue from the store, after a start or a restore."""
        self._due = []
        for row in self._table:
            self._push(row["due"], row["id"])

    def _push(self, due: float, key: str) -> None:
        self._count += 1
        heapq.heappush(self._due, (due, self._count, key))

    def _run(self, due: float, name: str, args: dict[str, Any]) -> None:
        # A fault of one event must not stop virtual time: it is logged and shown by GET /violations.
        try:
            with self._clock.pinned(due):
                self._functions[name](**args)
        except Exception as error:
            LOG.exception("event %s failed", name)
            self.failures.append(f"event {name} {args}: {error!r}")
