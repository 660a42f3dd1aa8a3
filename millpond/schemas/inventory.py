"""Inventories, `tenants/<name>.inventory.yaml`, as they are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from millpond.errors import Problem
from millpond.model.identity import Quota
from millpond.model.inventory import Inventory
from millpond.schemas.convert import DOCUMENT
from millpond.schemas.document import Document, read_document, refuse


def load_inventory(path: Path) -> Inventory:
    """The inventory in `path`. InvalidDocument names all problems."""
    problems: list[Problem] = []
    document = read_document(path, "inventory", problems)
    refuse(problems)
    assert document is not None  # noqa: S101 - without a problem there is a document
    return inventory_of(document)


def inventory_of(document: Document) -> Inventory:
    discovered_at = document.value["metadata"]["discovered_at"]
    return DOCUMENT.structure({**document.value["spec"], "tenant": document.name, "discovered_at": discovered_at}, Inventory)


def _quota(value: Mapping[str, Any], _type: object) -> Quota:
    return Quota(value["service"], dict(value["limits"]), {})


DOCUMENT.register_structure_hook(Quota, _quota)
