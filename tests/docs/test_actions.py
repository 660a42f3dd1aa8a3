"""The page of actions names each one that a plan can show, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from millpond.planning.envelope import CARRYING_ON

PAGE = (Path(__file__).parents[2] / "docs/actions.md").read_text(encoding="utf-8")
ROOM = Path(str(files("millpond.reconcilers")))
NAMED = frozenset(name for row in re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE) for name in re.findall(r"`(\w+)`", row))
CALLS = {
    "change": 0,
    **dict.fromkeys(("record_change", "forget", "step", "tag_routers", "set_pools", "_tag", "_action"), 1),
    **dict.fromkeys(("_update", "_associate"), 2),
}
"""Function → where among its arguments the action stands."""
ENDINGS = re.compile(r"_(inside|first|detached)(_detached)?$")


def written(file: Path) -> Iterator[str]:
    """The actions of a module; of one that is put together what stands before the first part."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        places = [arg for at, arg in enumerate(call.args) if at == CALLS.get(name)]
        for node in (*places, *(word.value for word in call.keywords if word.arg == "action")):
            yield from _texts(node, constants)


def _texts(node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from (*_texts(node.body, constants), *_texts(node.orelse, constants))
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            yield f"{text}*"
        case ast.Name(id=name) if name in constants:
            yield constants[name]


def actions() -> frozenset[str]:
    found = {text.partition(":")[0] for file in sorted(ROOM.rglob("*.py")) for text in written(file)}
    return frozenset(text for text in found if re.fullmatch(r"[a-z][a-z_]*\*?", text))


def known(action: str, names: frozenset[str]) -> bool:
    plain = ENDINGS.sub("", action)
    return any(name in (action, plain) or (action.endswith("*") and name.startswith(action[:-1])) for name in names)


@pytest.mark.parametrize("action", sorted(actions()))
def test_every_action_is_explained(action: str) -> None:
    assert known(action, NAMED), "docs/actions.md does not name it"


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_explained_action_exists(name: str) -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in ROOM.rglob("*.py"))
    assert f'"{name}' in source or any(action.endswith("*") and name.startswith(action[:-1]) for action in actions())


def test_the_page_names_what_may_be_done_without_another_review() -> None:
    said = PAGE.partition("without another review:")[2].partition(". They stand")[0]
    assert set(re.findall(r"`(\w+)`", said)) == CARRYING_ON


def test_the_actions_are_found() -> None:
    assert {
        "claim",
        "promote",
        "park",
        "finish_back",
        "clear_gateway",
        "admit_decommission",
        "take_back_reservation",
        "resume_for_*",
    } <= actions()
