"""What an apply tells while it works: plain lines, and what a live view draws."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from click import unstyle

from millpond.model.address import Address
from millpond.model.change import Change, Waiting
from millpond.model.outcome import Outcome, Result
from millpond.model.plan import TenantPlan
from millpond.reporting.amounts import duration, moments
from millpond.reporting.change_text import verb
from millpond.reporting.symbols import dim, green, red, yellow
from millpond.reporting.waiting_text import progress_of

REQUESTS = frozenset(
    {
        *("source_server#stop", "source_server#start", "source_server#delete", "source_volume#delete"),
        *("server#create", "server#stop", "server#power", "server#power_on"),
        *("server#delete", "server#delete_first", "server#delete_failed"),
        *("volume#create", "volume#manage", "volume#manage_detached", "volume#unmanage", "volume#unmanage_first", "volume#delete_failed"),
        *("replication_group#sync", "replication_group#reverse_sync"),
    }
)
"""What a service only takes in: it is done once the next plans do not ask for it any more."""
SENT = "sent"
_WORDS = {Result.DONE: green("done"), Result.FAILED: red("failed"), Result.UNKNOWN: yellow("unknown"), Result.HELD: yellow("held")}


class Progress(Protocol):
    """Called from several threads. Ends its view with the block it is opened for."""

    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
    def planned(self, plan: TenantPlan) -> None: ...
    def began(self, change: Change) -> None: ...
    def ended(self, change: Change, outcome: Outcome) -> None: ...


class Lines:
    """At most one line per change of state per resource: what begins if it is grave, what ended, what is waited for from now on.

    A request that was taken in is `sent`, and `done` when it is seen to be.

    What is done to several parts of a resource is one line, once all of them are done or the next plan is made.
    """

    def __init__(self, write: Callable[[str], None], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._write, self._now = write, now
        self._lock = Lock()
        self._said: dict[str, str] = {}
        self._sent: dict[str, Change] = {}
        self._parts: dict[str, Counter[tuple[Address, str]]] = {}
        self._done: Counter[tuple[Address, str]] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.tell_the_rest()

    def count(self, plan: TenantPlan) -> None:
        """How many parts of a resource are each to be changed."""
        self.tell_the_rest(plan.tenant)
        self._tell_seen(plan)
        with self._lock:
            self._parts[plan.tenant] = Counter((change.address, verb(change.action)) for change in plan.changes)

    def _tell_seen(self, plan: TenantPlan) -> None:
        """The requests of which nothing is left to do or to wait for."""
        left = {step.id for step in plan.steps}
        with self._lock:
            seen = [id for id, change in self._sent.items() if change.address.tenant == plan.tenant and id not in left]
            changes = [self._sent.pop(id) for id in seen]
        for change in changes:
            self._say(change.id, Result.DONE, f"{_WORDS[Result.DONE]}    {change.address} {change.action}")

    def tell_the_rest(self, tenant: str = "") -> None:
        """Parts that are done while others are not."""
        with self._lock:
            for key in [key for key in self._done if tenant in ("", key[0].tenant)]:
                self._tell_parts(key, self._done.pop(key))

    def planned(self, plan: TenantPlan) -> None:
        self.count(plan)
        for step in plan.waiting:
            if not step.after:
                self._say(step.id, "waiting", f"{yellow('waiting')} {step.address} {step.action}: {progress_of(step)}")

    def began(self, change: Change) -> None:
        if change.danger:
            self._say(f"{change.address}#{verb(change.action)}", "begun", f"{yellow('begun')}   {change.address} {verb(change.action)}")

    def ended(self, change: Change, outcome: Outcome) -> None:
        key = (change.address, verb(change.action))
        if outcome.result is Result.DONE and is_request(change.id):
            self._say(change.id, SENT, ended_line(change, outcome, yellow(SENT)))
            with self._lock:
                self._sent[change.id] = change
            return
        with self._lock:
            self._sent.pop(change.id, None)  # what was taken in may yet fail
        wanted = self._parts.get(change.address.tenant, Counter[tuple[Address, str]]())[key]
        if wanted < 2 or outcome.result is not Result.DONE:
            self._say(change.id, f"{outcome.result}{outcome.message}", ended_line(change, outcome))
            return
        with self._lock:
            self._done[key] += 1
            if self._done[key] == wanted:
                self._tell_parts(key, self._done.pop(key))

    def _tell_parts(self, key: tuple[Address, str], count: int) -> None:
        self._write(f"{self._now():%H:%M:%S} {_WORDS[Result.DONE]}    {key[0]} {key[1]} ({count})")

    def _say(self, step: str, state: str, text: str) -> None:
        with self._lock:
            if self._said.get(step) != state:
                self._said[step] = state
                self._write(f"{self._now():%H:%M:%S} {text}")


def is_request(step: str) -> bool:
    """Of a step's id."""
    address, _, action = step.partition("#")
    return f"{address.split('/')[1]}#{verb(action)}" in REQUESTS


def ended_line(change: Change, outcome: Outcome, said_as: str = "") -> str:
    word = said_as or _WORDS[outcome.result]
    word += " " * (7 - len(unstyle(word)))
    took = dim(f" in {duration(outcome.seconds)}") if outcome.seconds >= 1 else ""
    said = f": {' '.join(moments(outcome.message).split())}" if outcome.message and outcome.result is not Result.DONE else ""
    return f"{word} {change.address} {change.action}{took}{said}"


class Running:
    """What is under way, for a view that is redrawn: changes with the time since they began, and what is waited for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._changes: dict[str, tuple[Change, float]] = {}
        self._waiting: dict[str, tuple[Waiting, ...]] = {}
        self._largest: dict[str, int] = {}

    def planned(self, plan: TenantPlan) -> None:
        with self._lock:
            found = tuple(step for step in plan.waiting if not step.after)
            self._waiting[plan.tenant] = found
            for step in found:
                self._largest[step.id] = max(step.bytes_left, self._largest.get(step.id, 0))

    def began(self, change: Change) -> None:
        with self._lock:
            self._changes[change.id] = (change, self._clock())

    def ended(self, change: Change) -> None:
        with self._lock:
            self._changes.pop(change.id, None)

    def changes(self) -> list[tuple[Change, float]]:
        """Each with its seconds so far, the oldest first."""
        with self._lock:
            return [(change, self._clock() - began) for change, began in self._changes.values()]

    def waiting(self) -> list[tuple[Waiting, float | None]]:
        """Each with the share that is done of what it had to copy when it was first seen; None where bytes say nothing."""
        with self._lock:
            return [(step, self._share(step)) for found in self._waiting.values() for step in found]

    def _share(self, step: Waiting) -> float | None:
        largest = self._largest.get(step.id, 0)
        return 1 - step.bytes_left / largest if largest else None
