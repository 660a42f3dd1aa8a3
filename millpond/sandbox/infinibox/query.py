"""`?field=op:value`, `sort`, `fields`, `page` and `page_size`, as every list of the array understands them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.firmware import DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE
from millpond.sandbox.infinibox.refusal import bad_request

RESERVED = frozenset({"fields", "sort", "page", "page_size", "approved", "include"})
Test = Callable[[Any, Any], bool]

COMPARISONS: dict[str, Test] = {
    "eq": lambda one, other: bool(one == other),
    "ne": lambda one, other: bool(one != other),
    "gt": lambda one, other: bool(one > other),
    "ge": lambda one, other: bool(one >= other),
    "lt": lambda one, other: bool(one < other),
    "le": lambda one, other: bool(one <= other),
    "like": lambda one, other: str(other).lower() in str(one).lower(),
}
WITH_LISTS = ("in", "notin", "between")


@dataclass(frozen=True)
class Page:
    rows: Sequence[Row]
    number: int
    size: int
    total: int

    def metadata(self) -> Row:
        return {
            "ready": True,
            "page": self.number,
            "page_size": self.size,
            "pages_total": -(-self.total // self.size),
            "number_of_objects": self.total,
        }


def select(rows: Sequence[Row], query: Mapping[str, str]) -> Page:
    """Filters, sorts and pages rows as they are on the wire. Invented: a filter by an unknown field is refused."""
    for field, expression in query.items():
        if field not in RESERVED:
            if rows and not any(field in row for row in rows):
                raise bad_request("UNSUPPORTED_FILTER", f"Cannot filter by {field}")
            rows = [row for row in rows if matches(row.get(field), expression)]
    rows = ordered(rows, query.get("sort", ""))
    number, size = positive(query, "page", 1), positive(query, "page_size", DEFAULT_PAGE_SIZE)
    if size > MAXIMUM_PAGE_SIZE:
        raise bad_request("PAGE_SIZE_TOO_LARGE", f"page_size is at most {MAXIMUM_PAGE_SIZE}")
    shown = [only(row, query.get("fields")) for row in rows[(number - 1) * size : number * size]]
    return Page(shown, number, size, len(rows))


def matches(value: Any, expression: str) -> bool:
    operator, colon, operand = expression.partition(":")
    if not colon or operator not in (*COMPARISONS, *WITH_LISTS, "is", "isnot"):
        operator, operand = "eq", expression
    if operator in ("is", "isnot"):
        return (value is None) == (operator == "is")
    if value is None:
        return (operand == "null") == (operator == "eq")
    if operator in WITH_LISTS:
        options = listed(operand, type(value)() if isinstance(value, bool | int | float) else "")
        if operator == "between":
            return bool(options[0] <= value <= options[-1])
        return (value in options) == (operator == "in")
    if isinstance(value, list):
        return any(COMPARISONS[operator](one, typed(operand, one)) for one in value)
    return COMPARISONS[operator](value, typed(operand, value))


@lru_cache(maxsize=64, typed=True)
def listed(operand: str, like: bool | float | str) -> tuple[Any, ...]:
    """The values of a list, in the type of what they are compared with. One list is compared with every row."""
    return tuple(typed(part.strip(), like) for part in operand.strip("()[]").split(","))


def typed(text: str, like: Any) -> Any:
    """The text as a value of the type it is compared with."""
    if isinstance(like, bool):
        return text.lower() == "true"
    if isinstance(like, int | float):
        try:
            return int(text)
        except ValueError:
            raise bad_request("BAD_REQUEST", f"{text!r} is not a number") from None
    return text


def ordered(rows: Sequence[Row], sort: str) -> Sequence[Row]:
    for key in reversed([part for part in sort.split(",") if part]):
        rows = sorted(rows, key=lambda row: _rank(row.get(key.lstrip("+-"))), reverse=key.startswith("-"))
    return rows


def _rank(value: Any) -> tuple[bool, Any]:
    """Rows without the value come first."""
    return (value is not None, 0 if value is None else value)


def only(row: Row, fields: str | None) -> Row:
    """The named fields; unknown names are ignored."""
    if not fields:
        return row
    return {field: row[field] for field in fields.split(",") if field in row}


def positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise bad_request("BAD_REQUEST", f"{name} must be a positive number")
    return int(text)
