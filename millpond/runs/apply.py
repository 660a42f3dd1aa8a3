"""The loop over tenants: lease, observe, plan, admit, execute, settle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, current_thread, main_thread
from types import FrameType

from millpond import __version__
from millpond.errors import MillpondError, StalePlan
from millpond.execution.executor import Executor
from millpond.execution.journal import Journal
from millpond.execution.lease import Lease
from millpond.execution.redaction import secrets_of
from millpond.execution.run import Run, new_run
from millpond.model.desired import Desired
from millpond.model.outcome import ApplyResult, Outcome, Result
from millpond.model.plan import Plan, TenantPlan
from millpond.model.site import Site
from millpond.planning.digest import plan_digest, tenant_digest
from millpond.planning.envelope import Envelope
from millpond.providers.access import Access
from millpond.providers.open import open_providers
from millpond.runs.plan import whole
from millpond.runs.progress import Progress
from millpond.runs.tenant import TenantRun

AT_ONCE = 4
"""Tenants worked on side by side: each waits on its array and clouds most of the time."""


@dataclass(frozen=True)
class _Done:
    plan: TenantPlan
    outcomes: tuple[Outcome, ...] = ()
    outages: tuple[tuple[str, float], ...] = ()
    estimated: tuple[tuple[str, float], ...] = ()
    error: MillpondError | None = None


def apply_plan(
    site: Site,
    tenants: Sequence[Desired],
    *,
    progress: Progress,
    wave: str = "",
    envelope: Plan | None = None,
    expect_digest: str = "",
) -> ApplyResult:
    """Advances all that can advance.

    StalePlan when `expect_digest` or `envelope` lead elsewhere than the documents do; LeaseHeld when another run works on a tenant.
    """
    _expected(tenants, expect_digest, envelope)
    directory = Path(site.directory)
    run = new_run(os.environ, directory, __version__)
    journal = Journal.open(site.journal, directory, secrets_of(os.environ))
    journal.begin(run)
    saved = Envelope.of(envelope) if envelope else None
    with _signals() as stop, ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="tenant") as pool:
        futures = [pool.submit(_tenant, site, desired, journal, run, progress, stop, wave, saved) for desired in tenants]
        done = [future.result() for future in futures]
        interrupted = stop.is_set()
    if saved and any(saved.stale.values()):
        raise StalePlan(_stale_text(saved), fix="Make the plan again and have it reviewed:", command="millpond plan -o plan.json")
    if len(done) == 1 and done[0].error and not done[0].outcomes:
        raise done[0].error
    return _result(done, run, interrupted)


def _tenant(
    site: Site,
    desired: Desired,
    journal: Journal,
    run: Run,
    progress: Progress,
    stop: Event,
    wave: str,
    envelope: Envelope | None,
) -> _Done:
    """One tenant to its end. An error ends it alone: what was done until then is told beside it."""
    manifest = desired.manifest
    providers = open_providers(site, manifest.source.cloud, manifest.target.cloud, Access.WRITE)
    work: TenantRun | None = None
    error: MillpondError | None = None
    try:
        with Lease(journal.engine, desired.tenant, run) as lease:
            executor = Executor(providers, journal, lease, run.id)
            work = TenantRun(desired, providers, executor, run.id, progress, stop, wave, envelope)
            work.until_quiet()
    except MillpondError as failure:
        error = failure
    if work is None:
        return _Done(TenantPlan(desired.tenant, tenant_digest(desired)), error=error)
    plan = work.last_words() if error else work.plan
    return _Done(plan, tuple(work.outcomes), work.measured(), tuple(work.estimated.items()), error)


def _expected(tenants: Sequence[Desired], expect_digest: str, envelope: Plan | None) -> None:
    digests = {desired.tenant: tenant_digest(desired) for desired in tenants}
    if expect_digest:
        found = plan_digest(digests.values())
        if expect_digest not in (found, *digests.values()):
            raise StalePlan(
                f"the documents lead to {found}, expected was {expect_digest}",
                fix="Somebody changed the documents since they were reviewed. Make the plan again:",
                command="millpond plan",
            )
    if envelope:
        moved = [t.tenant for t in envelope.tenants if t.tenant in digests and t.digest != digests[t.tenant]]
        if moved:
            raise StalePlan(
                f"the documents of {', '.join(moved)} changed since the plan was made",
                fix="Make the plan again and have it reviewed:",
                command="millpond plan -o plan.json",
            )


def _stale_text(envelope: Envelope) -> str:
    lines = [line for found in envelope.stale.values() for line in found]
    return "what is needed now is not what was reviewed:\n" + "\n".join(f"  {line}" for line in lines)


def _result(done: Sequence[_Done], run: Run, interrupted: bool) -> ApplyResult:
    plan = whole([one.plan for one in done])
    outcomes = tuple(outcome for one in done for outcome in one.outcomes)
    return ApplyResult(
        plan=plan,
        outcomes=outcomes,
        outages=tuple(outage for one in done for outage in one.outages),
        advanced=any(outcome.result is Result.DONE for outcome in outcomes),
        remaining=any(one.plan.steps for one in done),
        held=any(one.plan.blockers for one in done),
        interrupted=interrupted,
        estimated=tuple(pair for one in done for pair in one.estimated),
        run=run.id,
        errors=tuple((one.plan.tenant, one.error) for one in done if one.error),
    )


@contextmanager
def _signals() -> Iterator[Event]:
    """SIGINT and SIGTERM set the event; a second one ends the process at once."""
    stop = Event()
    if current_thread() is not main_thread():
        yield stop
        return

    def told(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, action in before.items():
            signal.signal(number, action)
