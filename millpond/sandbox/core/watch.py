"""The one invariant that no service of its own can see: at most one running copy of a server over both clouds."""

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud, World

RUNNING = 1
"""Nova's power_state of a guest that runs, also while it is being stopped (nova/compute/power_state.py)."""


def check_running_twice(world: "World") -> None:
    """Records a violation for each MAC address with which a server runs on both clouds."""
    running = [_running(cloud) for cloud in world.clouds.values()]
    table = world.store.table("violations")
    for mac in set.intersection(*map(set, running)):
        names = " and ".join(f"{cloud}/{found[mac]}" for cloud, found in zip(world.clouds, running, strict=True))
        id = uuid.uuid5(uuid.NAMESPACE_URL, f"running_twice {mac} {names}").hex
        if id not in table:
            detail = f"{names} run at once with MAC address {mac}"
            table.insert({"id": id, "kind": "running_twice", "at": world.clock.ms(), "where": "clouds", "detail": detail})


def _running(cloud: "Cloud") -> dict[str, str]:
    """MAC address -> name of the server that runs with it."""
    ports = cloud.neutron.ports.table
    found = {}
    for server in cloud.nova.servers.table.where(power_state=RUNNING):
        for nic in server["nics"]:
            port = ports.get(nic["port_id"])
            if port is not None:
                found[port["mac_address"]] = server["name"]
    return found
