"""Broken rules as sentences for a person: what is wrong, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from millpond.errors import Problem
from millpond.schemas.nearest import did_you_mean, listed
from millpond.schemas.nodes import Mark, Node
from millpond.schemas.scalars import BOOLEANS
from millpond.schemas.violations import Violation, violations

NOUNS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "empty",
}
LONGEST = 60
Sentence = tuple[Mark, str, str, str]


def schema_problems(root: Node, file: str, kind: str) -> Iterator[Problem]:
    """Everything that the schema of `kind` has against `root`, once each."""
    sentences = chain.from_iterable(_sentences(each) for each in violations(root, kind))
    for (line, column), what, why, fix in dict.fromkeys(sentences):
        yield Problem(f"{file}:{line}:{column}", what, why, fix)


def _sentences(broken: Violation) -> Iterable[Sentence]:
    match broken.rule:
        case "additionalProperties":
            return _unknown_keys(broken)
        case "required":
            return _missing_keys(broken)
        case "anyOf":
            return _alternatives(broken)
        case "oneOf":
            return [_exactly_one(broken)]
        case "format":
            return [_time(broken)]
        case "type" if "enum" in broken.schema:
            return []
        case "enum" | "const":
            return [_choice(broken)]
    return [_value(broken)]


def _unknown_keys(broken: Violation) -> Iterator[Sentence]:
    known = broken.properties
    inside = f" in `{broken.dotted}`" if broken.path else ""
    for key in broken.given:
        if key not in known:
            inner = next((name for name, rule in known.items() if key in rule.get("properties", {})), "")
            fix = f"it belongs under `{inner}`" if inner else did_you_mean(key, known, f"known keys: {', '.join(known)}")
            yield broken.root.key_position((*broken.path, key)), f"unknown key `{key}`{inside}", "", fix


def _missing_keys(broken: Violation) -> Iterator[Sentence]:
    inside = f"`{broken.dotted}`" if broken.path else "the document"
    for key in broken.asked:
        if key not in broken.given:
            rule = broken.properties.get(key, {})
            written = f"{key}: {rule['const']}" if "const" in rule else f"{key}:"
            yield broken.holder, f"{inside} has no `{key}`", rule.get("description", ""), f"add `{written}`"


def _alternatives(broken: Violation) -> Iterable[Sentence]:
    """The problems inside the alternative that was meant, where its type tells; else all alternatives in words."""
    meant = [branch for branch in broken.branches() if all(each.rule != "type" or each.path != broken.path for each in branch)]
    if len(meant) == 1:
        return chain.from_iterable(_sentences(each) for each in meant[0])
    return [_value(broken)]


def _exactly_one(broken: Violation) -> Sentence:
    keys = [key for branch in broken.asked for key in branch["required"]]
    given = [key for key in keys if key in broken.given]
    what = f"`{broken.dotted}` needs exactly one of {listed(keys)}"
    if given:
        return broken.holder, what, f"it has {listed(given)}", "delete all but one"
    return broken.holder, what, "it has none", f"add {listed(keys, 'or')}"


def _time(broken: Violation) -> Sentence:
    what = f"`{broken.dotted}` must be a time with its offset, but is {_shown(broken)}"
    try:
        naive = datetime.fromisoformat(broken.given).isoformat()
    except ValueError:
        return broken.mark, what, "", "write it as in 2026-12-01T22:00:00+01:00"
    why = "without an offset nobody can tell which moment is meant"
    return broken.mark, what, why, f"write {naive}+01:00 for Central European time, {naive}Z for UTC"


def _choice(broken: Violation) -> Sentence:
    known = broken.asked if broken.rule == "enum" else [broken.asked]
    what = f"`{broken.dotted}` must be {listed(known, 'or')}, but is {_shown(broken)}"
    return broken.mark, what, "", did_you_mean(str(broken.given), known)


def _value(broken: Violation) -> Sentence:
    what = f"`{broken.dotted}` must be {_expected(broken)}, but is {_shown(broken)}"
    return broken.mark, what, *_reading(broken)


def _expected(broken: Violation) -> str:
    if title := broken.schema.get("title"):
        return str(title)
    match broken.rule:
        case "minimum":
            return f"at least {broken.asked}"
        case "maximum":
            return f"at most {broken.asked}"
        case "minLength" | "minItems":
            return "not empty"
    types = broken.schema.get("type", [])
    return " or ".join(NOUNS[name] for name in ([types] if isinstance(types, str) else types))


def _shown(broken: Violation) -> str:
    """The value as its writer will recognise it."""
    node = broken.node
    if node is None or node.value is None or node.value == "":
        return "empty"
    if isinstance(node.value, dict | list):
        return "a mapping" if isinstance(node.value, dict) else "a list"
    if isinstance(node.value, bool) and node.text not in ("true", "false"):
        return f"`{node.text}`, which YAML reads as {str(node.value).lower()}"
    return f"`{node.text}`" if len(node.text) <= LONGEST else f"`{node.text[:LONGEST]}…`"


def _reading(broken: Violation) -> tuple[str, str]:
    """Why, and what to do, where quotes or YAML's reading of plain values are the cause."""
    node, types = broken.node, broken.schema.get("type", "")
    if node is None or isinstance(node.value, dict | list):
        return "", ""
    if node.value is None:
        return "", "write a value, or delete the key"
    if types == "string" and not isinstance(node.value, str) and not broken.schema.keys() & {"pattern", "format"}:
        return "", f"put it between quotes: '{node.text}'"
    if types == "boolean" and (meant := BOOLEANS.get(node.text.lower())) is not None:
        return "quotes make it a text", f"write {str(meant).lower()} without quotes"
    if types in ("integer", "number") and node.quoted:
        return "quotes make it a text", "write it without quotes"
    if types in ("integer", "number") and isinstance(node.value, str):
        return "", "write it in digits alone, without leading zeros"
    return "", ""
