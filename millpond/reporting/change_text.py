"""One resource of a plan: its header, why, its rungs and their field changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from millpond.model.address import Side
from millpond.model.change import Change, Effect
from millpond.reporting.layout import wrapped
from millpond.reporting.summary import effects_on
from millpond.reporting.symbols import REPLACE, SYMBOLS, bold, red, symbol
from millpond.reporting.values import field_lines

_HEADERS = {"+": "will be created", "~": "will be updated in-place", "-": "will be destroyed", REPLACE: "must be replaced"}
PLACES = {Side.SOURCE: "source", Side.TARGET: "target", Side.STORAGE: "arrays", Side.FABRIC: "fabric"}
CANNOT_BE_UNDONE = "cannot be undone"
_WIDEST = 24
"""Longer names of rungs do not push the reasons of the others aside."""


def sign_of(group: Sequence[Change]) -> str:
    """Of a resource: that of its gravest effect."""
    effects = effects_on(group)
    if {Effect.CREATE, Effect.DELETE} <= effects:
        return REPLACE
    return SYMBOLS[next(effect for effect in (Effect.DELETE, Effect.CREATE, Effect.UPDATE) if effect in effects)]


def resource_lines(group: Sequence[Change]) -> list[str]:
    """Header, the reason in brackets (below the header where all rungs share it), then each rung with the fields that it changes; rungs
    that do the same to several parts of it are one."""
    lines = [f"  {bold(f'# {group[0].address}')} {_header(group)} on the {PLACES[group[0].side]}"]
    reasons = dict.fromkeys(change.reason for change in group if change.reason)
    common = len(reasons) == 1
    if common:
        lines += wrapped(f"({next(iter(reasons))})", "  #  ", first="  # ")
    rungs = [list(alike) for _, alike in groupby(group, _likeness)]
    width = max(len(_name(alike)) for alike in rungs)
    for alike in rungs:
        lines += _rung(alike, "" if common else alike[0].reason, min(width, _WIDEST))
    return lines


def verb(action: str) -> str:
    """What is done, without the part of the resource that it is done to: `add_member` of `add_member:4711`."""
    return action.partition(":")[0]


def remarks(change: Change) -> str:
    """What makes a rung grave, in words."""
    words = ["outage" if change.outage else "", "" if change.reversible else CANNOT_BE_UNDONE]
    return ", ".join(word for word in words if word)


def _header(group: Sequence[Change]) -> str:
    sign = sign_of(group)
    return red(_HEADERS[sign]) if "-" in sign else _HEADERS[sign]


def _likeness(change: Change) -> tuple[str, Effect, str, str]:
    return verb(change.action), change.effect, change.reason, remarks(change)


def _name(alike: Sequence[Change]) -> str:
    """Of a rung: of several that do the same to several parts, with their number."""
    return alike[0].action if len(alike) == 1 else f"{verb(alike[0].action)} ({len(alike)})"


def _rung(alike: Sequence[Change], reason: str, width: int) -> list[str]:
    change = alike[0]
    remark = remarks(change)
    note = "  ".join(part for part in (f"({reason})" if reason else "", f"[{remark}]" if remark else "") if part)
    begin = f"  {SYMBOLS[change.effect]} {_name(alike):<{width}}  "
    first, *rest = wrapped(note, " " * (len(begin) + 1), first=begin)
    coloured = f"  {symbol(SYMBOLS[change.effect])}{first[3:]}"
    return [coloured, *rest, *field_lines([field for each in alike for field in each.fields], "      ")]
