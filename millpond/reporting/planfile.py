"""Saved plans on disk."""

from __future__ import annotations

import json
from pathlib import Path

from millpond.model.plan_document import PlanDocument
from millpond.reporting.files import write_text
from millpond.reporting.plan_from_json import from_json
from millpond.reporting.plan_json import to_json
from millpond.schemas.plan_document import read_plan


def plan_document_text(document: PlanDocument) -> str:
    """The same text for the same plan."""
    return json.dumps(to_json(document), indent=2, ensure_ascii=False) + "\n"


def write_planfile(path: Path, document: PlanDocument) -> None:
    """Whole or not at all. CannotWrite where the place does not take it."""
    write_text(path, plan_document_text(document))


def read_planfile(path: Path) -> PlanDocument:
    """InvalidDocument where the file is no plan, or one of another major version."""
    return from_json(read_plan(path))
