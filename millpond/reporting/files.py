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
    """CannotWrite where the place does not take it; what was there before is then still there."""
    expect_directory(path)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise CannotWrite(str(error.strerror), where=str(path), fix="Make the place writable, or name another one.") from error
