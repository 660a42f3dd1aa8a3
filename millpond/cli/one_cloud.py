"""Whether source and target are two names of one cloud, as the configuration of this machine tells it. Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from millpond.errors import InvalidDocument, MissingCloud
from millpond.model.desired import Desired
from millpond.providers.open import configured_clouds, places
from millpond.schemas.document import refusal
from millpond.schemas.places import one_cloud_twice


def refused_for_one_cloud(directory: Path, tenants: Sequence[Desired]) -> Mapping[str, InvalidDocument]:
    """Tenant → what is wrong. Clouds that are not configured are passed over; UnreadableClouds where clouds.yaml cannot be read."""
    named = {ref.cloud for desired in tenants for ref in (desired.manifest.source, desired.manifest.target)}
    stands_for: dict[str, str] = {}
    for cloud in sorted(named & {*configured_clouds()}) if named else ():
        with suppress(MissingCloud):
            stands_for |= places({cloud})
    return {tenant: refusal([problem]) for tenant, problem in one_cloud_twice(directory, tenants, stands_for)}
