"""What findings ask for: a command stands on a line of its own, made by `to_do`, and in no sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOMS = ("planning", "reconcilers", "runs")
ROOT = Path(__file__).parents[2] / "millpond"
_IN_A_SENTENCE = re.compile(
    r"\S.*\b(?:openstack (?:--\S+ \S+ )?(?:server|volume|image|user|project|port|network|loadbalancer) [a-z]+"
    r"|millpond (?:discover|apply|plan|status|drift|unlock)\b)"
)


def sentences() -> Iterator[tuple[str, str]]:
    """Every text of these rooms that is no docstring, with its place."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
            for node in ast.walk(tree):
                if isinstance(node, (ast.JoinedStr, ast.Constant)) and id(node) not in told | inner:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", _text(node)


def _text(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "ID" for part in node.values)


def test_no_sentence_holds_a_command() -> None:
    assert [f"{place}: {text}" for place, text in sentences() if _IN_A_SENTENCE.search(text)] == []


def test_one_that_did_would_be_seen() -> None:
    assert _IN_A_SENTENCE.search("set it again: openstack volume set --property a=b ID")
    assert _IN_A_SENTENCE.search("set one (`openstack user set --password-prompt NAME`)")
    assert _IN_A_SENTENCE.search("if it is another's, run `millpond discover acme`")
    assert _IN_A_SENTENCE.search("run `millpond discover acme` and have its diff merged")
    assert not _IN_A_SENTENCE.search("openstack volume set --property a=b ID")
