"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from millpond.errors import MillpondError


class CannotWrite(MillpondError):
    summary = "A file cannot be written"


def write_text(path: Path, text: str) -> None:
    """CannotWrite where the place does not take it; what was there before is then still there."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(exist_ok=True)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise CannotWrite(str(error.strerror), where=str(path), fix="Make the place writable, or name another one.") from error
