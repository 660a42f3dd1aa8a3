"""The places where comments are read: how long one may be, whether it folds, and what hides its marker."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from millpond.reporting.markdown import code, html_code, weight

_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Host:
    """`limit`: the longest comment. `html`: whether `<details>` folds and `<!-- -->` hides."""

    limit: int
    html: bool = True

    def marker(self, name: str) -> str:
        """The first line of a comment, which is not shown: by it a pipeline finds the comment that it wrote before."""
        safe = f"millpond:{_NAME.sub('-', name).strip('-')}"
        return f"<!-- {safe} -->" if self.html else f"[//]: # ({safe})"

    def fold(self, name: str, words: str, lines: Iterable[str]) -> list[str]:
        """`name` is a tenant's, `words` are ours."""
        if self.html:
            return ["", "<details>", f"<summary>{html_code(name)}{words}</summary>", "", *lines, "", "</details>"]
        return ["", f"{code(name)}{words}", "", *lines]


HOSTS = {
    "github": Host(65_536),
    "gitlab": Host(1_000_000),
    "bitbucket": Host(32_768, html=False),
}
"""Characters, as the hosts refuse more: GitHub `body is too long`, GitLab's validation of notes, Bitbucket's of comments."""


def fitting(fit: str) -> Host:
    """The host of a name in HOSTS, or GitHub's Markdown in as many bytes as `fit` says. ValueError for anything else, or too few."""
    if fit in HOSTS:
        return HOSTS[fit]
    if not fit.isdigit() or int(fit) < LEAST:
        raise ValueError(f"{fit!r} is none of {', '.join(HOSTS)}, nor a number of characters from {LEAST} on")
    return Host(int(fit))


LEAST = 4_000
"""Room for the lines that are never cut, of a plan of some tenants."""


def fits(lines: Iterable[str], room: int) -> bool:
    return sum(weight(line) + 1 for line in lines) <= room
