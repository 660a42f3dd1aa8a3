"""One document: read, composed and checked against its schema, every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from millpond.errors import InvalidDocument, Problem
from millpond.schemas.composer import Composer
from millpond.schemas.nodes import Node
from millpond.schemas.sentences import schema_problems
from millpond.schemas.text import read_text
from millpond.schemas.violations import violations, without_unknown_keys

TITLES = {"site": "Site", "tenant": "Tenant", "inventory": "Inventory"}


@dataclass(frozen=True)
class Document:
    """A document that its schema allows. One that is not `sound` has other values, or lacks some: what it says can be quoted, not used."""

    file: str
    root: Node
    sound: bool = True

    @property
    def name(self) -> str:
        return str(self.value["metadata"]["name"])

    @property
    def value(self) -> Mapping[str, Any]:
        assert isinstance(self.root.value, dict)  # noqa: S101 - the schema asks for a mapping
        return self.root.value

    def text(self, *path: str | int) -> str:
        """The text at `path`; empty where there is none."""
        node = self.root.at(path)
        return node.value if node and isinstance(node.value, str) else ""

    def where(self, *path: str | int) -> str:
        """`file:line:column` of the value at `path`."""
        line, column = self.root.position(path)
        return f"{self.file}:{line}:{column}"

    def where_key(self, *path: str | int) -> str:
        line, column = self.root.key_position(path)
        return f"{self.file}:{line}:{column}"


def read_document(path: Path, kind: str, problems: list[Problem]) -> Document | None:
    """The document in `path`, or None where it has problems, which are added to `problems`."""
    before = len(problems)
    document = read_as_far_as_it_goes(path, kind, problems)
    return document if len(problems) == before else None


def read_as_far_as_it_goes(path: Path, kind: str, problems: list[Problem]) -> Document | None:
    """Like `read_document`, but with problems, too, where the file holds a document of that kind: what else is wrong with it can be told
    together. It is sound if its schema has nothing against it but keys that it does not know, which are left out.
    """
    text = read_text(path)
    if isinstance(text, Problem):
        problems.append(text)
        return None
    file = str(path)
    composer = Composer(text, file)
    root = composer.compose()
    problems.extend(composer.problems)
    if root is None and composer.problems:
        return None
    shape = _shape(root, file, kind)
    if root is None or shape or (composer.problems and not _is_of(root, kind)):
        problems.extend(() if composer.problems else shape)
        return None
    told = {problem.where for problem in composer.problems}
    found = [problem for problem in schema_problems(root, file, kind) if problem.where not in told]
    problems.extend(found)
    known = without_unknown_keys(root, kind)
    return Document(file, replace(root, value=known), sound=not any(violations(replace(root, value=known), kind)))


def _is_of(root: Node, kind: str) -> bool:
    return isinstance(root.value, dict) and root.value.get("kind") == TITLES[kind]


def _shape(root: Node | None, file: str, kind: str) -> Sequence[Problem]:
    """What makes it pointless to look closer: nothing there, no mapping, or a document of another kind."""
    title = TITLES[kind]
    if root is None or root.value is None:
        why = f"a document of kind {title} is expected here"
        return [Problem(file, "the file is empty", why, f"see its shape with `millpond schema {kind}`")]
    where = f"{file}:{root.mark[0]}:{root.mark[1]}"
    if not isinstance(root.value, dict):
        return [Problem(where, "the document must be a mapping", f"kind {title} begins with `apiVersion:`")]
    other = root.value.get("kind")
    if other != title and other in TITLES.values():
        line, column = root.position(("kind",))
        why = f"a document of kind {title} is expected here"
        return [Problem(f"{file}:{line}:{column}", f"this is a document of kind {other}", why, "check the file's name")]
    return []


def refuse(problems: Sequence[Problem]) -> None:
    """InvalidDocument with all problems, in the order of the files and lines; nothing where there are none."""
    if problems:
        raise refusal(problems)


def refusal(problems: Sequence[Problem]) -> InvalidDocument:
    return InvalidDocument(tuple(sorted(dict.fromkeys(_printable(problem) for problem in problems), key=_order)))


def _printable(problem: Problem) -> Problem:
    """On one line each, without control characters: a document must not steer the terminal of who reads about it."""
    return Problem(_escaped(problem.where), _escaped(problem.what), _escaped(problem.why), _escaped(problem.fix))


def _escaped(text: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _order(problem: Problem) -> tuple[str, int, int]:
    match = re.fullmatch(r"(.*?):(\d+):(\d+)", problem.where)
    return (match[1], int(match[2]), int(match[3])) if match else (problem.where, 0, 0)
