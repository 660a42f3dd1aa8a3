"""Field changes as rows of a table: of lists and mappings what differs, and how much does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from millpond.model.change import FieldChange
from millpond.reporting.values import value_text


@dataclass(frozen=True)
class FieldRow:
    """`was` and `now` hold one text each, or the elements that the other side does not have; `same` counts those that both have."""

    path: str
    was: tuple[str, ...]
    now: tuple[str, ...]
    same: int = 0


def field_rows(fields: Iterable[FieldChange]) -> list[FieldRow]:
    return [_row(field) for field in fields if field.before != field.after]


def _row(field: FieldChange) -> FieldRow:
    if not isinstance(field.before, list | dict) and not isinstance(field.after, list | dict):
        return FieldRow(field.path, _one(field.before), _one(field.after))
    before, after = _elements(field.before), _elements(field.after)
    was, now = tuple(item for item in before if item not in after), tuple(item for item in after if item not in before)
    if not was and not now:
        return FieldRow(field.path, before, after)
    return FieldRow(field.path, was, now, len(before) - len(was))


def _one(value: object) -> tuple[str, ...]:
    return () if value is None else (value_text(value),)


def _elements(value: object) -> tuple[str, ...]:
    if isinstance(value, dict):
        return tuple(f"{key} = {value_text(item)}" for key, item in value.items())
    return tuple(map(value_text, value)) if isinstance(value, list) else _one(value)
