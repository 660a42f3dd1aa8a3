"""Where documents name something that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from millpond.errors import Problem
from millpond.model.desired import Desired
from millpond.schemas.document import read_document
from millpond.schemas.nearest import did_you_mean, listed
from millpond.schemas.tenants import manifest_path, same_cloud, tenant_names


def places_of_cloud(directory: Path, cloud: str) -> tuple[str, ...]:
    """`file:line:column` of every manifest that names it, source before target. Documents that cannot be read are passed over."""
    found: list[str] = []
    ignored: list[Problem] = []
    for tenant in tenant_names(directory):
        document = read_document(manifest_path(directory, tenant), "tenant", ignored)
        spec = document.value["spec"] if document else {}
        found += [document.where("spec", side, "cloud") for side in ("source", "target") if document and spec[side]["cloud"] == cloud]
    return tuple(found)


def unknown_clouds(directory: Path, tenants: Iterable[Desired], known: Sequence[str]) -> tuple[Problem, ...]:
    """A problem for each place that names a cloud which is not among the configured ones."""
    named = {ref.cloud for desired in tenants for ref in (desired.manifest.source, desired.manifest.target)}
    otherwise = "add it to clouds.yaml, or set OS_CLIENT_CONFIG_FILE to the file that has it"
    return tuple(
        Problem(where, f"cloud `{cloud}` is not configured", f"configured: {listed(known)}", did_you_mean(cloud, known, otherwise))
        for cloud in sorted(named - {*known})
        for where in places_of_cloud(directory, cloud)
    )


def one_cloud_twice(directory: Path, tenants: Iterable[Desired], stands_for: Mapping[str, str]) -> Iterator[tuple[str, Problem]]:
    """Tenant and problem where source and target are two names of one cloud. `stands_for`: name → which cloud that is, as far as known."""
    for desired in tenants:
        source, target = desired.manifest.source.cloud, desired.manifest.target.cloud
        place = stands_for.get(target)
        if place and stands_for.get(source) == place:
            document = read_document(manifest_path(directory, desired.tenant), "tenant", [])
            where = document.where("spec", "target", "cloud") if document else desired.manifest.file
            yield desired.tenant, same_cloud(where, f"source and target are the same cloud: `{source}` and `{target}` are both {place}")
