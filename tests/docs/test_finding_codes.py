"""A finding that no test names could change its code, or never come, without anybody noticing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
MAKERS = {"Finding": 0, "_refused": 4}
"""Which argument of a call is the code."""


def made(path: Path) -> Iterator[str]:
    """The codes that are written out in a module. Those made of a kind's name go by their tests alone."""
    tree = ast.parse(path.read_text())
    constants = {
        node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        place = MAKERS.get(ast.unparse(call.func))
        if place is None or len(call.args) <= place:
            continue
        code = call.args[place]
        found = constants.get(code.id, code) if isinstance(code, ast.Name) else code
        yield from (one.value for one in branches(found) if isinstance(one, ast.Constant) and CODE.fullmatch(str(one.value)))


def branches(code: ast.expr) -> tuple[ast.expr, ...]:
    return (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,)


CODES = sorted({code for path in (ROOT / "millpond").rglob("*.py") if "sandbox" not in path.parts for code in made(path)})


@cache
def named() -> frozenset[str]:
    """Every word of the tests and their golden files."""
    files = (path for path in (ROOT / "tests").rglob("*") if path.suffix in (".py", ".txt"))
    return frozenset(word for path in files for word in re.findall(r"\w+", path.read_text()))


def test_the_codes_are_found() -> None:
    assert {"source_gone", "volume_error", "image_booted", "network_missing"} < set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_a_finding_is_named_by_a_test(code: str) -> None:
    assert code in named()
