"""os-volume_attachments: volumes of a server that is there already."""

from typing import TYPE_CHECKING, Any

from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import block_devices, refusals
from millpond.sandbox.nova.boolean import is_true
from millpond.sandbox.nova.servers import Servers

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

STATES = ("active", "paused", "suspended", "stopped", "resized")
NOT_MIGRATING = "volume {} is not migrating; this API should only be called by Cinder"


class Attachments:
    def __init__(self, cloud: "Cloud", servers: Servers, cinder: CinderService) -> None:
        self.cloud, self.cinder = cloud, cinder
        self.servers = servers
        for step in ("attached", "detached"):
            cloud.world.events.on(self._event(step), getattr(self, step))

    def require(self, server: Row, volume_id: str) -> dict[str, Any]:
        device = find(server, volume_id)
        if device is None:
            raise ApiError(404, f"Instance {server['id']} is not attached to volume {volume_id}")
        return device

    def attach(self, caller: Caller, server: Row, given: dict[str, Any], minor: int) -> dict[str, Any]:
        """Reserves the volume and returns the device it will have.

        ApiError 404 for no such volume, 400 when Cinder will not give it, 409 for lock or state.
        """
        volume_id = given["volumeId"]
        self.servers.check_lock(caller, server)
        self.servers.check_state(server, "attach_volume", STATES)
        volume = self.cinder.volumes.get(volume_id)
        if volume is None or not (caller.is_admin or volume["project_id"] == caller.project_id):
            raise refusals.no_volume(volume_id)
        if volume["multiattach"] and minor < 60:
            raise refusals.bad_request(block_devices.OLD_MULTIATTACH)
        if find(server, volume_id):
            raise refusals.bad_request(f"Invalid volume: volume {volume_id} already attached")
        try:
            self.cinder.reserve(volume_id, server["project_id"], server["id"])
        except ApiError as error:
            raise refusals.bad_request(f"Invalid volume: {error.message}") from None
        device = self._add(server, given)
        self.servers.record(caller, server, "attach_volume")
        self._after("attached", server, volume_id)
        return device

    def update(self, server: Row, volume_id: str, given: dict[str, Any], minor: int) -> None:
        """Changes delete_on_termination (2.85). ApiError 400 for another field, 409 for what would swap volumes."""
        device = self.require(server, volume_id)
        if minor < 85 or given["volumeId"] != volume_id:
            raise refusals.conflict(NOT_MIGRATING.format(volume_id))
        same = {"id": volume_id, "serverId": server["id"], "device": device["device"], "tag": device["tag"]}
        for name, value in same.items():
            if name in given and given[name] != value:
                raise refusals.bad_request(f"The {name} property is not mutable")
        if "delete_on_termination" in given:
            self.set(server, volume_id, delete_on_termination=is_true(given["delete_on_termination"]))

    def detach(self, caller: Caller, server: Row, volume_id: str) -> None:
        """ApiError 400 for the root device, 404 when it is not attached, 409 for lock or state."""
        device = self.require(server, volume_id)
        self.servers.check_lock(caller, server)
        self.servers.check_state(server, "detach_volume", STATES)
        if device["boot_index"] == 0:
            raise refusals.bad_request("Cannot detach a root device volume")
        if not device["attached"]:
            raise refusals.bad_request(
                f"Invalid volume: Invalid input received: Invalid volume: Unable to detach volume. Volume status must "
                f"be 'in-use' and attach_status must be 'attached' to detach. Volume {volume_id}"
            )
        self.cinder.begin_detaching(volume_id)
        self.servers.record(caller, server, "detach_volume")
        self._after("detached", server, volume_id)

    def attached(self, server_id: str, volume_id: str) -> None:
        server = self.servers.table.get(server_id)
        device = find(server, volume_id) if server else None
        if server is None or device is None:
            return
        try:
            self.cinder.attach(volume_id, server_id, device["device"], server["host"])
        except ApiError:
            self.cinder.unreserve(volume_id, server_id)
            self._remove(server, volume_id)
            return
        self.set(server, volume_id, attached=True)

    def detached(self, server_id: str, volume_id: str) -> None:
        server = self.servers.table.get(server_id)
        if server is not None and find(server, volume_id):
            self.cinder.terminate(volume_id, server_id)
            self._remove(server, volume_id)

    def set(self, server: Row, volume_id: str, **changes: Any) -> None:
        volumes = [{**one, **changes} if one["volume_id"] == volume_id else one for one in server["volumes"]]
        self.servers.change(server, volumes=volumes)

    def _add(self, server: Row, given: dict[str, Any]) -> dict[str, Any]:
        taken = [server["root_device_name"], *(one["device"] for one in server["volumes"])]
        name = block_devices.next_device(taken, server["root_device_name"][len("/dev/") : -1])
        wanted = {
            "boot_index": -1,
            "delete_on_termination": is_true(given.get("delete_on_termination", False)),
            "tag": given.get("tag"),
        }
        device = block_devices.attachment(wanted, given["volumeId"], name)
        self.servers.change(server, volumes=[*server["volumes"], device])
        return device

    def _remove(self, server: Row, volume_id: str) -> None:
        self.servers.change(server, volumes=[one for one in server["volumes"] if one["volume_id"] != volume_id])

    def _after(self, step: str, server: Row, volume_id: str) -> None:
        delay = self.cloud.world.settings.delays.attach
        self.cloud.world.events.at(delay, self._event(step), server_id=server["id"], volume_id=volume_id)

    def _event(self, step: str) -> str:
        return f"{self.cloud.name}/nova/{step}"


def find(server: Row, volume_id: str) -> dict[str, Any] | None:
    return next((device for device in server["volumes"] if device["volume_id"] == volume_id), None)
