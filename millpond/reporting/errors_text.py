"""Errors as the person who must act reads them: a fixed summary, where, why, what to do, the command on a line of its own."""

from __future__ import annotations

from millpond.errors import InvalidDocument, MillpondError, Problem
from millpond.reporting.amounts import counted, moments
from millpond.reporting.layout import wrapped
from millpond.reporting.symbols import bold, red

UNEXPECTED = "Millpond failed in a way that it does not know"


def error_text(error: MillpondError) -> str:
    return "\n\n".join(_one(each) for each in (error, *error.also))


def _one(error: MillpondError) -> str:
    if isinstance(error, InvalidDocument):
        return _documents(error)
    lines = [_title(error.summary)]
    lines += _part("Where: ", error.where) + _part("Why:   ", moments(error.why)) + _part("To do: ", moments(error.fix))
    return "\n".join(lines + _command(error.command))


def unexpected_text(kind: str, trace: str) -> str:
    """For a defect: `kind` is the exception's class, `trace` the file that holds the rest, empty where none could be written."""
    lines = [_title(UNEXPECTED)]
    lines += _part("Why:   ", f"a defect ({kind})")
    lines += _part("Where: ", f"the full trace is in {trace}" if trace else "the trace could not be written")
    lines += _part("To do: ", "Run the command again: every run starts from what it observes. If it fails again, report the trace.")
    return "\n".join(lines)


def usage_text(message: str, usage: str, command: str, *, known: bool = False) -> str:
    """`command` shows what there is; where it is `known` what was meant, it is that."""
    lines = [_title("The command line is not understood"), *_part("Why:   ", message), *_part("Usage: ", usage.removeprefix("Usage: "))]
    return "\n".join([*lines, "  To do: Run this:" if known else "  To do: See what there is:", *_command(command)])


def _documents(error: InvalidDocument) -> str:
    lines = [_title(f"{error.summary}: {counted(len(error.problems), 'problem')}")]
    for problem in error.problems:
        lines += ["", *_problem(problem)]
    return "\n".join(lines)


def _problem(problem: Problem) -> list[str]:
    lines = [f"  {bold(problem.where)}", *wrapped(problem.what, "    ")]
    return lines + _part("  Why:   ", moments(problem.why)) + _part("  To do: ", problem.fix)


def _title(summary: str) -> str:
    return f"{red('Error')}: {bold(summary)}"


def _part(label: str, text: str) -> list[str]:
    return wrapped(text, " " * (len(label) + 2), first=f"  {label}") if text else []


def _command(command: str) -> list[str]:
    return ["", f"    {command}"] if command else []
