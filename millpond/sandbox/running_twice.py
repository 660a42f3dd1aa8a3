"""The one invariant that no service of its own can see: at most one running copy of a server over both clouds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from millpond.sandbox.clouds import SimulatedCloud
from millpond.sandbox.core.world import World
from millpond.sandbox.nova.servers import RUNNING


def check_running_twice(world: World, clouds: Mapping[str, SimulatedCloud]) -> None:
    """Records a violation for each MAC address with which a server runs on both clouds."""
    running = [_running(cloud) for cloud in clouds.values()]
    table = world.store.table("violations")
    for mac in set.intersection(*map(set, running)):
        names = " and ".join(f"{cloud}/{found[mac]}" for cloud, found in zip(clouds, running, strict=True))
        id = uuid.uuid5(uuid.NAMESPACE_URL, f"running_twice {mac} {names}").hex
        if id not in table:
            detail = f"{names} run at once with MAC address {mac}"
            table.insert({"id": id, "kind": "running_twice", "at": world.clock.ms(), "where": "clouds", "detail": detail})


def _running(cloud: SimulatedCloud) -> dict[str, str]:
    """MAC address -> name of the server that runs with it."""
    ports = cloud.neutron.ports.table
    found = {}
    for server in cloud.nova.servers.table.where(power_state=RUNNING):
        for nic in server["nics"]:
            port = ports.get(nic["port_id"])
            if port is not None:
                found[port["mac_address"]] = server["name"]
    return found
