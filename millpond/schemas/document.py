"""One document: read, composed and checked against its schema, every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millpond.errors import InvalidDocument, Problem
from millpond.schemas.composer import Composer
from millpond.schemas.nodes import Node
from millpond.schemas.sentences import schema_problems
from millpond.schemas.text import read_text

TITLES = {"site": "Site", "tenant": "Tenant", "inventory": "Inventory"}


@dataclass(frozen=True)
class Document:
    """A document that its schema allows."""

    file: str
    root: Node

    @property
    def name(self) -> str:
        return str(self.value["metadata"]["name"])

    @property
    def value(self) -> Mapping[str, Any]:
        assert isinstance(self.root.value, dict)  # noqa: S101 - the schema asks for a mapping
        return self.root.value

    def where(self, *path: str | int) -> str:
        """`file:line:column` of the value at `path`."""
        line, column = self.root.position(path)
        return f"{self.file}:{line}:{column}"

    def where_key(self, *path: str | int) -> str:
        line, column = self.root.key_position(path)
        return f"{self.file}:{line}:{column}"


def read_document(path: Path, kind: str, problems: list[Problem]) -> Document | None:
    """The document in `path`, or None where it has problems, which are added to `problems`."""
    text = read_text(path)
    return _check(text, str(path), kind, problems)


def _check(text: str | Problem, file: str, kind: str, problems: list[Problem]) -> Document | None:
    if isinstance(text, Problem):
        problems.append(text)
        return None
    composer = Composer(text, file)
    root = composer.compose()
    found = composer.problems
    if not found:
        found = [*_shape(root, file, kind)]
    if root and not found:
        found = [*schema_problems(root, file, kind)]
    problems.extend(found)
    return Document(file, root) if root and not found else None


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
