"""An error in the place of a comment."""

from __future__ import annotations

from millpond.errors import InvalidDocument, MillpondError
from millpond.reporting.amounts import moments
from millpond.reporting.hosts import Host, fits
from millpond.reporting.markdown import code, fence, prose


def error_markdown(error: MillpondError, title: str, site: str, host: Host) -> str:
    """A verb that ended before it could do anything. `title`: `Plan` or `Apply`."""
    head = [host.marker(site), f"### {title} of {code(site)}", "", f"**Error: {prose(error.summary)}.** This run changed nothing.", ""]
    if isinstance(error, InvalidDocument):
        told = [f"- {code(p.where)}: {prose(p.what)}{why(p.why)}{fix(p.fix)}" for p in error.problems]
    else:
        told = [
            f"- {f'{code(e.where)}: ' if e.where else ''}{prose(moments(e.why))}{fix(moments(e.fix))}{command(e)}"
            for e in (error, *error.also)
        ]
    shown = [line for n, line in enumerate(told) if fits([*head, *told[: n + 1]], host.limit - 100)]
    more = len(told) - len(shown)
    return "\n".join([*head, *shown, *([f"- and {more} more"] if more else [])]) + "\n"


def why(reason: str) -> str:
    return f". Why: {prose(moments(reason))}" if reason else ""


def fix(text: str) -> str:
    """With the times that it has: of a document it says what to write."""
    return f". To do: {prose(text)}" if text else ""


def command(error: MillpondError) -> str:
    """What there is to run, below an item of a list."""
    return "\n".join(["", "", *fence([error.command], "sh", "  ")]) if error.command else ""
