"""What a source that is to be deleted holds and no inventory names."""

from __future__ import annotations

from millpond.model.address import Address
from millpond.model.finding import Finding, Severity


def late(address: Address, resource: str, id: str, name: str) -> Finding:
    """A blocker: decommissioning found what no inventory names."""
    return Finding(
        f"late_{resource}",
        Severity.BLOCKER,
        address,
        f"the source project holds a {resource.replace('_', ' ')} that is not in the inventory: {name or id} ({id})",
        "only what was migrated and verified may be deleted",
        f"look at what it is for; then delete it by hand, or run `millpond discover {address.tenant}` and migrate it",
    )
