"""What discover found."""

from __future__ import annotations

from millpond.model.inventory import Inventory
from millpond.reporting.amounts import counted
from millpond.reporting.symbols import bold


def discovery_text(inventory: Inventory, path: str, *, written: bool) -> str:
    """One line of counts, one of the file."""
    size = sum(volume.size for volume in inventory.volumes)
    own = sum(1 for network in inventory.networks if network.project_id == inventory.project.id)
    found = (
        counted(len(inventory.servers), "server"),
        f"{counted(len(inventory.volumes), 'volume')} of {size} GiB",
        counted(own, "network"),
        counted(len(inventory.routers), "router"),
        counted(len(inventory.floating_ips), "floating IP"),
        counted(len(inventory.users), "user"),
    )
    what = f"Wrote {path}." if written else f"{path} is up to date."
    return f"{bold(inventory.tenant)}: {', '.join(found)}.\n{what}"
