"""Saved plans: JSON, checked before anyone trusts them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from millpond.errors import InvalidDocument, Problem
from millpond.schemas.definitions import validator
from millpond.schemas.document import refuse
from millpond.schemas.text import place, read_text

FIX = "make it again with `millpond plan -o plan.json`"


def read_plan(path: Path) -> dict[str, Any]:
    """The plan document in `path`. InvalidDocument where it is no plan of a known format."""
    text = read_text(path)
    if isinstance(text, Problem):
        raise InvalidDocument((text,))
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = place(str(path), text[: error.pos])
        raise InvalidDocument((Problem(where, "the file is not valid JSON", error.msg, FIX),)) from None
    except RecursionError:
        raise InvalidDocument((Problem(str(path), "the file is nested too deeply", fix=FIX),)) from None
    check_plan(document, str(path))
    plan: dict[str, Any] = document
    return plan


def check_plan(document: object, file: str) -> None:
    """InvalidDocument where the schema of plans does not allow `document`."""
    version = document.get("format_version") if isinstance(document, Mapping) else None
    if isinstance(version, str) and not version.startswith("1."):
        why = "this version of Millpond reads format 1"
        raise InvalidDocument((Problem(file, f"the plan has format {version}", why, FIX),))
    errors = validator("plan").iter_errors(document)
    refuse([Problem(file, f"the plan is not valid at `{error.json_path}`", error.message[:200], FIX) for error in errors])
