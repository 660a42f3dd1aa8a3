"""One collection of JSON rows, kept in insertion order and found by id or by equal fields."""

from collections.abc import Iterable, Iterator
from typing import Any

Row = dict[str, Any]
Change = tuple[str, str, int, Row | None]
"""Table name, row id, position, and the row (None when it was deleted)."""


class Index:
    """Row ids by the text in one field."""

    def __init__(self, field: str, rows: Iterable[Row]) -> None:
        self._field = field
        self._ids: dict[str, dict[str, None]] = {}
        self._texts: dict[str, str] = {}
        for row in rows:
            self.put(row)

    def put(self, row: Row) -> None:
        self.drop(row["id"])
        text = row.get(self._field)
        if isinstance(text, str):
            self._texts[row["id"]] = text
            self._ids.setdefault(text, {})[row["id"]] = None

    def drop(self, id: str) -> None:
        text = self._texts.pop(id, None)
        if text is not None:
            del self._ids[text][id]

    def ids(self, text: str) -> Iterable[str]:
        return self._ids.get(text, ())


class Table:
    """Rows are read as they are stored; `update` is the only way to change one that reaches the disk and the indexes.

    A row object stays the same through `update`, so a caller who holds it sees the change. `changed` gets the table's name
    with every change of a row.
    """

    def __init__(self, name: str, changed: dict[str, None]) -> None:
        self.name = name
        self._changed = changed
        self._rows: dict[str, Row] = {}
        self._positions: dict[str, int] = {}
        self._next = 0
        self._dirty: dict[str, None] = {}
        self._indexes: dict[str, Index] = {}

    def insert(self, row: Row) -> Row:
        """Adds `row`, whose `id` must be a string not yet in the table (ValueError)."""
        key = row["id"]
        if not isinstance(key, str) or key in self._rows:
            raise ValueError(f"{self.name}: {key!r} is not a new string id")
        self._rows[key] = row
        self._positions[key] = self._next
        self._next += 1
        self._touch(key)
        for index in self._indexes.values():
            index.put(row)
        return row

    def get(self, id: str) -> Row | None:
        return self._rows.get(id)

    def update(self, id: str, **changes: Any) -> Row:
        """Sets fields of the row `id` (KeyError when there is none) and returns the row."""
        row = self._rows[id]
        row.update(changes)
        self._touch(id)
        for field in changes:
            if field in self._indexes:
                self._indexes[field].put(row)
        return row

    def delete(self, id: str) -> None:
        """Removes the row `id` (KeyError when there is none)."""
        del self._rows[id]
        self._touch(id)
        for index in self._indexes.values():
            index.drop(id)

    def where(self, **equal: Any) -> list[Row]:
        """The rows whose fields all equal the given values, in insertion order."""
        rows = list(self._rows.values())
        for field, value in equal.items():
            if isinstance(value, str):
                rows = [self._rows[id] for id in sorted(self._index(field).ids(value), key=self._positions.__getitem__)]
                del equal[field]
                break
        for field, value in equal.items():
            rows = [row for row in rows if field in row and row[field] == value]
        return rows

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

    def _touch(self, key: str) -> None:
        self._dirty[key] = None
        self._changed[self.name] = None

    def _index(self, field: str) -> Index:
        if field not in self._indexes:
            self._indexes[field] = Index(field, self._rows.values())
        return self._indexes[field]
