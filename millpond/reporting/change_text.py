"""One resource of a plan: its header, why, its rungs and their field changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millpond.model.address import Side
from millpond.model.change import Change, Effect
from millpond.reporting.layout import wrapped
from millpond.reporting.symbols import REPLACE, SYMBOLS, bold, red, symbol
from millpond.reporting.values import field_lines

_HEADERS = {"+": "will be created", "~": "will be updated in-place", "-": "will be destroyed", REPLACE: "must be replaced"}
PLACES = {Side.SOURCE: "source", Side.TARGET: "target", Side.STORAGE: "arrays", Side.FABRIC: "fabric"}
CANNOT_BE_UNDONE = "cannot be undone"
_WIDEST = 20
"""Longer names of rungs do not push the reasons of the others aside."""


def resources(changes: Iterable[Change]) -> list[tuple[Change, ...]]:
    """The changes by resource and side, in the order of their first ones."""
    found: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        found.setdefault((str(change.address), change.side), []).append(change)
    return [tuple(group) for group in found.values()]


def sign_of(group: Sequence[Change]) -> str:
    """Of a resource: that of its gravest effect."""
    effects = {change.effect for change in group}
    if {Effect.CREATE, Effect.DELETE} <= effects:
        return REPLACE
    return SYMBOLS[next(effect for effect in (Effect.DELETE, Effect.CREATE, Effect.UPDATE) if effect in effects)]


def resource_lines(group: Sequence[Change]) -> list[str]:
    """Header, the reason in brackets (below the header where all rungs share it), then each rung with the fields that it changes."""
    lines = [f"  {bold(f'# {group[0].address}')} {_header(group)} on the {PLACES[group[0].side]}"]
    reasons = dict.fromkeys(change.reason for change in group if change.reason)
    common = len(reasons) == 1
    if common:
        lines += wrapped(f"({next(iter(reasons))})", "  #  ", first="  # ")
    width = max(len(change.action) for change in group)
    for change in group:
        lines += _rung(change, "" if common else change.reason, min(width, _WIDEST))
    return lines


def remarks(change: Change) -> str:
    """What makes a rung grave, in words."""
    words = ["outage" if change.outage else "", "" if change.reversible else CANNOT_BE_UNDONE]
    return ", ".join(word for word in words if word)


def _header(group: Sequence[Change]) -> str:
    sign = sign_of(group)
    return red(_HEADERS[sign]) if "-" in sign else _HEADERS[sign]


def _rung(change: Change, reason: str, width: int) -> list[str]:
    remark = remarks(change)
    note = "  ".join(part for part in (f"({reason})" if reason else "", f"[{remark}]" if remark else "") if part)
    begin = f"  {SYMBOLS[change.effect]} {change.action:<{width}}  "
    first, *rest = wrapped(note, " " * (len(begin) + 1), first=begin)
    coloured = f"  {symbol(SYMBOLS[change.effect])}{first[3:]}"
    return [coloured, *rest, *field_lines(change.fields, "      ")]
