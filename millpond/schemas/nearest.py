"""The known name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """The most similar of `known`, or an empty string. Case, `-` and `_` do not count."""
    plain: dict[str, str] = {}
    for each in known:
        plain.setdefault(_plain(each), each)
    found = get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else ""


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    near = nearest(name, known)
    return f"did you mean `{near}`?" if near else otherwise


def listed(names: Iterable[str], last: str = "and") -> str:
    """`a`, `b` and `c`"""
    *first, final = [f"`{name}`" for name in names] or [""]
    return f"{', '.join(first)} {last} {final}" if first else final


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
