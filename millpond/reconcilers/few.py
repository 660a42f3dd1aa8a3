"""The first names of many."""

from __future__ import annotations

from collections.abc import Iterable

NAMED = 3


def few(names: Iterable[str]) -> str:
    """`a, b, c and 11 more`, sorted, those that are names before those that are ids."""
    known = sorted(set(names), key=lambda name: (name.startswith("@"), name))
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return ", ".join(known[:NAMED]) + more
