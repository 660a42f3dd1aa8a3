"""The digest of the destination: the same on the pull request, on main and after a crash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from millpond.model.desired import Desired
from millpond.reconcilers.twins import once_per
from millpond.schemas.convert import stated

FORMAT_MAJOR = 1


@once_per
def tenant_digest(desired: Desired) -> str:
    """sha256 over what the tenant shall be on the target: inventory and manifest values, effective flags, clouds, arrays and maps.

    A field that has its default counts as not stated, so that approvals outlive versions that add fields.
    Left out on purpose: approvals, windows, rollback blocks, soak, brakes, limits, and when and from where it was read.
    """
    inventory = stated(desired.inventory)
    inventory.pop("discovered_at", None)
    manifest, site = desired.manifest, desired.site
    destination: dict[str, Any] = {
        "format": FORMAT_MAJOR,
        "inventory": inventory,
        "source": stated(manifest.source),
        "target": stated(manifest.target),
        "decommission": manifest.decommission,
        "waves": [[wave.name, list(wave.servers), list(wave.volumes), wave.cutover, wave.grouping] for wave in desired.waves],
        "quotas": dict(manifest.quotas),
        "servers": {id: stated(values) for id, values in desired.server_values.items()},
        "volumes": {id: stated(values) for id, values in desired.volume_values.items()},
        "adoption": manifest.adoption or site.replication.adoption,
        "excluded": sorted(desired.excluded),
        "pool_pairs": [stated(pair) for pair in site.pool_pairs],
        "maps": stated(site.maps),
        "fabric": stated(site.fabric),
        "image_metadata": dict(site.image_metadata),
    }
    return digest_of(destination)


def digest_of(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def plan_digest(digests: Iterable[str]) -> str:
    return digest_of(sorted(digests))
