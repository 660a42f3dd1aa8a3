"""A guest's writes: the proof that a disk arrives with all that was written to it."""

from typing import Any

from millpond.sandbox.clouds import SimulatedCloud
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox import InfiniBox
from millpond.sandbox.nova.servers import RUNNING
from millpond.sandbox.simulation import Simulation


def write(simulation: Simulation, order: dict[str, Any]) -> dict[str, str]:
    """Writes `data` as a guest of `cloud` does: to every disk of the server `server_id`, or to `volume_id` alone.

    Returns the content of each volume afterwards, by volume id. ApiError 404 for unknown things; 409, with nothing written,
    unless the server runs and each volume is attached, mapped to its host and not write-protected.
    """
    cloud = simulation.clouds.get(str(order.get("cloud")))
    if cloud is None or "data" not in order:
        raise ApiError(400, "cloud and data are needed")
    server = _server(cloud, order)
    if server["power_state"] != RUNNING:
        raise ApiError(409, f"server {server['name']} does not run")
    chosen = [one["volume_id"] for one in server["volumes"] if order.get("volume_id") in (None, one["volume_id"])]
    disks = {id: _disk(cloud, server, id) for id in chosen}
    for array, row in disks.values():
        array.write(row["id"], str(order["data"]))
    return {id: array.content(row["id"]) for id, (array, row) in disks.items()}


def write_from_outside(simulation: Simulation, order: dict[str, Any]) -> dict[str, str]:
    """Writes `data` to the volume that `array` knows by the name `volume`, as a host of a cloud that is not simulated does.

    Returns its content afterwards, by name. ApiError 404 for unknown things; 409 unless a host sees it and it is not write-protected.
    """
    array = simulation.arrays.get(str(order["array"]))
    row = array.volume_by_name(str(order.get("volume"))) if array else None
    if array is None or row is None or "data" not in order:
        raise ApiError(404, "no such array or volume, or no data")
    if not array.hosts.luns_of_volume(row["id"]):
        raise ApiError(409, f"no host sees volume {row['name']}")
    if row["write_protected"]:
        raise ApiError(409, f"volume {row['name']} is write-protected on the array")
    array.write(row["id"], str(order["data"]))
    return {row["name"]: array.content(row["id"])}


def _server(cloud: SimulatedCloud, order: dict[str, Any]) -> Row:
    servers = cloud.nova.servers.table
    found = servers.get(str(order["server_id"])) if "server_id" in order else _holder(cloud, str(order.get("volume_id")))
    if found is None:
        raise ApiError(404, "no such server, or no server that the volume is attached to")
    return found


def _holder(cloud: SimulatedCloud, volume_id: str) -> Row | None:
    holding = [server for server in cloud.nova.servers.table if any(one["volume_id"] == volume_id for one in server["volumes"])]
    return max(holding, key=lambda server: server["power_state"] == RUNNING, default=None)


def _disk(cloud: SimulatedCloud, server: Row, volume_id: str) -> tuple[InfiniBox, Row]:
    cinder = cloud.cinder
    volume = cinder.volumes.get(volume_id)
    backend = cinder.backends.of(volume) if volume else None
    if volume is None or backend is None:
        raise ApiError(409, f"volume {volume_id} is not there")
    array, row = cinder.backends.array(backend), cinder.driver.find(volume)
    hosts = [array.hosts.get(lun["host"])["name"] for lun in array.hosts.luns_of_volume(row["id"])]
    if cinder.driver.host_name(server["host"]) not in hosts:
        raise ApiError(409, f"volume {volume_id} is not mapped to the host of server {server['name']}")
    if row["write_protected"]:
        raise ApiError(409, f"volume {volume_id} is write-protected on the array")
    return array, row
