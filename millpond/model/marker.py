"""How a target object says which source object it stands for."""

from __future__ import annotations

from collections.abc import Iterable

TENANT_TAG = "millpond"
TAG_PREFIX = "millpond:source="
STRETCHED_TAG = "millpond:stretched"
DECOMMISSION_TAG_PREFIX = "millpond:decommission="
DECOMMISSION_BEGUN_TAG = "millpond:decommission-begun"
"""On a source project whose decommissioning was admitted once and is not wanted any more: what is gone was handed over before."""
FENCE_OWNER = "millpond:fence"
FENCE_NAME = "millpond-fence"
PARKED = "millpond: parked"
"""The description of a floating IP that keeps an address of the source from being given to anybody."""
SWITCHING_TAG = "millpond:switching"
SWITCHED_TAG = "millpond:switched"
"""On a source router: its gateway is on its way to the other side, or has arrived on the target."""
ADMIN_DOWN_TAG = "millpond:admin-down"
"""On a target port that boots admin-up and is to be as the source's afterwards."""


def tag_for(source_id: str) -> str:
    return TAG_PREFIX + source_id


def marker_of(tags: Iterable[str]) -> str:
    return next((tag.removeprefix(TAG_PREFIX) for tag in tags if tag.startswith(TAG_PREFIX)), "")


def own_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The tenant's tags: without Millpond's."""
    return tuple(sorted(tag for tag in tags if not tag.startswith("millpond:") and tag != TENANT_TAG))
