"""Saved plans: JSON, checked before anyone trusts them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from millpond.errors import InvalidDocument, MillpondError, Problem
from millpond.schemas.definitions import validator
from millpond.schemas.document import refuse
from millpond.schemas.text import place, read_text


class NoSavedPlan(MillpondError):
    summary = "There is no such saved plan"


class NotASavedPlan(InvalidDocument):
    summary = "This is no saved plan that can be read"


FIX = "make it again with `millpond plan -o plan.json`"
MAKE = "Correct its name, or make the plan and save it:"
COMMAND = "millpond plan -o plan.json"


def read_plan(path: Path) -> dict[str, Any]:
    """The plan document in `path`. NoSavedPlan where there is no such file, NotASavedPlan where it is no plan of a known format."""
    text = read_text(path)
    if isinstance(text, Problem) and text.why == os.strerror(errno.ENOENT):
        raise NoSavedPlan("there is no such file", where=str(path), fix=MAKE, command=COMMAND)
    document = _parse(text, str(path)) if isinstance(text, str) else text
    if isinstance(document, Problem):
        raise NotASavedPlan((replace(document, fix=document.fix or FIX),))
    try:
        check_plan(document, str(path))
    except InvalidDocument as error:
        raise NotASavedPlan(error.problems) from None
    assert isinstance(document, dict)  # noqa: S101 - the schema asks for a mapping
    return document


def _parse(text: str, file: str) -> Any | Problem:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        return Problem(place(file, text[: error.pos]), "the file is not valid JSON", error.msg, FIX)
    except RecursionError:
        return Problem(file, "the file is nested too deeply", fix=FIX)
    except ValueError as error:  # numbers of thousands of digits
        return Problem(file, "the file is not valid JSON", str(error), FIX)


def check_plan(document: object, file: str) -> None:
    """InvalidDocument where the schema of plans does not allow `document`."""
    version = document.get("format_version") if isinstance(document, Mapping) else None
    if isinstance(version, str) and not version.startswith("1."):
        refuse([Problem(file, f"the plan has format {version}", "this version of Millpond reads format 1", FIX)])
    errors = validator("plan").iter_errors(_without_copies(document))
    refuse([Problem(file, f"the plan is not valid at `{error.json_path}`", error.message[:200], FIX) for error in errors])


def _without_copies(document: object) -> object:
    """The changes at the top are those of the tenants: where both say the same they are looked at there alone, in half the time."""
    changes = _of_tenants(document.get("tenants")) if isinstance(document, Mapping) else None
    if changes is None or not isinstance(document, Mapping) or document.get("resource_changes") != changes:
        return document
    return {**document, "resource_changes": []}


def _of_tenants(tenants: object) -> list[Any] | None:
    """None where a tenant is not even shaped as one."""
    found: list[Any] = []
    for tenant in tenants if isinstance(tenants, list) else [None]:
        changes = tenant.get("resource_changes") if isinstance(tenant, Mapping) else None
        if not isinstance(changes, list):
            return None
        found += changes
    return found
