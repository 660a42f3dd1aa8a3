"""What the manifest leaves on the source, with the reason that it gives."""

from __future__ import annotations

from collections.abc import Iterator

from millpond.model.desired import Desired
from millpond.model.finding import EXCLUDED, Finding, Severity

_COLLECTIONS = {"server": "servers", "volume": "volumes", "network": "networks"}


def findings(desired: Desired) -> Iterator[Finding]:
    """One for each entry, in the order of the manifest. Nobody has to do anything about them."""
    for exclusion in desired.manifest.exclude:
        for kind, collection in _COLLECTIONS.items():
            named = getattr(exclusion, kind)
            if named:
                address = desired.address(kind, _source_id(desired, collection, named))
                yield Finding(EXCLUDED, Severity.INFO, address, f"stays on the source: {exclusion.reason}")


def _source_id(desired: Desired, collection: str, named: str) -> str:
    """Of the object that the manifest names, by name or id."""
    items = getattr(desired.inventory, collection)
    return next((item.id for item in items if item.id in desired.excluded and named in (item.id, item.name)), named)
