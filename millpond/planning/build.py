"""Builds one tenant's plan from its desired state and a snapshot: pure, the same input gives the same plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from millpond.model.change import AnyStep, Change, Effect, Waiting
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import OutageEstimate, Stage, TenantPlan
from millpond.model.snapshot import Snapshot
from millpond.planning import drift, exclusions, leftovers, orphans, preflight
from millpond.planning.brakes import overridden
from millpond.planning.causes import told_once
from millpond.planning.digest import tenant_digest
from millpond.planning.estimate import estimate
from millpond.planning.gates import Admission, decommission_gates, too_long_for_their_windows, wave_gates
from millpond.planning.hooks import announced
from millpond.planning.ordering import after, ordered
from millpond.planning.stages import SOURCE_GONE, records
from millpond.planning.stages import goals as goals_of
from millpond.planning.statuses import statuses
from millpond.planning.target_drift import target_drift
from millpond.planning.timeouts import Waited, overdue
from millpond.reconcilers.base import Goals
from millpond.reconcilers.identity.source_project import ADMIT, admission_tag
from millpond.reconcilers.registry import RECONCILERS


def build(
    desired: Desired,
    snapshot: Snapshot,
    *,
    run: str = "",
    tried: frozenset[str] = frozenset(),
    wave: str = "",
    admission: Admission | None = None,
    waited: Waited = MappingProxyType({}),
) -> TenantPlan:
    """The whole plan. `run` is the executing run's id, empty for a plan that is only shown; `wave` narrows what may be cut to one wave.

    `admission`: what that run judges a wave by, beside documents and snapshot; `waited`: for how long it has looked at what is under way.
    """
    digest, admission = tenant_digest(desired), admission or Admission()
    goals, stage_findings = goals_of(desired, snapshot, run, tried)
    if any(finding.code == SOURCE_GONE for finding in stage_findings):  # without the source all else is guesswork
        return TenantPlan(desired.tenant, digest, findings=stage_findings, waves=statuses(desired, snapshot, goals))
    goals = replace(goals, digest=digest, stages=_narrowed(desired, snapshot, goals, wave))
    kinds = [reconciler.plan(desired, snapshot, goals) for reconciler in RECONCILERS]
    steps: tuple[AnyStep, ...] = tuple(step for kind in kinds for step in kind.steps)
    steps, late = overdue(desired, snapshot, steps, waited)
    moved = drift.source_drift(desired, snapshot, goals)
    findings = told_once(
        (
            *stage_findings,
            *exclusions.findings(desired),
            *preflight.findings(desired, snapshot, goals),
            *(finding for kind in kinds for finding in kind.findings),
            *late,
            *overridden(desired, snapshot.now),
            *announced(desired, goals),
            *(finding for finding in admission.hooks if finding.severity is not Severity.BLOCKER),
            *drift.source_findings(desired, goals, moved),
            *orphans.findings(desired, snapshot, goals),
            *leftovers.findings(desired, snapshot, goals),
        )
    )
    in_order = ordered(steps)
    outage = estimate(in_order)
    findings = (*findings, *too_long_for_their_windows(desired, snapshot, goals, outage))
    gates, may_open, held = _gates(desired, snapshot, goals, findings, outage, admission, wave)
    steps = _opened(_claimed_for_work(ordered((*steps, *gates)) if gates else in_order), may_open)
    if goals.decommission:
        steps = tuple(admitted_by(step, desired.inventory.project.id, digest) for step in steps)
        steps, more = _decommissioned(desired, snapshot, digest, steps, findings, admission)
        held = (*held, *more)
    return TenantPlan(
        tenant=desired.tenant,
        digest=digest,
        steps=steps,
        findings=_sorted((*findings, *held)),
        drift=(*(one.drift for one in moved), *target_drift(desired, snapshot, goals)),
        waves=statuses(desired, snapshot, goals),
        outage=outage,
    )


def _narrowed(desired: Desired, snapshot: Snapshot, goals: Goals, wave: str) -> dict[str, Stage]:
    """With `--wave`, others of which nothing was cut yet stay as they are; of the rest of those that are not admitted the gate is shut."""
    if not wave:
        return dict(goals.stages)
    touched = {one.name for one in desired.waves if records(snapshot, one) or not goals.verified.isdisjoint(one.servers)}
    return {
        name: Stage.REPLICATE if name != wave and stage is Stage.CUT and name not in touched else stage
        for name, stage in goals.stages.items()
    }


def _gates(
    desired: Desired,
    snapshot: Snapshot,
    goals: Goals,
    findings: tuple[Finding, ...],
    outage: OutageEstimate,
    admission: Admission,
    only: str,
) -> tuple[tuple[Waiting, ...], set[str], tuple[Finding, ...]]:
    """A gate before each cut that is not admitted; the ids of those that one thing alone may hold; and what is told of them."""
    gates: dict[str, Waiting] = {}
    shut: set[str] = set()
    held: list[Finding] = []
    for wave, finding, waiting in wave_gates(desired, snapshot, goals, findings, outage, admission, only):
        held += [finding] if finding else []
        if wave in gates:
            shut.add(wave)
        if not (wave in gates and gates[wave].long):
            gates[wave] = waiting
    may_open = {waiting.id for name, waiting in gates.items() if name not in shut}
    return tuple(gates.values()), may_open, tuple(held)


def _claimed_for_work(steps: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
    """A run that has nothing to do for a server, and nothing to wait for beside it, does not write its name into the server's record."""
    needed = {id for step in steps if not (isinstance(step, Waiting) and step.long) for id in step.after}
    return _without(steps, {step.id for step in steps if step.action == "claim" and step.id not in needed})


def _opened(steps: tuple[AnyStep, ...], may_open: set[str]) -> tuple[AnyStep, ...]:
    """Without the gates that hold nothing back."""
    return _without(steps, {step.id for step in steps if step.id in may_open and not step.after})


def _without(steps: tuple[AnyStep, ...], gone: set[str]) -> tuple[AnyStep, ...]:
    if not gone:
        return steps
    kept = (step for step in steps if step.id not in gone)
    return tuple(after(step, tuple(id for id in step.after if id not in gone)) for step in kept)


AT_THE_END = ("delete_on_termination", "detach", "let_go_to_delete")
"""What only a decommissioning does, beside deleting."""


def _decommissioned(
    desired: Desired,
    snapshot: Snapshot,
    digest: str,
    steps: tuple[AnyStep, ...],
    findings: tuple[Finding, ...],
    admission: Admission,
) -> tuple[tuple[AnyStep, ...], tuple[Finding, ...]]:
    """Everything of a decommissioning comes after its admission, and that after soak and approval."""
    admit = next((step.id for step in steps if step.kind == "source_project" and step.action == ADMIT), "")
    if not admit:
        return steps, ()
    held: list[Finding] = []
    waits: list[Waiting] = []
    volumes = sum(1 for step in steps if isinstance(step, Change) and step.kind == "source_volume" and step.action == "delete")
    for finding, waiting in decommission_gates(desired, snapshot, digest, volumes, admission):
        held += [finding] if finding else []
        waits += [waiting] if waiting else []
    if held or any(f.severity is Severity.BLOCKER for f in findings):
        waits.append(Waiting(desired.address("gate", "decommission"), "approval", "held by blockers", long=True))
    gates = tuple(dict.fromkeys(wait.id for wait in waits))
    result: list[AnyStep] = list({wait.id: wait for wait in waits}.values())
    for step in steps:
        if step.id == admit:
            result.append(replace(step, after=(*step.after, *gates)))
        elif isinstance(step, Change) and _only_at_the_end(step):
            result.append(replace(step, after=(*step.after, admit)))
        else:
            result.append(step)
    return tuple(result), tuple(held)


def admitted_by(step: AnyStep, project: str, digest: str) -> AnyStep:
    """All that a decommissioning alone does names the project, and the tag of its own admission there, that `perform` reads back."""
    if isinstance(step, Change) and _only_at_the_end(step):
        return replace(step, parameters={**step.parameters, "source_project": project, "admission": admission_tag(digest)})
    return step


def _only_at_the_end(step: Change) -> bool:
    return step.effect is Effect.DELETE or step.action.startswith(AT_THE_END)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    rank = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.INFO: 2}
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda f: (rank[f.severity], str(f.address), f.code)))
