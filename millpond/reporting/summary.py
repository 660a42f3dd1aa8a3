"""What a plan comes to: the counts, the lines that CI tools parse, and the migration's own line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from millpond.model.change import Change, Effect, Waiting
from millpond.model.finding import STRANDED, Finding, Severity
from millpond.model.plan import BACK, Plan, Stage, TenantPlan, WaveStatus
from millpond.reporting.amounts import counted, duration, moment

NO_CHANGES = "No changes. Your infrastructure matches the configuration."
UNAPPROVED = "decommission_unapproved"
"""The code of the finding that holds no wave, but the end of all of them."""


@dataclass(frozen=True)
class Counts:
    """Resources, however many rungs each has to climb. One that is destroyed and created again counts in both."""

    add: int = 0
    change: int = 0
    destroy: int = 0

    def __str__(self) -> str:
        return f"{self.add} to add, {self.change} to change, {self.destroy} to destroy"


def counts(changes: Iterable[Change]) -> Counts:
    effects = [effects_on(group) for group in resources(changes)]
    return Counts(
        add=sum(Effect.CREATE in found for found in effects),
        change=sum(found == {Effect.UPDATE} for found in effects),
        destroy=sum(Effect.DELETE in found for found in effects),
    )


def resources(changes: Iterable[Change]) -> list[tuple[Change, ...]]:
    """The changes by resource and side, in the order of their first ones."""
    found: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        found.setdefault((str(change.address), change.side), []).append(change)
    return [tuple(group) for group in found.values()]


_BESIDE = frozenset({"safety_snapshot", "drop_safety_snapshot"})
"""What they make and delete is another object; the replication group stays."""


def effects_on(group: Iterable[Change]) -> frozenset[Effect]:
    """What becomes of a resource as a whole. A floating IP that is deleted and whose address is then parked is not made anew."""
    verbs = {change.action.partition(":")[0]: change.effect for change in group}
    found = {Effect.UPDATE if verb in _BESIDE else effect for verb, effect in verbs.items()}
    return frozenset(found - {Effect.CREATE} if "park" in verbs and Effect.DELETE in found else found)


def lost(tenant: TenantPlan, wave: str, names: Callable[[Sequence[str]], str]) -> str:
    """What a rollback that discards costs; empty where nothing is lost. `names` tells the servers' names."""
    status = next((status for status in tenant.waves if status.name == wave and status.stage is Stage.DISCARD), None)
    if status is None:
        return ""
    servers = [address.rpartition("/")[2] for address in status.servers]
    return f"all that was written on the target since {moment(status.cut)} by {names(servers) if servers else 'its volumes'}"


def stranded(tenant: TenantPlan) -> list[str]:
    """What happens to servers of which the plan has no change at all: told with its dangers where it moves their gateway to the target."""
    if not any(change.kind == "segment" and change.action.partition(":")[0] == "finish" for change in tenant.changes):
        return []
    return [finding.what for finding in tenant.findings if finding.code == STRANDED]


def extent(changes: Collection[Change]) -> str:
    """`4 steps on 3 resources`: the counts of a plan are of resources, what is listed are steps."""
    return f"{counted(len(changes), 'step')} on {counted(len(resources(changes)), 'resource')}"


def all_changes(plan: Plan) -> list[Change]:
    return [change for tenant in plan.tenants for change in tenant.changes]


def is_quiet(plan: Plan) -> bool:
    """Nothing to do, nothing to wait for, nothing that holds anything, every tenant planned. Without a manifest nothing can match."""
    return bool(plan.tenants) and not plan.errors and not blockers(plan) and not any(tenant.steps for tenant in plan.tenants)


def blockers(plan: Plan) -> list[Finding]:
    every = [*plan.findings, *(finding for tenant in plan.tenants for finding in tenant.findings)]
    return [finding for finding in every if finding.severity is Severity.BLOCKER]


def plan_line(plan: Plan) -> str:
    """Printed verbatim: CI tools parse it."""
    return NO_CHANGES if is_quiet(plan) else f"Plan: {counts(all_changes(plan))}."


def destroyed_line(plan: Plan) -> str:
    """What of those to destroy no danger names; empty where there is none."""
    groups = [group for tenant in plan.tenants for group in resources(tenant.changes) if Effect.DELETE in effects_on(group)]
    grave = sum(any(change.danger for change in group) for group in groups)
    if grave == len(groups):
        return ""
    named = f"{grave} are" if grave > 1 else "one is" if grave else "none is"
    return f"Of those to destroy {named} named at the top; {len(groups) - grave} only served the migration."


def digest_lines(plan: Plan) -> list[str]:
    """Each tenant's own is what its approvals name; `--expect-digest` takes that of all together, too."""
    of_all = [f"Digest of all {len(plan.tenants)} tenants: {plan.digest}"] if len(plan.tenants) > 1 else []
    return [*(f"Digest of {tenant.tenant}: {tenant.digest}" for tenant in plan.tenants), *of_all]


def waves_in(plan: Plan, stages: Iterable[Stage]) -> list[tuple[TenantPlan, WaveStatus]]:
    """The waves that are to go there and have steps left."""
    wanted = frozenset(stages)
    return [(t, w) for t in plan.tenants for w in t.waves if w.stage in wanted and any(step.wave == w.name for step in t.steps)]


def decommissions(plan: Plan) -> list[TenantPlan]:
    """Tenants; of one without servers and volumes, which has no waves, its project's end tells."""
    return [t for t in plan.tenants if t.changes and (any(w.stage is Stage.DECOMMISSION for w in t.waves) or _project_goes(t))]


def _project_goes(tenant: TenantPlan) -> bool:
    return any(change.kind == "source_project" and change.effect is Effect.DELETE for change in tenant.changes)


def migration_line(plan: Plan) -> str:
    """`Migration: 1 cutover (3 servers), 0 rollbacks, 0 decommissions; outage about 48 s, critical path db-1.`"""
    cuts, back = waves_in(plan, {Stage.CUT}), waves_in(plan, BACK)
    parts = [_waves(cuts, "cutover"), _waves(back, "rollback"), counted(len(decommissions(plan)), "decommission")]
    return f"Migration: {', '.join(parts)}{_outage(plan)}."


def outage_words(tenant: TenantPlan, servers: Collection[str]) -> str:
    """`outage about 48 s, critical path db-1`: of the server among `servers` (addresses) that is down the longest; empty where none is."""
    seconds = [(address, length) for address, length in tenant.outage.servers if address in servers]
    if not seconds:
        return ""
    longest, length = max(seconds, key=lambda pair: pair[1])
    return f"outage about {duration(length)}, critical path {longest.rpartition('/')[2]}"


def holds(finding: Finding) -> str:
    """What a blocker holds, in words."""
    if finding.code == UNAPPROVED:
        return "the decommissioning"
    return f"wave {finding.wave}" if finding.wave else "the whole tenant"


def shuts(gate: Waiting) -> str:
    """What a gate keeps from beginning, in words."""
    return "the decommissioning" if gate.address.name == "decommission" else f"wave {gate.wave}"


def _waves(waves: list[tuple[TenantPlan, WaveStatus]], noun: str) -> str:
    servers = sum(len(wave.servers) for _, wave in waves)
    return counted(len(waves), noun) + (f" ({counted(servers, 'server')})" if waves else "")


def _outage(plan: Plan) -> str:
    longest = max(plan.tenants, key=lambda tenant: tenant.outage.longest, default=None)
    words = outage_words(longest, dict(longest.outage.servers)) if longest else ""
    return f"; {words}" if words else ""
