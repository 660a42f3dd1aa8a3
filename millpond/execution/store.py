"""Opens the journal's database: SQLite by default, anything else by its SQLAlchemy URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from millpond.errors import MillpondError
from millpond.execution.redaction import redact
from millpond.execution.tables import METADATA

FILE = ".millpond/journal.db"
PATIENCE_MS = 10_000
WRITABLE = "Make the place writable and free some space, or name another one with `journal` in millpond.yaml."


class JournalUnusable(MillpondError):
    """Without a journal nothing is changed: an intent must be on disk before its call is sent."""

    summary = "The journal cannot be used"


def open_store(url: str, directory: Path) -> Engine:
    """The engine, its tables made. An empty `url` is `.millpond/journal.db` below `directory`. JournalUnusable when that does not work."""
    place = _place(url, directory)
    try:
        if place.get_backend_name() == "sqlite" and place.database not in (None, "", ":memory:"):
            Path(str(place.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(place, pool_pre_ping=place.get_backend_name() != "sqlite")
    except ModuleNotFoundError as error:
        raise JournalUnusable(
            f"no driver for {place.drivername} is installed ({error.name})",
            where=_shown(place),
            fix="Install the driver:",
            command="pip install 'millpond[postgresql]'",
        ) from error
    except (OSError, NoSuchModuleError) as error:
        raise _unusable(place, error) from error
    if place.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _durable)
    with guarded(engine):
        METADATA.create_all(engine)
    return engine


def is_there(url: str, directory: Path) -> bool:
    """False for a file that nobody has written yet: who only reads need not make one."""
    place = _place(url, directory)
    return place.get_backend_name() != "sqlite" or Path(str(place.database)).exists()


@contextmanager
def guarded(engine: Engine) -> Iterator[None]:
    """Tells what went wrong with the database as a JournalUnusable."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _unusable(engine.url, error) from error


def _place(url: str, directory: Path) -> URL:
    if not url:
        return URL.create("sqlite", database=str(directory / FILE))
    try:
        place = make_url(url)
    except ArgumentError as error:
        raise JournalUnusable(
            "`journal` in millpond.yaml is not an SQLAlchemy URL", fix="Example: postgresql://millpond@db.example/millpond"
        ) from error
    if place.drivername == "postgresql":
        place = place.set(drivername="postgresql+psycopg")
    if place.get_backend_name() == "sqlite" and place.database:
        place = place.set(database=str(directory / place.database))
    return place


def _durable(connection: Any, _record: object) -> None:
    """Every commit reaches the disk, and readers do not stop the writer (sqlite.org/wal.html, pragma synchronous)."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _unusable(place: URL, error: Exception) -> JournalUnusable:
    cause = getattr(error, "orig", None) or error
    why = redact(" ".join(str(getattr(cause, "strerror", None) or cause).split()))
    damaged = any(words in why for words in ("not a database", "malformed"))
    mend = "Move the damaged file away: it is evidence, and every run starts from what it observes." if damaged else WRITABLE
    return JournalUnusable(why, where=_shown(place), fix=f"Nothing more was sent. {mend}")


def _shown(place: URL) -> str:
    if place.get_backend_name() == "sqlite":
        return str(place.database or ":memory:")
    return place.render_as_string(hide_password=True)
