"""What an apply has done: every change, the outages, what is left and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from millpond.errors import StalePlan
from millpond.model.finding import AFTERWARDS
from millpond.model.outcome import ApplyResult, Outcome, Result
from millpond.reporting.amounts import counted, duration, moments
from millpond.reporting.findings_text import findings_text
from millpond.reporting.layout import WIDEST, columns, wrapped
from millpond.reporting.outage_text import continue_with, outage_lines
from millpond.reporting.progress import SENT, is_request
from millpond.reporting.summary import counts, holds, shuts
from millpond.reporting.symbols import bold, dim, green, red, yellow
from millpond.reporting.waiting_text import waiting_line, waits

_WORDS = {Result.DONE: green("done"), Result.FAILED: red("failed"), Result.UNKNOWN: yellow("unknown"), Result.HELD: yellow("held")}
NOT_MEASURED = "Not measured: the journal that is here does not say since when it was down."
_LAST = (Result.DONE, Result.HELD, Result.UNKNOWN, Result.FAILED)
"""What went wrong stands last, next to the prompt."""


def outcome_text(result: ApplyResult, wave: str = "") -> str:
    """`wave` as `--wave` was given, for the command that continues."""
    blocks = [
        outcome_lines(result),
        outage_table(result),
        findings_text(f for tenant in result.plan.tenants for f in tenant.findings if f in tenant.blockers or f.code == AFTERWARDS),
        summary_lines(result),
        outage_lines(result.plan, wave) or _next(result, wave),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def outcome_lines(result: ApplyResult) -> list[str]:
    """What was done, one line per resource; then what was sent and not seen done, and each change that was not done, with what was said."""
    ordered = sorted(result.final.values(), key=lambda outcome: _LAST.index(outcome.result))
    left = {step.id for tenant in result.plan.tenants for step in tenant.steps}
    sent = [outcome for outcome in ordered if outcome.result is Result.DONE and outcome.step in left and is_request(outcome.step)]
    done: dict[str, list[str]] = {}
    for outcome in ordered:
        if outcome.result is Result.DONE and outcome not in sent:
            done.setdefault(address_of(outcome.step), []).append(_action(outcome.step))
    lines = [bold("Changes")] if ordered else []
    width = min(max((len(address) for address in done), default=0), WIDEST)
    for address, actions in done.items():
        begin, column = f"  done     {address:<{width}}  ", " " * (width + 13)
        above = [begin.rstrip()] if len(address) > width else []
        first, *rest = [*above, *wrapped(_listed(actions), column, first=column if above else begin)]
        lines += [f"  {_WORDS[Result.DONE]}{first[6:]}", *rest]
    for outcome in sent:
        lines.append(f"  {yellow(SENT)}     {address_of(outcome.step)}  {_action(outcome.step)}  (under way when this run ended)")
    for outcome in ordered:
        if outcome.result is not Result.DONE:
            lines += _undone(outcome)
    return lines


def outage_table(result: ApplyResult) -> list[str]:
    """Measured beside estimated, per server; empty where no outage ended."""
    if not result.outages and not result.unmeasured:
        return []
    estimated = dict(result.estimated)
    rows = [(dim("SERVER"), dim("MEASURED"), dim("ESTIMATED"))]
    rows += [(server, duration(seconds), _estimate(estimated.get(server))) for server, seconds in result.outages]
    rows += [(server, "not measured", _estimate(estimated.get(server))) for server in result.unmeasured]
    why = wrapped(NOT_MEASURED, "  ") if result.unmeasured else []
    return [bold("Outage"), *columns(rows, right=frozenset({1, 2})), *why]


def summary_lines(result: ApplyResult) -> list[str]:
    """`Apply: 63 done, 0 failed, 0 unknown, 0 held.` and what is left. What is held takes the place of a count of none."""
    found = Counter(outcome.result for outcome in result.final.values())
    held = _held(result)
    kinds = [
        kind for kind in (Result.DONE, Result.FAILED, Result.UNKNOWN, Result.HELD) if found[kind] or kind is not Result.HELD or not held
    ]
    line = "Apply: " + ", ".join(f"{found[kind]} {kind.value}" for kind in kinds) + (f"; held: {held}." if held else ".")
    lines = [red(line) if found[Result.FAILED] else bold(line)]
    lines += wrapped(_UNKNOWN, "  ", first=yellow("Unknown: ")) if found[Result.UNKNOWN] else []
    left = counts(change for tenant in result.plan.tenants for change in tenant.changes)
    if any(tenant.changes for tenant in result.plan.tenants):
        lines.append(f"Left: {left}.")
    waiting = waiting_line(step for tenant in result.plan.tenants for step in waits(tenant))
    return lines + (wrapped(waiting, "  ", first="") if waiting else [])


def _held(result: ApplyResult) -> str:
    """`acme, wave core`: what blockers hold, and gates that time opens."""
    found = (
        f"{tenant.tenant}, {what}" for tenant in result.plan.tenants for what in (*map(holds, tenant.blockers), *map(shuts, tenant.shut))
    )
    return "; ".join(dict.fromkeys(found))


_UNKNOWN = "no reply came, so it may have been done; the next apply looks before it does anything again."


def _next(result: ApplyResult, wave: str) -> list[str]:
    command = ["", f"    {continue_with([tenant.tenant for tenant in result.plan.tenants], wave)}"]
    if result.interrupted:
        return ["Interrupted: nothing new was begun, and no server is down. What replicates goes on by itself. To continue:", *command]
    stale = [tenant for tenant, error in result.errors if isinstance(error, StalePlan)]
    if stale and len(stale) == len(result.errors):
        return [f"The saved plan is stale for {', '.join(stale)}, which is told below."]
    if result.errors:
        return ["Ended by an error, which is told below. When that is mended:", *command]
    if any(outcome.result is Result.FAILED for outcome in result.final.values()):
        return ["Correct what the services said above, then run it again:", *command]
    if result.held:
        blockers = sum(len(tenant.blockers) for tenant in result.plan.tenants)
        opens = "Held until a gate opens by itself, see above: nothing is wrong. To continue then:"
        return [f"Held by {counted(blockers, 'blocker')}, see above. When that is done:" if blockers else opens, *command]
    if result.remaining:
        return ["Not finished, and nothing is wrong. To continue when the wait is over:", *command]
    return _nothing(result, wave)


def _nothing(result: ApplyResult, wave: str) -> list[str]:
    """With `--wave`, what others wait for was not looked at."""
    others = [other for tenant in result.plan.tenants for other in tenant.waves if other.name != wave] if wave else []
    if not others:
        return [green("Nothing is left to do.")]
    told = ", ".join(f"{other.name} ({other.phase})" for other in others)
    lines = wrapped(f"Nothing is left to do for wave {wave}. --wave left the others as they are: {told}. What they need:")
    return [*lines, "", f"    millpond plan {' '.join(tenant.tenant for tenant in result.plan.tenants)}"]


def _undone(outcome: Outcome) -> list[str]:
    blanks = " " * (9 - len(outcome.result))
    line = f"  {_WORDS[outcome.result]}{blanks}{address_of(outcome.step)}  {_action(outcome.step)}  after {duration(outcome.seconds)}"
    return [line, *(wrapped(moments(outcome.message), " " * 11) if outcome.message else [])]


def _listed(actions: Iterable[str]) -> str:
    """`create_group, add_member (4), pair`: what was done to several parts is counted."""
    found = Counter(action.partition(":")[0] for action in actions)
    return ", ".join(f"{action} ({count})" if count > 1 else action for action, count in found.items())


def address_of(step: str) -> str:
    return step.partition("#")[0]


def _action(step: str) -> str:
    return step.partition("#")[2]


def _estimate(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)
