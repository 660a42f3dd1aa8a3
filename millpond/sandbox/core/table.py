"""One collection of JSON rows, kept in insertion order and found by id or by equal fields."""

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]
Change = tuple[str, str, int, Row | None]
"""Table name, row id, position, and the row (None when it was deleted)."""


class Table:
    """Rows are read as they are stored; `update` is the only way to change one that reaches the disk and the indexes.

    A row object stays the same through `update`, so a caller who holds it sees the change.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._rows: dict[str, Row] = {}
        self._positions: dict[str, int] = {}
        self._next = 0
        self._dirty: dict[str, None] = {}
        self._indexes: dict[str, dict[Any, list[Row]]] = {}

    def insert(self, row: Row) -> Row:
        """Adds `row`, whose `id` must be a string not yet in the table (ValueError)."""
        key = row["id"]
        if not isinstance(key, str) or key in self._rows:
            raise ValueError(f"{self.name}: {key!r} is not a new string id")
        self._rows[key] = row
        self._positions[key] = self._next
        self._next += 1
        self._touch(key)
        self._indexes.clear()
        return row

    def get(self, id: str) -> Row | None:
        return self._rows.get(id)

    def update(self, id: str, **changes: Any) -> Row:
        """Sets fields of the row `id` (KeyError when there is none) and returns the row."""
        row = self._rows[id]
        row.update(changes)
        self._touch(id)
        for field in changes:
            self._indexes.pop(field, None)
        return row

    def delete(self, id: str) -> None:
        """Removes the row `id` (KeyError when there is none)."""
        del self._rows[id]
        self._touch(id)
        self._indexes.clear()

    def where(self, **equal: Any) -> list[Row]:
        """The rows whose fields all equal the given values, in insertion order."""
        rows: list[Row] = list(self._rows.values())
        for field, value in equal.items():
            if isinstance(value, str):
                rows = self._index(field).get(value, [])
                break
        return [row for row in rows if all(field in row and row[field] == value for field, value in equal.items())]

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, id: object) -> bool:
        return id in self._rows

    def load(self, rows: list[Row]) -> None:
        """Replaces the whole content."""
        for key in self._rows:
            self._touch(key)
        self._rows = {row["id"]: row for row in rows}
        self._positions.update({key: position for position, key in enumerate(self._rows)})
        self._next = max(self._positions.values(), default=-1) + 1
        for key in self._rows:
            self._touch(key)
        self._indexes.clear()

    def drain(self) -> list[Change]:
        """What changed since the last call, each row once."""
        changes = [(self.name, key, self._positions[key], self._rows.get(key)) for key in self._dirty]
        for key in self._dirty:
            if key not in self._rows:
                del self._positions[key]
        self._dirty = {}
        return changes

    def is_dirty(self) -> bool:
        return bool(self._dirty)

    def _touch(self, id: str) -> None:
        self._dirty[id] = None

    def _index(self, field: str) -> dict[Any, list[Row]]:
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = {}
            for row in self._rows.values():
                value = row.get(field)
                if isinstance(value, str):
                    index.setdefault(value, []).append(row)
        return index
