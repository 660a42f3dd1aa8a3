"""What an apply has done, as the comment that was the plan: outages measured beside estimated, what went wrong, what is left."""

from __future__ import annotations

from collections.abc import Sequence

from click import unstyle

from millpond.model.outcome import ApplyResult, Outcome, Result
from millpond.reporting.amounts import counted, duration, moments
from millpond.reporting.danger_markdown import DETAILS, held_blocks
from millpond.reporting.diff_markdown import cut, plain_part
from millpond.reporting.error_markdown import command, fix
from millpond.reporting.fleet_markdown import tenant_table
from millpond.reporting.hosts import Host, fits
from millpond.reporting.markdown import code, fence, prose, table, weight
from millpond.reporting.no_tenants import no_tenants
from millpond.reporting.outage_text import outage_lines
from millpond.reporting.outcome_text import NOT_MEASURED, address_of, outcome_lines, summary_lines

_MOST = (10_000, 300, 50, 10, 5)
"""Servers and failed changes that are listed one by one: the first number with which the summary leaves some room."""


def result_markdown(result: ApplyResult, site: str, host: Host, commit: str = "") -> str:
    """At most `host.limit` bytes, on the same marker as the plan."""
    for most in _MOST:
        lines = _summary(result, site, host, commit, most)
        if fits(lines, host.limit * 3 // 4):
            break
    room = host.limit - sum(weight(line) + 1 for line in lines) - 200
    return "\n".join([*lines, *_changes(result, host, room)]) + "\n"


def _summary(result: ApplyResult, site: str, host: Host, commit: str, most: int) -> list[str]:
    detail = DETAILS[min(_MOST.index(most), len(DETAILS) - 1)]
    of = f" at commit {code(commit[:12])}" if commit else ""
    told = no_tenants(result.plan) if not result.errors else []
    said = [prose(unstyle(line)) for line in _sentences(told or summary_lines(result))]
    lines = [host.marker(site), f"### Apply of {code(site)}{of}: {state(result)}", *(line for text in said for line in ("", text))]
    down = outage_lines(result.plan)
    lines += ["", *fence((unstyle(line) for line in down), "text")] if down else []
    lines += _section("What went wrong", _failures(result), most)
    lines += held_blocks(result.plan, detail)
    lines += _section("Outages that this apply ended", _outages(result), most + 2)
    lines += ["", prose(NOT_MEASURED)] if result.unmeasured else []
    lines += ["", *_of_others(result)] if any(wave.cut for tenant in result.plan.tenants for wave in tenant.waves) else []
    return [*lines, *tenant_table(result.plan, host.limit // 2, 44)]


def _sentences(lines: Sequence[str]) -> list[str]:
    """Lines that were wrapped for a terminal, whole again: what goes on is indented."""
    found: list[str] = []
    for line in lines:
        if line.startswith(" ") and found:
            found[-1] += f" {line.strip()}"
        else:
            found.append(line)
    return found


def state(result: ApplyResult) -> str:
    """In words, the gravest first."""
    failed = result.errors or any(outcome.result is Result.FAILED for outcome in result.final.values())
    down = any(wave.outage_since for tenant in result.plan.tenants for wave in tenant.waves)
    words = {
        "outage in progress": down,
        "interrupted": result.interrupted,
        "failed": failed,
        "held": result.held,
        "work remains": result.remaining,
    }
    return next((word for word, holds in words.items() if holds), "done")


def _failures(result: ApplyResult) -> list[str]:
    errors = [(tenant, one) for tenant, error in result.errors for one in (error, *error.also)]
    lines = [
        f"- {code(tenant)}: {prose(error.summary)}: {prose(moments(error.why))}{fix(moments(error.fix))}{command(error)}"
        for tenant, error in errors
    ]
    return lines + [_failure(outcome) for outcome in result.final.values() if outcome.result is not Result.DONE]


def _failure(outcome: Outcome) -> str:
    rung = outcome.step.partition("#")[2]
    message = f": {prose(moments(outcome.message))}" if outcome.message else ""
    return f"- {code(address_of(outcome.step))} {code(rung)} {outcome.result.value} after {duration(outcome.seconds)}{message}"


def _outages(result: ApplyResult) -> list[str]:
    """The longest first."""
    if not result.outages and not result.unmeasured:
        return []
    estimated = dict(result.estimated)
    rows = sorted(result.outages, key=lambda outage: -outage[1])
    known = [(code(server), duration(seconds), _known(estimated.get(server))) for server, seconds in rows]
    known += [(code(server), "not measured", _known(estimated.get(server))) for server in result.unmeasured]
    return table([("Server", "Measured", "Estimated"), *known])


def _of_others(result: ApplyResult) -> list[str]:
    """The comment is edited by every apply of its request."""
    cut = [tenant.tenant for tenant in result.plan.tenants if any(wave.cut for wave in tenant.waves)]
    whose = f" {cut[0]}" if len(cut) == 1 else ""
    return [prose(f"This is the newest apply alone; all outages there were: `millpond report{whose}`.")]


def _known(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)


def _section(title: str, lines: Sequence[str], most: int) -> list[str]:
    more = [*([""] if lines[0].startswith("|") else []), f"and {len(lines) - most} more"] if len(lines) > most else []
    return ["", f"#### {title}", "", *lines[:most], *more] if lines else []


def _changes(result: ApplyResult, host: Host, room: int) -> list[str]:
    """Every change that was tried, in a fold."""
    lines = outcome_lines(result)[1:]
    if not lines or room < 0:
        return []
    body = cut([plain_part([line]) for line in lines], room)
    return host.fold("changes", f": {counted(len(result.final), 'change')} tried", fence(body, "text"))
