"""Markdown for comments on a request. Names come from tenants: whatever they hold, it is shown and does nothing.

Inside of code neither GitHub, GitLab nor Bitbucket look for mentions, references, links, HTML or further Markdown. Texts outside of it are
escaped, and what these hosts would find after rendering (`@name`, `#12`, `www.`) is parted by a character of no width.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$#])")
_REFERENCE = re.compile(r"([@#!$%&~^])(?=[\w{\[\"-])|(:)(?=//)|(www)(?=\.)|((?i:mailto|xmpp):)|(GH)(?=-\d)")
_CODE = re.compile(r"`([^`]+)`|\b((?=[a-f]*\d)[0-9a-f]{7,}(?:-[0-9a-f]{4,})*)\b")
_JOINER = "\u2060"
_TICKS = re.compile(r"`+")
_LONGEST = 120


def inert(text: str) -> str:
    """On one line; what cannot be seen or turns the direction of writing is spelled out (`\\u202e`)."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else _spelled(sign) for sign in text)


def code(text: str, longest: int = _LONGEST) -> str:
    """In a code span; longer texts are shown by their ends."""
    shown = inert(text)
    if len(shown) > longest:
        shown = f"{shown[: longest - 21]}...{shown[-18:]}"
    ticks = "`" * (max((len(run) for run in _TICKS.findall(shown)), default=0) + 1)
    blank = " " if not shown.strip() or shown.startswith(("`", " ")) or shown.endswith(("`", " ")) else ""
    return f"{ticks}{blank}{shown or '-'}{blank}{ticks}"


def prose(text: str) -> str:
    """A sentence of ours with names of others in it. What stands in backticks, and ids, become code."""
    line, parts, begin = " ".join(text.split()), [], 0
    for found in _CODE.finditer(line):
        parts += [_escaped(line[begin : found.start()]), code(found[1] or found[2])]
        begin = found.end()
    return "".join([*parts, _escaped(line[begin:])])


def html_code(text: str) -> str:
    """For where Markdown does not reach, such as a `<summary>`."""
    return f"<code>{escape(inert(text))}</code>"


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """The first row is the head. A bar in a cell becomes a broken one: the hosts do not agree on how it would be escaped."""
    head, *others = [[cell.replace("\\|", "¦").replace("|", "¦") for cell in row] for row in rows]
    return [_row(head), _row(["---"] * len(head)), *map(_row, others)]


def fence(lines: Iterable[str], language: str = "", indent: str = "") -> list[str]:
    """A code block that nothing in it can end."""
    body = [inert(line) for line in lines]
    ticks = "`" * max([3, *(len(run) + 1 for line in body for run in _TICKS.findall(line))])
    return [f"{indent}{line}".rstrip() for line in (f"{ticks}{language}", *body, ticks)]


def weight(text: str) -> int:
    """Bytes in UTF-8: never less than a host counts, be it characters, UTF-16 units or bytes."""
    return len(text.encode("utf-8", "surrogatepass"))


def _spelled(sign: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return named.get(sign) or (f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}")


def _escaped(text: str) -> str:
    parted = _REFERENCE.sub(lambda found: f"{found[0]}{_JOINER}", inert(text))
    return _SPECIAL.sub(r"\\\1", parted)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
