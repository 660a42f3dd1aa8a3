"""Where documents name something that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from millpond.errors import Problem
from millpond.model.desired import Desired
from millpond.schemas.document import read_as_far_as_it_goes, read_document
from millpond.schemas.nearest import did_you_mean, listed
from millpond.schemas.tenants import manifest_path, same_cloud, tenant_names


def places_of_cloud(directory: Path, cloud: str) -> tuple[str, ...]:
    """`file:line:column` of every manifest that names it, source before target. Documents that cannot be read are passed over."""
    return tuple(where for name, where in named_clouds(directory, tenant_names(directory)) if name == cloud)


def named_clouds(directory: Path, tenants: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Cloud and `file:line:column` of each place in these tenants' manifests that names one, whatever else is wrong with them."""
    for tenant in tenants:
        document = read_as_far_as_it_goes(manifest_path(directory, tenant), "tenant", [])
        for side in ("source", "target") if document else ():
            if document and (cloud := document.text("spec", side, "cloud")):
                yield cloud, document.where("spec", side, "cloud")


def unknown_clouds(named: Iterable[tuple[str, str]], known: Sequence[str]) -> tuple[Problem, ...]:
    """A problem for each place that names a cloud which is not among the configured ones."""
    otherwise = "add it to clouds.yaml, or set OS_CLIENT_CONFIG_FILE to the file that has it"
    return tuple(
        Problem(where, f"cloud `{cloud}` is not configured", f"configured: {listed(known)}", did_you_mean(cloud, known, otherwise))
        for cloud, where in named
        if cloud not in known
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
