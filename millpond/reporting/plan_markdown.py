"""The plan as one comment on the request that asks for it. The summary is never cut; the diffs share what room is left."""

from __future__ import annotations

from millpond.model.finding import NO_MANIFEST
from millpond.model.plan import Plan
from millpond.model.plan_document import PlanDocument
from millpond.reporting.amounts import counted, moment, moments
from millpond.reporting.copying import copying
from millpond.reporting.danger_markdown import DETAILS, danger_blocks
from millpond.reporting.diff_markdown import cut, plain_part, tenant_diff
from millpond.reporting.fleet_markdown import ranked, tenant_table
from millpond.reporting.hosts import Host, fits
from millpond.reporting.markdown import code, fence, prose, weight
from millpond.reporting.outage_text import outage_lines
from millpond.reporting.summary import all_changes, counts, destroyed_line, digest_lines, migration_line, plan_line
from millpond.reporting.waiting_text import waiting_line, waits

_FOLD = 160
"""Bytes that a fold takes beside its tenant's name and its lines."""
_WORTH = 300
"""A fold with less room than this is left out."""


def plan_markdown(document: PlanDocument, host: Host) -> str:
    """At most `host.limit` bytes."""
    lines = _summary(document, host)
    room = host.limit - sum(weight(line) + 1 for line in lines)
    orphans = _orphans(document.plan)
    room -= sum(weight(line) + 1 for line in orphans)
    if room < 0:
        orphans = []
    return "\n".join([*lines, *_folds(document.plan, host, room), *orphans]) + "\n"


def _summary(document: PlanDocument, host: Host) -> list[str]:
    """With as much detail as leaves the diffs half of the comment, or else a quarter; with the least, and a shorter table, if need be."""
    head = _head(document, host)
    wide = tenant_table(document.plan, host.limit)
    for share in (2, 4):
        for detail in DETAILS:
            lines = [*head, *danger_blocks(document.plan, detail), *wide]
            if fits(lines, host.limit - host.limit // share):
                return lines
    lines = [*head, *danger_blocks(document.plan, DETAILS[-1])]
    room = host.limit - _FOLD - sum(weight(line) + 1 for line in lines)
    return [*lines, *tenant_table(document.plan, room, 20)]


def _head(document: PlanDocument, host: Host) -> list[str]:
    plan = document.plan
    waiting = waiting_line(step for tenant in plan.tenants for step in waits(tenant))
    said = [
        plan_line(plan),
        destroyed_line(plan),
        prose(migration_line(plan)) if all_changes(plan) else "",
        str(copying(plan)),
        prose(waiting) if waiting else "",
        _origin(document),
    ]
    heading = f"### Plan of {code(document.site or 'site')}" + (f", wave {code(document.wave)}" if document.wave else "")
    return [host.marker(document.site), heading, *_outage(document, host), *(line for text in said if text for line in ("", text))]


def _outage(document: PlanDocument, host: Host) -> list[str]:
    """Of very many servers some are left out, never the command that continues."""
    lines = outage_lines(document.plan, document.wave)
    return ["", *fence(cut([plain_part([line]) for line in lines], host.limit // 4), "text")] if lines else []


def _origin(document: PlanDocument) -> str:
    """What was planned, and until when it holds."""
    commit = f"Commit {code(document.git_sha[:12])}{' and what was not committed' if document.dirty else ''}, " if document.git_sha else ""
    until = f"made at {moment(document.plan.made_at)}, holds until {moment(document.expires)}"
    text = f"{commit}{until}. {_digest(document.plan)}"
    return text[0].upper() + text[1:]


def _digest(plan: Plan) -> str:
    """The last of the lines that the text has: those of many tenants would fill the comment."""
    title, _, digest = digest_lines(plan)[-1].partition(": ") if plan.tenants else ("Digest", "", plan.digest)
    return f"{prose(title)}: {code(digest)}."


def _orphans(plan: Plan) -> list[str]:
    found = [f"- {code(str(finding.address))}: {prose(moments(finding.what))}" for finding in plan.findings if finding.code != NO_MANIFEST]
    said = ["", f"{counted(len(found), 'orphan')}: no manifest names them, nothing is done to them.", "", *found] if found else []
    without = [prose(f"{finding.what[0].upper()}{finding.what[1:]}.") for finding in plan.findings if finding.code == NO_MANIFEST]
    return [*said, *(line for text in without for line in ("", text))]


def _folds(plan: Plan, host: Host, room: int) -> list[str]:
    """Small diffs are shown whole; what they leave of their share goes to the larger ones, which are cut in the middle."""
    told = [tenant for tenant in ranked(plan) if tenant.steps or tenant.findings or tenant.drift]
    left_out = f"The changes of {counted(len(told), 'tenant')} more are left out here: the saved plan has all of them."
    room -= weight(left_out) + 2
    shown = told[: max(0, room // (_FOLD + _WORTH))]
    bodies: dict[str, list[str]] = {}
    for done, tenant in enumerate(sorted(shown, key=lambda tenant: len(tenant.steps))):
        share = room // (len(shown) - done) - _FOLD - 2 * weight(tenant.tenant)
        bodies[tenant.tenant] = host.fold(tenant.tenant, f": {counts(tenant.changes)}", fence(tenant_diff(tenant, share), "diff"))
        room -= sum(weight(line) + 1 for line in bodies[tenant.tenant])
    lines = [line for tenant in shown for line in bodies[tenant.tenant]]
    rest = len(told) - len(shown)
    return [*lines, "", left_out.replace(str(len(told)), str(rest), 1)] if rest else lines
