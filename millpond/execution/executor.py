"""Carries out changes: intent into the journal, one call, outcome into the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from millpond.errors import InvariantBroken, LeaseHeld, MillpondError, RemoteFailure, Retryable, UnknownOutcome, Unreachable
from millpond.execution.journal import Journal
from millpond.execution.lease import Lease
from millpond.execution.outages import stops_of
from millpond.execution.store import JournalUnusable
from millpond.model.change import Change
from millpond.model.cutover import Expectation, Outage, Stop
from millpond.model.outcome import Outcome, Result
from millpond.providers.ports import Providers
from millpond.reconcilers.invariants import everything_is_known
from millpond.reconcilers.registry import BY_KIND


@dataclass(frozen=True)
class _Ended:
    """`outcome` None: nothing was sent. `error`: why nothing more may be."""

    outcome: Outcome | None = None
    error: MillpondError | None = None


class Executor:
    """Performs changes that are ready, several at once. It decides nothing: what is ready was decided by the plan."""

    def __init__(self, providers: Providers, journal: Journal, lease: Lease, run: str, workers: int = 16) -> None:
        self._providers, self._journal, self._lease, self._run, self._workers = providers, journal, lease, run, workers

    def perform(self, changes: Sequence[Change], stop: Callable[[], bool], sending: Callable[[Change], None]) -> Iterator[Outcome]:
        """One outcome per change that was sent, as they end; `sending` is told of each just before, in the thread that sends it.

        Once `stop` says so, nothing new is begun. LeaseHeld when the lease was lost, JournalUnusable when the journal takes nothing more:
        nothing new is begun then either, and it is raised after the outcomes of all that had been sent.
        """
        waiting = list(changes)
        errors: list[MillpondError] = []
        with ThreadPoolExecutor(max_workers=self._workers, thread_name_prefix="perform") as pool:
            running: set[Future[_Ended]] = set()
            while running or (waiting and not errors and not stop()):
                while waiting and not errors and len(running) < self._workers and not stop():
                    running.add(pool.submit(self._one, waiting.pop(0), sending))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for ended in (future.result() for future in done):
                    errors += [ended.error] if ended.error else []
                    if ended.outcome:
                        yield ended.outcome
        if errors:
            raise errors[0]

    def stopped_before(self, tenant: str) -> dict[str, Stop]:
        """What the journal remembers of former runs: see `stops_of`."""
        return stops_of(self._journal.entries(tenant))

    def expect(self, tenant: str, expectation: Expectation) -> None:
        self._journal.expect(self._run, tenant, expectation)

    def measure(self, tenant: str, outage: Outage) -> None:
        self._journal.measure(self._run, tenant, outage)

    def _one(self, change: Change, sending: Callable[[Change], None]) -> _Ended:
        try:
            self._lease.require()
            intent = self._journal.intend(self._run, change, self._lease.token)
            sending(change)
            outcome = self._call(change, time.monotonic())
        except (LeaseHeld, JournalUnusable) as error:
            return _Ended(error=error)
        try:
            return _Ended(self._journal.settle(intent, outcome))
        except JournalUnusable as error:
            return _Ended(self._journal.fit_to_keep(outcome), error)

    def _call(self, change: Change, begun: float) -> Outcome:
        try:
            everything_is_known(change)
            BY_KIND[change.kind].perform(change, self._providers)
        except UnknownOutcome as error:
            return _outcome(change, Result.UNKNOWN, begun, error)
        except (InvariantBroken, Retryable, Unreachable) as error:  # a login that got no answer sent nothing
            return _outcome(change, Result.HELD, begun, error)
        except LeaseHeld:
            raise
        except RemoteFailure as error:
            return _outcome(change, Result.FAILED, begun, error)
        return Outcome(change.id, Result.DONE, time.monotonic() - begun)


def _outcome(change: Change, result: Result, begun: float, error: MillpondError) -> Outcome:
    message = f"{error.why}. To do: {error.fix}" if error.fix and result is Result.FAILED else error.why
    return Outcome(change.id, result, time.monotonic() - begun, message)
