"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from millpond.errors import MillpondError


class CannotWrite(MillpondError):
    summary = "A file cannot be written"


def expect_directory(path: Path) -> None:
    """CannotWrite where the directory of a file to be written is missing: better told before long work than after."""
    if not path.parent.is_dir():
        raise CannotWrite("its directory does not exist", where=str(path), fix="Make the directory, or name another file.")


def make_directory(path: Path) -> None:
    """CannotWrite where it is not there and cannot be made."""
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise CannotWrite(str(error.strerror), where=str(path), fix="Make the place writable.") from error


def write_text(path: Path, text: str) -> None:
    """CannotWrite where the place does not take it; what was there before is then still there.

    A link goes on leading to its file. What is no file, as /dev/stdout, is written to as it is.
    """
    expect_directory(path)
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
        else:
            _replace(path.resolve(), text)
    except (OSError, RuntimeError) as error:  # the latter of links in a circle
        why = str(getattr(error, "strerror", "") or "its links lead in a circle")
        raise CannotWrite(why, where=str(path), fix="Make the place writable, or name another one.") from error


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
