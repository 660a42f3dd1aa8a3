"""The plan as people read it, after Terraform's: an outage, dangers, every change, then what waits, drifts and blocks, the counts last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from click import unstyle

from millpond.model.change import Change
from millpond.model.finding import NO_MANIFEST
from millpond.model.plan import Plan, TenantPlan, WaveStatus
from millpond.reporting.amounts import counted, moments
from millpond.reporting.change_text import CANNOT_BE_UNDONE, PLACES, resource_lines, sign_of
from millpond.reporting.drift_text import drift_lines
from millpond.reporting.findings_text import LEFT_BEHIND, excluded_lines, findings_text
from millpond.reporting.layout import columns, wrapped
from millpond.reporting.outage_text import outage_lines
from millpond.reporting.sequence import by_wave, in_order
from millpond.reporting.summary import (
    all_changes,
    blockers,
    counts,
    destroyed_line,
    digest_lines,
    extent,
    is_quiet,
    lost,
    migration_line,
    outage_words,
    plan_line,
    resources,
    stranded,
)
from millpond.reporting.symbols import SYMBOLS, bold, dim, green, legend, red, symbol, yellow
from millpond.reporting.waiting_text import waiting_line, waiting_lines, waits

TENANT_WIDE = "Tenant-wide"


def plan_text(plan: Plan, wave: str = "") -> str:
    """All of the plan; every change is shown, unchanged fields are not. `wave`: the only one that was asked for. An outage comes first."""
    blocks = [outage_lines(plan, wave), _legend(plan), danger_lines(plan)]
    for tenant in plan.tenants:
        blocks += _tenant(tenant)
    found = [finding for finding in plan.findings if finding.code != NO_MANIFEST]
    blocks += [_block("Orphans (no manifest names them; nothing is done to them)", findings_text(found))]
    blocks += [findings_text(finding for finding in plan.findings if finding.code == NO_MANIFEST)]
    blocks += [_errors(plan), summary_lines(plan)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def danger_lines(plan: Plan) -> list[str]:
    """What stops, promotes or deletes, in the order in which it will happen."""
    lines: list[str] = []
    for tenant in plan.tenants:
        grave: dict[str, list[Change]] = {}
        for change in in_order(tenant.steps):
            if change.danger:
                grave.setdefault(change.wave, []).append(change)
        for wave, changes in grave.items():
            lines += ["", *_place(tenant, wave, changes), *_lost(tenant, wave), *_danger_rows(changes)]
        lines += _stranded(tenant) if grave else []
    return [red("What stops, promotes or deletes"), *lines, *_approvers(plan)] if lines else []


def summary_lines(plan: Plan) -> list[str]:
    """The last lines: the count (verbatim for CI), what waits, the migration's own line, the digests."""
    line = plan_line(plan)
    lines = [green(line) if is_quiet(plan) else bold(line)]
    lines += wrapped(destroyed, "  ", first="") if (destroyed := destroyed_line(plan)) else []
    waiting = waiting_line(step for tenant in plan.tenants for step in waits(tenant))
    lines += wrapped(waiting, "  ", first="") if waiting else []
    lines += [migration_line(plan)] if all_changes(plan) else []
    if found := blockers(plan):
        lines.append(red(f"Blocked: {counted(len(found), 'blocker')}, see above."))
    return [*lines, *map(dim, digest_lines(plan))]


def _legend(plan: Plan) -> list[str]:
    groups = resources(all_changes(plan))
    signs = {sign_of(group) for group in groups} | {SYMBOLS[change.effect] for group in groups for change in group}
    return legend(signs)


def _danger_rows(changes: Sequence[Change]) -> list[str]:
    rows = [
        (
            symbol(SYMBOLS[change.effect]),
            change.action,
            str(change.address),
            PLACES[change.side],
            "" if change.reversible else CANNOT_BE_UNDONE,
        )
        for change in changes
    ]
    return columns(rows, indent="    ")


def _lost(tenant: TenantPlan, wave: str) -> list[str]:
    what = lost(tenant, wave, ", ".join)
    return wrapped(what, " " * 10, first=f"    {red('lost')}: ") if what else []


def _stranded(tenant: TenantPlan) -> list[str]:
    found = stranded(tenant)
    return ["", *(line for what in found for line in wrapped(what, "    ", first=f"  {red('beside it')}: "))] if found else []


def _approvers(plan: Plan) -> list[str]:
    rows = [wrapped(", ".join(who), "      ", first=f"  {bold(phase)} must be approved by: ") for phase, who in plan.approvers.items()]
    return ["", *(line for row in rows for line in row)] if rows else []


def _place(tenant: TenantPlan, wave: str, changes: Sequence[Change]) -> list[str]:
    where = f"wave {wave}" if wave else TENANT_WIDE.lower()
    status = _status(tenant, wave)
    own = status.servers if status else ()
    words = [counted(len(own), "server") if own else "", extent(changes), outage_words(tenant, own)]
    told = ", ".join(word for word in words if word)
    return wrapped(told, "      ", first=f"  {bold(f'{tenant.tenant}, {where}')}: ")


def _tenant(tenant: TenantPlan) -> list[list[str]]:
    """The blocks of one tenant; none where there is nothing to say."""
    blocks = [
        *_waves(tenant),
        _block("Waiting", waiting_lines(waits(tenant))),
        _block(LEFT_BEHIND, excluded_lines(tenant.findings)),
        _block("Note: Objects have changed outside of Millpond", _apart(drift_lines(tenant.drift))),
        findings_text(tenant.findings),
    ]
    found = [block for block in blocks if block]
    heading = bold(f"Tenant {tenant.tenant}") + (f": {counts(tenant.changes)}" if tenant.changes else "")
    return [[heading, "=" * len(unstyle(heading))], *found] if found else []


def _waves(tenant: TenantPlan) -> list[list[str]]:
    blocks: list[list[str]] = []
    for wave, changes in by_wave(tenant).items():
        blocks.append([bold(wave_heading(tenant, wave))])
        blocks += [resource_lines(group) for group in resources(changes)]
    return blocks


def wave_heading(tenant: TenantPlan, wave: str) -> str:
    if not wave:
        return TENANT_WIDE
    status = _status(tenant, wave)
    return f"Wave {wave}" + (f": {counted(len(status.servers), 'server')}, {status.phase}" if status else "")


def _status(tenant: TenantPlan, wave: str) -> WaveStatus | None:
    return next((status for status in tenant.waves if status.name == wave), None)


def _block(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return [yellow(title), *found] if found else []


def _apart(lines: list[str]) -> list[str]:
    return ["", *lines] if lines else []


def _errors(plan: Plan) -> list[str]:
    return [
        line
        for tenant, summary in plan.errors
        for line in wrapped(moments(summary), "  ", first=f"{red('Error')}: {tenant} was not planned: ")
    ]
