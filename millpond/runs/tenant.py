"""One tenant's loop under its lease: observe, plan, perform what is ready, observe what moved, until nothing but long waiting is left."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

from millpond.errors import LeaseHeld, Retryable, Unreachable
from millpond.execution.executor import Executor
from millpond.model.change import AnyStep, Change
from millpond.model.desired import Desired
from millpond.model.outcome import Outcome, Result
from millpond.model.plan import TenantPlan
from millpond.model.snapshot import Snapshot
from millpond.planning.brakes import effective
from millpond.planning.build import build
from millpond.planning.digest import tenant_digest
from millpond.planning.downtime import dated
from millpond.planning.envelope import Envelope
from millpond.planning.expectation import expectations
from millpond.planning.gates import Admission
from millpond.providers.ports import Providers
from millpond.reconcilers.storage.reservation import ACTION as TAKE_BACK
from millpond.runs import reviewed
from millpond.runs.fleet import Fleet
from millpond.runs.observe import observe, observe_again
from millpond.runs.outages import Outages
from millpond.runs.phases import Phases
from millpond.runs.progress import Progress

TOO_OFTEN = 5
"""A change that was done this often and is still asked for does not take effect."""
ATTEMPTS = 60
"""A change that could not be sent, or whose reply was lost, is tried this often: an outage must not end in a run that gave up."""

PATIENCE = 10
OUTAGE_PATIENCE = 60
"""Request timeouts for which an API that answers nothing is asked again once a run has begun; one look alone may take four."""

SHORTEST = 0.1
"""Seconds between two looks at what is waited for."""


@dataclass
class TenantRun:
    """`stop` is set by a signal: nothing new is begun then. `envelope` limits what may be done to a saved plan.

    `plan` is the last one made.
    """

    desired: Desired
    providers: Providers
    executor: Executor
    run: str
    progress: Progress
    stop: Event
    fleet: Fleet
    wave: str = ""
    envelope: Envelope | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    outages: Outages = field(init=False)
    estimated: dict[str, float] = field(default_factory=dict)
    plan: TenantPlan = field(init=False)
    _counts: Counter[str] = field(default_factory=Counter)
    _failed: dict[str, str] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)
    _claimed: set[str] = field(default_factory=set)
    _phases: Phases = field(init=False)
    _expected: set[str] = field(default_factory=set)
    _waits: dict[str, float] = field(default_factory=dict)
    _snapshot: Snapshot = field(default_factory=Snapshot)
    _whole: bool = False
    _booting: dict[str, tuple[Change, float]] = field(default_factory=dict)
    _done_at: float = field(default_factory=time.monotonic)
    _look_took: float = 0.0

    def __post_init__(self) -> None:
        self.plan = TenantPlan(self.desired.tenant, tenant_digest(self.desired))
        self.outages = Outages(self.desired)
        self._phases = Phases(self.desired, self.run, self.stop.is_set)

    def until_quiet(self) -> TenantPlan:
        """Works until there is nothing to do, or only what takes hours, or what failed. Returns the last plan."""
        self.outages.stopped = self.executor.stopped_before(self.desired.tenant)
        self._everything()
        if self.envelope:
            reviewed.expect_in_time(self._plan(), self.envelope.expires, self._snapshot.now)
            self.envelope.met(self.plan, {fact.array: fact.serial for fact in self._snapshot.storage.arrays})
        while True:
            plan = self._after(self._plan())
            ready = self._ready(plan)
            now = self._phases.ready(plan, self._limited(ready))
            if self.stop.is_set():
                return plan
            if now and not self._whole and any(change.action == "record" for change in now):
                self._patiently(self._everything)  # a wave is admitted on fresh facts alone
            elif now and self._phases.before(plan, now):
                self._patiently(self._everything)
            elif now and self._admitted(plan, now):
                self._perform(now, self._soon(plan, ()))
            elif now:
                continue  # another tenant's wave came first: the next plan says which brake holds this one
            elif soon := self._soon(plan, ready):
                self._sleep(soon)
            elif not self._whole:
                self._patiently(self._everything)
            else:
                return plan

    def _admitted(self, plan: TenantPlan, now: Sequence[Change]) -> bool:
        new = {change.wave for change in now if change.action == "record"}
        brakes = effective(self.desired, self._snapshot.now)
        return all(self.fleet.admit(plan.tenant, wave, brakes) for wave in plan.waves if wave.name in new and not wave.admitted)

    def _everything(self) -> None:
        self._snapshot = observe(self.providers, self.desired)
        self._whole = True

    def _plan(self) -> TenantPlan:
        self._check_claims()
        self._settle_failed_boots()
        plan = build(
            self.desired,
            self._snapshot,
            run=self.run,
            tried=frozenset(self._tried),
            wave=self.wave,
            admission=Admission(self.fleet.admitted, self.envelope.expires if self.envelope else None, self._phases.findings),
            waited=self._waited(),
        )
        self._note_waits(plan)
        self.outages.seen(plan, self._snapshot)
        plan = dated(self.desired, self._snapshot, plan, self.outages.stops())
        for address, seconds in plan.outage.servers:
            self.estimated.setdefault(address, seconds)
        self.plan = plan
        self.progress.planned(plan)
        for outage in self.outages.just_ended():
            self.executor.measure(plan.tenant, outage)
        return plan

    def _after(self, plan: TenantPlan) -> TenantPlan:
        """The plan with what became of hooks that its state called for."""
        before = self._phases.findings
        self._phases.after(plan)
        return plan if self._phases.findings == before else self._plan()

    def _waited(self) -> dict[str, float]:
        now = time.monotonic()
        return {step: now - since for step, since in self._waits.items()}

    def _note_waits(self, plan: TenantPlan) -> None:
        now = time.monotonic()
        self._waits = {step.id: self._waits.get(step.id, now) for step in plan.waiting if not step.after}

    def _check_claims(self) -> None:
        """Read back from the cut records: a run that finds another's name where it had written its own stops."""
        for server in self._snapshot.source.servers:
            if server.record is None or not server.record.cut:
                continue
            if server.record.run == self.run:
                self._claimed.add(server.id)
            elif server.id in self._claimed:
                raise LeaseHeld(
                    f"run {server.record.run} has taken over the cut of {server.name}",
                    where=str(self.desired.address("server", server.id)),
                    fix="This run stops here and has sent nothing more. See who is at work:",
                    command=f"millpond status {self.desired.tenant}",
                )

    def _ready(self, plan: TenantPlan) -> list[Change]:
        """Changes that come after nothing that is still to do. With a blocker of the whole tenant, only waves under way go on."""
        blocked = any(not finding.wave for finding in plan.blockers)
        under_way = {status.name for status in plan.waves if status.admitted}
        ready = [
            change
            for change in plan.changes
            if not change.after and change.id not in self._failed and not (blocked and change.wave not in under_way)
        ]
        return self.envelope.allowed(plan.tenant, ready) if self.envelope else ready

    def _perform(self, ready: list[Change], waits: Sequence[AnyStep]) -> None:
        """What is waited for meanwhile is looked at too: a server that has come must not wait for the end of somebody else's chain."""
        changes = {change.id: change for change in ready}
        self._note_boots(changes.values())
        self._note_expectations(ready)
        for change in changes.values():
            self.progress.began(change)
        held = False
        try:
            for outcome in self.executor.perform(list(changes.values()), self.stop.is_set, self.outages.sending):
                self._settle(changes[outcome.step], outcome)
                again = self._counts[outcome.step] > 1
                held = held or outcome.result is Result.HELD or (outcome.result is Result.UNKNOWN and again)
        finally:
            self.outages.all_told()
        if held:
            self._pause()
        self._done_at = time.monotonic()
        self._look_again((*ready, *waits))

    def _limited(self, ready: list[Change]) -> list[Change]:
        """Boots beyond `limits.builds` wait until one of ours has ended: parallel boots race for hosts and addresses."""
        building = sum(1 for server in self._snapshot.target.servers if server.status == "BUILD" and server.marker)
        room = max(0, self.desired.site.limits.builds - building)
        boots = [change for change in ready if change.kind == "server" and change.action == "create"]
        late = {change.id for change in boots[room:]}
        return [change for change in ready if change.id not in late]

    def _note_boots(self, changes: Iterable[Change]) -> None:
        self._tried.update(*map(self._boots, changes))

    def _note_expectations(self, ready: Sequence[Change]) -> None:
        """What the plan says of an outage stands in the journal before the outage begins."""
        for expectation in expectations(self.desired, self.plan, ready):
            servers = {server for server, _ in expectation.servers}
            if servers - self._expected:
                self._expected |= servers
                self.executor.expect(self.plan.tenant, expectation)

    def _boots(self, change: Change) -> set[str]:
        """The declared boot that this change sends, if it is one."""
        if change.kind != "server" or change.action != "create":
            return set()
        record = next((server.record for server in self._snapshot.source.servers if server.id == change.source_id), None)
        return {f"{change.source_id}@{record.booting if record else ''}"}

    def _settle(self, change: Change, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._counts[change.id] += 1
        if self._boots(change) and outcome.result in (Result.DONE, Result.UNKNOWN):
            self._booting[change.source_id] = (change, time.monotonic())
        if outcome.result is Result.HELD:
            self._tried -= self._boots(change)  # a boot that was not taken in can be sent again at once
        if outcome.result is Result.DONE and change.id.endswith(f"#{TAKE_BACK}"):
            self._refused_no_more(change)
        if outcome.result is Result.FAILED:
            self._failed[change.id] = outcome.message
        elif self._counts[change.id] >= (TOO_OFTEN if outcome.result is Result.DONE else ATTEMPTS):
            message = outcome.message or "it was carried out several times and did not take effect"
            self._failed[change.id] = message
            self.outcomes.append(replace(outcome, result=Result.FAILED, message=message))
        self.outages.settled(change, outcome)
        self.progress.ended(change, self.outcomes[-1])

    def _settle_failed_boots(self) -> None:
        """A boot that Nova took in is done when its server is there, and failed when that is in ERROR. It is counted and tried again."""
        for server in self._snapshot.target.servers:
            if server.status == "ERROR" and server.marker in self._booting:
                change, sent = self._booting.pop(server.marker)
                said = server.fault or "its server is in ERROR, and the target's Nova gives no fault"
                self.outcomes.append(Outcome(change.id, Result.FAILED, time.monotonic() - sent, said))
                self.progress.ended(change, self.outcomes[-1])

    def _refused_no_more(self, change: Change) -> None:
        """What refused a boot after it had reserved a disk may have passed: it is sent again, `limits.attempts` times in one run."""
        boots = (f"{self.desired.address('server', id)}#create" for id in change.servers)
        for boot in boots:
            if self._counts[boot] < self.desired.site.limits.attempts:
                self._failed.pop(boot, None)

    def _soon(self, plan: TenantPlan, ready: Sequence[Change]) -> list[AnyStep]:
        """What will come by itself soon, and boots that are not let in yet: no need to end the run for it."""
        return [*(wait for wait in plan.waiting if not wait.long and not wait.after), *ready]

    def _sleep(self, waits: Sequence[AnyStep]) -> None:
        """For a tenth of the time that was waited already, but no shorter than a look takes and no longer than `limits.poll`."""
        waited = time.monotonic() - self._done_at
        self.stop.wait(min(self.desired.site.limits.poll, max(self._look_took, SHORTEST, waited / 10)))
        self._look_again(waits)

    def _pause(self) -> None:
        self.stop.wait(self.desired.site.limits.poll)

    def _look_again(self, steps: Sequence[AnyStep]) -> None:

        def look() -> None:
            begun = time.monotonic()
            self._snapshot = observe_again(self.providers, self.desired, self._snapshot, steps)
            self._whole = False
            self._look_took = time.monotonic() - begun

        self._patiently(look)

    def _patiently(self, look: Callable[[], None]) -> None:
        """An API that does not answer for a while is asked again: a run must not end in the middle of an outage for that."""
        begun = time.monotonic()
        while True:
            try:
                return look()
            except (Unreachable, Retryable):
                if time.monotonic() - begun >= self._patience() or self.stop.is_set():
                    raise
                self._pause()

    def _patience(self) -> float:
        down = any(wave.outage_since for wave in self.outages.still(self.plan.waves))
        return (OUTAGE_PATIENCE if down else PATIENCE) * self.desired.site.limits.request_timeout

    @property
    def failures(self) -> dict[str, str]:
        return dict(self._failed)

    def last_words(self) -> TenantPlan:
        """The last plan, for a run that ends before its stops have shown: servers that it stopped since count as down, seen or not."""
        return replace(self.plan, waves=self.outages.still(self.plan.waves))
