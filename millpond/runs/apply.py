"""The loop over tenants: lease, observe, plan, admit, execute, settle."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Event
from types import MappingProxyType

from millpond import __version__
from millpond.errors import MillpondError, StalePlan
from millpond.execution.executor import Executor
from millpond.execution.journal import Journal
from millpond.execution.lease import Lease
from millpond.execution.redaction import secrets_of
from millpond.execution.run import Run, new_run
from millpond.model.desired import Desired
from millpond.model.finding import Severity
from millpond.model.outcome import ApplyResult, Outcome, Result
from millpond.model.plan import Plan, TenantPlan
from millpond.model.site import Site
from millpond.planning.envelope import Envelope
from millpond.providers.access import Access
from millpond.providers.open import open_providers
from millpond.runs import reviewed
from millpond.runs.fleet import Fleet
from millpond.runs.plan import make_plan, whole
from millpond.runs.progress import Progress
from millpond.runs.signals import await_all, signals
from millpond.runs.tenant import TenantRun

AT_ONCE = 4
"""Tenants worked on side by side: each waits on its array and clouds most of the time."""


@dataclass(frozen=True)
class _Done:
    plan: TenantPlan
    outcomes: tuple[Outcome, ...] = ()
    outages: tuple[tuple[str, float], ...] = ()
    unmeasured: tuple[str, ...] = ()
    estimated: tuple[tuple[str, float], ...] = ()
    error: MillpondError | None = None


def apply_plan(
    site: Site,
    tenants: Sequence[Desired],
    *,
    progress: Progress,
    wave: str = "",
    envelope: Plan | None = None,
    expires: datetime | None = None,
    expect_digest: str = "",
    refused: Mapping[str, MillpondError] = MappingProxyType({}),
) -> ApplyResult:
    """Advances all that can advance. `refused` are tenants whose documents cannot be used: errors of the result beside the others, and
    so are tenants whose documents or clouds are not those of `envelope` any more.

    Without any tenant the result's plan says what removed manifests left behind, and servers that are down hold it.

    StalePlan when `expect_digest`, or `envelope` for all tenants, lead elsewhere than the documents do, or nothing was begun before
    `expires`; LeaseHeld when another run works on a tenant.
    """
    if expect_digest:
        reviewed.expect_digest(tenants, expect_digest)
    if envelope:
        tenants, refused = reviewed.still_reviewed(tenants, envelope, refused)
    if not tenants and not refused:
        plan = make_plan(site, ())
        return ApplyResult(plan, held=any(finding.severity is Severity.BLOCKER for finding in plan.findings))
    directory = Path(site.directory)
    run = new_run(os.environ, directory, __version__)
    journal = Journal.open(site.journal, directory, secrets_of(os.environ))
    journal.begin(run)
    saved = Envelope.of(envelope, expires) if envelope else None
    with signals() as stop:
        pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="tenant")
        fleet = Fleet()
        works = [_Work(site, desired, journal, run, progress, stop, fleet, wave, saved) for desired in tenants]
        futures = [pool.submit(work.to_its_end) for work in works]
        await_all(futures, stop)
        pool.shutdown(wait=False, cancel_futures=True)
        done = [_ended(work, future) for work, future in zip(works, futures, strict=True)]
        interrupted = stop.is_set()
    journal.close()
    alone = done[0] if len(done) == 1 and not refused else None
    if alone and alone.error and not alone.outcomes and not any(wave.outage_since for wave in alone.plan.waves):
        raise alone.error
    result = _result(done, run, interrupted)
    return replace(result, errors=(*result.errors, *refused.items()))


class _Work:
    """One tenant in a thread of its own. An error ends it alone: what was done until then is told beside it."""

    def __init__(
        self,
        site: Site,
        desired: Desired,
        journal: Journal,
        run: Run,
        progress: Progress,
        stop: Event,
        fleet: Fleet,
        wave: str,
        envelope: Envelope | None,
    ) -> None:
        manifest = desired.manifest
        providers = open_providers(site, manifest.source.cloud, manifest.target.cloud, Access.WRITE)
        self._providers = providers
        self._desired, self._stop, self._envelope = desired, stop, envelope
        self._lease = Lease(journal.engine, desired.tenant, run)
        executor = Executor(providers, journal, self._lease, run.id)
        self._loop = TenantRun(desired, providers, executor, run.id, progress, stop, fleet, wave, envelope)

    def to_its_end(self) -> None:
        if not self._stop.is_set():
            with self._lease, self._providers, self._providers.all_told():
                self._loop.until_quiet()

    def abandon(self) -> None:
        """Gives the lease back while a call has no answer yet. What becomes of it the next run sees."""
        self._lease.release()

    def done(self, error: MillpondError | None, *, abandoned: bool) -> _Done:
        work = self._loop
        stopping = any(step.action == "stop" for step in work.plan.waiting)
        plan = work.last_words() if error or abandoned or stopping or self._stop.is_set() else work.plan
        down, estimated = work.outages, tuple(work.estimated.items())
        return _Done(plan, tuple(work.outcomes), down.measured(), down.unmeasured(), estimated, error or self._stale())

    def _stale(self) -> StalePlan | None:
        lines = self._envelope.stale.get(self._desired.tenant) if self._envelope else None
        if not lines:
            return None
        why = "what is needed now is not what was reviewed:\n" + "\n".join(f"  {line}" for line in lines)
        return reviewed.stale(why)


def _ended(work: _Work, future: Future[None]) -> _Done:
    abandoned = not future.done()
    if abandoned:
        work.abandon()
        return work.done(None, abandoned=True)
    if future.cancelled():
        return work.done(None, abandoned=False)
    error = future.exception()
    if error is not None and not isinstance(error, MillpondError):
        raise error
    return work.done(error, abandoned=False)


def _result(done: Sequence[_Done], run: Run, interrupted: bool) -> ApplyResult:
    plan = whole([one.plan for one in done])
    outcomes = tuple(outcome for one in done for outcome in one.outcomes)
    return ApplyResult(
        plan=plan,
        outcomes=outcomes,
        outages=tuple(outage for one in done for outage in one.outages),
        unmeasured=tuple(server for one in done for server in one.unmeasured),
        advanced=any(outcome.result is Result.DONE for outcome in outcomes),
        remaining=any(one.plan.steps for one in done),
        held=any(one.plan.blockers or one.plan.shut for one in done),
        interrupted=interrupted,
        estimated=tuple(pair for one in done for pair in one.estimated),
        run=run.id,
        errors=tuple((one.plan.tenant, one.error) for one in done if one.error),
    )
