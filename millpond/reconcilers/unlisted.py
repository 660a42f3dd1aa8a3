"""What a source that is to be deleted holds and no inventory names."""

from __future__ import annotations

from millpond.model.address import Address
from millpond.model.finding import Finding, Severity
from millpond.model.to_do import to_do


def late(address: Address, resource: str, id: str, name: str) -> Finding:
    """A blocker: decommissioning found what no inventory names."""
    return Finding(
        f"late_{resource}",
        Severity.BLOCKER,
        address,
        f"the source project holds a {resource.replace('_', ' ')} that is not in the inventory: {name or id} ({id})",
        "only what was migrated and verified may be deleted",
        to_do(
            "look at what it is for; then delete it by hand, or take it into the inventory and migrate it",
            f"millpond discover {address.tenant}",
        ),
    )
