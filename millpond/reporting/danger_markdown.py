"""What a reviewer must not miss: what is stopped, promoted and deleted, what that costs, what is held, who has to approve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from millpond.model.change import Change
from millpond.model.finding import Finding, Severity
from millpond.model.plan import Plan, TenantPlan
from millpond.reporting.amounts import counted, moments
from millpond.reporting.change_text import CANNOT_BE_UNDONE, PLACES
from millpond.reporting.markdown import code, fence, prose
from millpond.reporting.sequence import by_wave
from millpond.reporting.summary import UNAPPROVED, blockers, extent, holds, lost, outage_words, stranded
from millpond.reporting.to_do_markdown import to_do

_PARTS = ("_gateway", "_routes")
"""How actions end that name what they change of a resource."""


@dataclass(frozen=True)
class Detail:
    """`names`: how many objects of one kind of step are named. `each`: a line for every tenant, else one for all. `reasons`: why a blocker
    holds, what to do, and the patch."""

    names: int
    each: bool = True
    reasons: bool = True


DETAILS = (Detail(1000), Detail(20), Detail(5), Detail(0), Detail(0, reasons=False), Detail(0, each=False, reasons=False))
"""From all that is known to what is never left out."""


def danger_blocks(plan: Plan, detail: Detail) -> list[str]:
    """Markdown; empty where the plan stops, promotes and deletes nothing and nothing holds it."""
    who = [f"- {phase}: by {', '.join(map(code, names))}" for phase, names in plan.approvers.items()]
    return _section("What stops, promotes or deletes", _dangers(plan, detail)) + held_blocks(plan, detail, who)


def held_blocks(plan: Plan, detail: Detail, approvers: Sequence[str] = ()) -> list[str]:
    """What needs an approval, what blockers hold, which tenants could not be planned.

    `approvers`: who must approve it all, a line for each phase. They stand in code, which notifies nobody: the comment is edited with
    every push.
    """
    found = blockers(plan)
    lines = _section("Must be approved", [*approvers, *_findings((f for f in found if f.code == UNAPPROVED), detail, "approval")])
    lines += _section("Held", _findings((f for f in found if f.code != UNAPPROVED), detail, "blocker"))
    return lines + _section("Not planned", [f"- {code(tenant)}: {prose(moments(summary))}" for tenant, summary in plan.errors])


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"#### {title}", "", *lines] if lines else []


def _dangers(plan: Plan, detail: Detail) -> list[str]:
    if not detail.each:
        return _of_all(plan)
    return [line for tenant in plan.tenants for line in _of_tenant(tenant, detail)]


def _of_tenant(tenant: TenantPlan, detail: Detail) -> list[str]:
    lines: list[str] = []
    for wave, changes in by_wave(tenant).items():
        grave = [change for change in changes if change.danger]
        if not grave:
            continue
        own = next((status.servers for status in tenant.waves if status.name == wave), ())
        where = f"{code(tenant.tenant)}, wave {code(wave)}" if wave else f"{code(tenant.tenant)}, tenant-wide"
        said = (counted(len(own), "server") if own else "", extent(grave), prose(outage_words(tenant, own)))
        head = "; ".join(word for word in said if word)
        costs = _lost(tenant, wave, detail.names)
        if not detail.names:
            lines += [f"- {where}: {_numbers(grave)}; {head}", *costs]
            continue
        lines += [
            f"- {where}: {head}",
            *costs,
            *_kinds(grave, detail.names),
            *_critical_path(tenant, own, detail.names),
        ]
    return [*lines, *(f"- {code(tenant.tenant)}: {prose(what)}" for what in stranded(tenant) if lines)]


def _lost(tenant: TenantPlan, wave: str, names: int) -> list[str]:
    what = lost(tenant, wave, lambda servers: _listed(servers, names) if names else counted(len(servers), "server"))
    return [f"  - **lost**: {what}"] if what else []


def _of_all(plan: Plan) -> list[str]:
    grave = [change for tenant in plan.tenants for change in tenant.changes if change.danger]
    tenants = {change.address.tenant for change in grave}
    return [f"- In {counted(len(tenants), 'tenant')}: {_numbers(grave)}; {extent(grave)}. The table names them."] if grave else []


def _kinds(changes: Iterable[Change], names: int) -> list[str]:
    """`  - stop on the source: db-1, web-1`, a line for each kind of step."""
    found: dict[str, dict[str, None]] = {}
    for change in changes:
        undone = "" if change.reversible else f", {CANNOT_BE_UNDONE}"
        of = " of" if change.action.endswith(_PARTS) else ""
        step = f"{_verb(change)}{of} {change.kind.removeprefix('source_').replace('_', ' ')} on the {PLACES[change.side]}{undone}"
        found.setdefault(step, {})[change.address.name] = None
    return [f"  - {step}: {_listed(list(objects), names)}" for step, objects in found.items()]


def _listed(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(code(name) for name in names[:most]) + more


def _numbers(changes: Iterable[Change]) -> str:
    """`stop 2, promote 1, delete 30 (cannot be undone)`."""
    found = Counter((_verb(change), change.reversible) for change in changes)
    return ", ".join(f"{verb} {count}{'' if reversible else f' ({CANNOT_BE_UNDONE})'}" for (verb, reversible), count in found.items())


def _critical_path(tenant: TenantPlan, own: Sequence[str], names: int) -> list[str]:
    """What the server waits for that is down the longest, if it is one of these."""
    path = tenant.outage.critical_path
    longest = max(tenant.outage.servers, key=lambda pair: pair[1], default=("", 0.0))[0]
    if not path or longest not in own:
        return []
    steps = [f"{rung} {address.rpartition('/')[2]}" for address, _, rung in (id.partition("#") for id in path)]
    shown = [code(step) for step in steps]
    if len(shown) > max(names, 4):
        shown = [*shown[: names // 2 + 1], "...", *shown[-(names // 2 + 1) :]]
    return [f"  - critical path: {' → '.join(shown)}"]


def _findings(findings: Iterable[Finding], detail: Detail, noun: str) -> list[str]:
    found = list(findings)
    if not detail.each:
        tenants = {finding.address.tenant for finding in found}
        return [f"- {counted(len(found), noun)} in {counted(len(tenants), 'tenant')}, see the table"] if found else []
    return [line for finding in found for line in _finding(finding, detail)]


def _finding(finding: Finding, detail: Detail) -> list[str]:
    held = f" holds {prose(holds(finding))}" if finding.severity is Severity.BLOCKER else ""
    line = f"- {code(str(finding.address))}{held}: {prose(moments(finding.what))}"
    if not detail.reasons:
        return [line]
    line += f". Why: {prose(moments(finding.why))}" if finding.why else ""
    first, *rest = to_do(finding.fix, "  ")
    patch = ["", *fence(finding.patch.splitlines(), "yaml", "  ")] if finding.patch else []
    return [f"{line}. {first}" if first else line, *rest, *patch]


def _verb(change: Change) -> str:
    return change.action.partition(":")[0].replace("_", " ")
