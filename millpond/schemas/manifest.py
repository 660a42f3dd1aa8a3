"""Tenant manifests, `tenants/<name>.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from millpond.errors import Problem
from millpond.model.manifest import Manifest, Reference, ServerValues, VolumeValues
from millpond.schemas.convert import DOCUMENT
from millpond.schemas.document import Document, read_document, refuse


def load_manifest(path: Path) -> Manifest:
    """The manifest in `path`, references not yet resolved. InvalidDocument names all problems."""
    problems: list[Problem] = []
    document = read_document(path, "tenant", problems)
    refuse(problems)
    assert document is not None  # noqa: S101 - without a problem there is a document
    return manifest_of(document)


def manifest_of(document: Document) -> Manifest:
    return DOCUMENT.structure({**document.value["spec"], "name": document.name, "file": document.file}, Manifest)


def _reference(value: str | Mapping[str, str], _type: object) -> Reference:
    return Reference(name=value) if isinstance(value, str) else Reference(value.get("name", ""), value.get("source_id", ""))


def _values(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The model keeps the reference apart from the values; in a manifest they stand side by side."""
    rest = {name: each for name, each in value.items() if name not in ("name", "source_id")}
    return {key: _reference(value, None), **rest}


DOCUMENT.register_structure_hook(Reference, _reference)
DOCUMENT.register_structure_hook(ServerValues, lambda value, _: ServerValues(**_values("server", value)))
DOCUMENT.register_structure_hook(VolumeValues, lambda value, _: VolumeValues(**_values("volume", value)))
