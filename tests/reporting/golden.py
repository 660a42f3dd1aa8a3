"""Texts compared with the files in golden/. `MILLPOND_WRITE_GOLDEN=1 pytest tests/reporting` writes them anew: read the diff before it is committed."""

import os
from pathlib import Path

from click import unstyle

DIRECTORY = Path(__file__).parent / "golden"
WIDTH = 100


def check(name: str, text: str) -> None:
    """The text as it looks without colours; lines that could be broken must fit into a terminal of 100 columns, but for Markdown."""
    path = DIRECTORY / name
    seen = unstyle(text) + "\n"
    if os.environ.get("MILLPOND_WRITE_GOLDEN"):
        path.write_text(seen, encoding="utf-8")
    assert seen == path.read_text(encoding="utf-8"), f"{name} reads otherwise"
    assert not [line for line in seen.splitlines() if line != line.rstrip()], "blanks at the end of a line"
    assert name.endswith(".md") or not [line for line in seen.splitlines() if len(line) > WIDTH and _may_be_broken(line)], "too wide"


def _may_be_broken(line: str) -> bool:
    """Not so: values, commands, the lines that CI tools parse, Markdown, and what has hardly any blanks."""
    if line.startswith("      openstack "):
        return False
    return len(line.split()) > 3 and " = " not in line and not line.startswith(("Migration:", "Made at", "|"))
