"""The JSON Schemas of the documents, written beside them: the first line of each document tells editors where they lie."""

from __future__ import annotations

from pathlib import Path

from millpond.reporting.files import make_directory, write_text
from millpond.schemas import KINDS, schema_text

DIRECTORY = "schemas"


def write_schemas(directory: Path) -> list[Path]:
    """Those that were missing or of another version. CannotWrite where the site's directory does not take them."""
    wanted = {directory / DIRECTORY / f"{kind}.schema.json": schema_text(kind) for kind in KINDS}
    make_directory(directory / DIRECTORY)
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        write_text(path, wanted[path])
    return stale
