"""Field changes as lines: `~ status = "ACTIVE" -> "SHUTOFF"`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from millpond.model.change import UNKNOWN, FieldChange
from millpond.reporting.amounts import size
from millpond.reporting.symbols import WIDTH, dim, symbol

SENSITIVE = "(sensitive value)"
_LONGEST = 160
"""A text longer than this is shown by its ends; the plan as JSON has all of it."""


def field_lines(fields: Iterable[FieldChange], indent: str) -> list[str]:
    """One line per changed field, aligned; lists that do not fit in one line are shown by their elements. Unchanged fields are left out."""
    changed = [field for field in fields if field.before != field.after]
    width = max((len(field.path) for field in changed), default=0)
    return [line for field in changed for line in _lines(field, indent, width)]


def short(field: FieldChange) -> str:
    """The field in one line, without its symbol, for tables."""
    return f"{field.path} = {_pair(field)}"


def value_text(value: object) -> str:
    """JSON, with the words for what cannot be shown left bare."""
    if isinstance(value, str) and len(value) > _LONGEST:
        value = f"{value[:60]}... ({len(value)} characters) ...{value[-20:]}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text.replace(f'"{UNKNOWN}"', UNKNOWN).replace(f'"{SENSITIVE}"', SENSITIVE)


def sign_of(field: FieldChange) -> str:
    if field.before is None:
        return "+"
    return "-" if field.after is None else "~"


def _lines(field: FieldChange, indent: str, width: int) -> list[str]:
    sign = sign_of(field)
    head = f"{indent}{symbol(sign)} {field.path:<{width}} = "
    plain = len(indent) + width + 5
    if plain + len(_pair(field)) <= WIDTH:
        return [head + _coloured(field) + _human(field)]
    if isinstance(field.before, list | dict) or isinstance(field.after, list | dict):
        return [head.rstrip(), *_elements(field, indent + "    ")]
    if sign == "~":
        return [head + value_text(field.before), f"{' ' * (plain - 3)}-> {value_text(field.after)}"]
    return [head + _coloured(field)]


def _pair(field: FieldChange) -> str:
    if field.before is None:
        return value_text(field.after)
    after = "null" if field.after is None else value_text(field.after)
    return f"{value_text(field.before)} -> {after}"


def _coloured(field: FieldChange) -> str:
    text = _pair(field)
    return text.replace(UNKNOWN, dim(UNKNOWN)) if UNKNOWN in text else text


def _human(field: FieldChange) -> str:
    return dim(f" ({size(field.after)})") if field.path == "bytes" and isinstance(field.after, int) else ""


def _elements(field: FieldChange, indent: str) -> list[str]:
    before, after = _items(field.before), _items(field.after)
    gone = [item for item in before if item not in after]
    new = [item for item in after if item not in before]
    same = len(before) - len(gone)
    lines = [f"{indent}{symbol('-')} {item}" for item in gone] + [f"{indent}{symbol('+')} {item}" for item in new]
    if not lines:
        lines.append(f"{indent}  (the same elements in another order)")
    elif same:
        lines.append(dim(f"{indent}  # ({same} unchanged element{'s' if same > 1 else ''} hidden)"))
    return lines


def _items(value: Any) -> Sequence[str]:
    if isinstance(value, dict):
        return [f"{key} = {value_text(item)}" for key, item in value.items()]
    return [value_text(item) for item in value] if isinstance(value, list) else [] if value is None else [value_text(value)]
