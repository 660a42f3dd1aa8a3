"""All tables of the world, in memory, written behind to one SQLite file."""

import json
import sqlite3
from pathlib import Path

from millpond.sandbox.core.table import Row, Table

__all__ = ["Row", "Store", "Table"]

SCHEMA = "CREATE TABLE IF NOT EXISTS rows (collection TEXT, id TEXT, position INTEGER, body TEXT, UNIQUE (collection, id))"
UPSERT = """INSERT INTO rows VALUES (?, ?, ?, ?)
            ON CONFLICT (collection, id) DO UPDATE SET position = excluded.position, body = excluded.body"""


class Store:
    """`path` None keeps the world in memory alone."""

    def __init__(self, path: Path | None = None) -> None:
        self._tables: dict[str, Table] = {}
        self._changed: dict[str, None] = {}
        self._database = sqlite3.connect(path if path else ":memory:", isolation_level=None)
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute("PRAGMA journal_mode=MEMORY")
        self._database.execute(SCHEMA)
        self._load()

    def table(self, name: str) -> Table:
        """The one table of that name, made when first asked for."""
        if name not in self._tables:
            self._tables[name] = Table(name, self._changed)
        return self._tables[name]

    def names(self) -> list[str]:
        return sorted(self._tables)

    def is_empty(self) -> bool:
        return not any(len(table) for table in self._tables.values())

    def is_dirty(self) -> bool:
        return bool(self._changed)

    def flush(self) -> None:
        """Writes what changed since the last flush, in one transaction."""
        changes = [change for name in self._changed for change in self._tables[name].drain()]
        self._changed.clear()
        if not changes:
            return
        gone = [(name, key) for name, key, _, row in changes if row is None]
        kept = [(name, key, at, json.dumps(row)) for name, key, at, row in changes if row is not None]
        self._database.execute("BEGIN")
        self._database.executemany("DELETE FROM rows WHERE collection = ? AND id = ?", gone)
        self._database.executemany(UPSERT, kept)
        self._database.execute("COMMIT")

    def snapshot(self) -> bytes:
        """The content of every table, independent of what happens to them afterwards."""
        return json.dumps({name: list(table) for name, table in self._tables.items()}).encode()

    def restore(self, snapshot: bytes) -> None:
        """Puts every table back to `snapshot`; table objects stay the same, row objects do not."""
        tables: dict[str, list[Row]] = json.loads(snapshot)
        for name in {*tables, *self._tables}:
            self.table(name).load(tables.get(name, []))

    def close(self) -> None:
        self.flush()
        self._database.close()

    def _load(self) -> None:
        content: dict[str, list[Row]] = {}
        for name, body in self._database.execute("SELECT collection, body FROM rows ORDER BY position"):
            content.setdefault(name, []).append(json.loads(body))
        for name, rows in content.items():
            self.table(name).load(rows)
        # Positions are renumbered from zero: written once, so that later inserts sort behind.
        self.flush()
