"""Where documents name something that turned out not to be there."""

from __future__ import annotations

from pathlib import Path

from millpond.errors import Problem
from millpond.schemas.document import read_document
from millpond.schemas.tenants import manifest_path, tenant_names


def places_of_cloud(directory: Path, cloud: str) -> tuple[str, ...]:
    """`file:line:column` of every manifest that names it, source before target. Documents that cannot be read are passed over."""
    found: list[str] = []
    ignored: list[Problem] = []
    for tenant in tenant_names(directory):
        document = read_document(manifest_path(directory, tenant), "tenant", ignored)
        spec = document.value["spec"] if document else {}
        found += [document.where("spec", side, "cloud") for side in ("source", "target") if document and spec[side]["cloud"] == cloud]
    return tuple(found)
