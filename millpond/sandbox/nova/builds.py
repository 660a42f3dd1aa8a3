"""From BUILD to ACTIVE or ERROR: host, ports, volumes one after the other, spawning.

The order and what is cleaned up when it fails: nova/compute/manager.py, `_do_build_and_run_instance`.
"""

from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.nova.servers import NOSTATE, RUNNING

if TYPE_CHECKING:
    from millpond.sandbox.nova.service import NovaService

SCHEDULING_SHARE = 0.1
"""Of delays.server_boot: the part before a host is chosen; the rest is spawning."""
VIF_PLUGGING_TIMEOUT = 300.0
"""Virtual seconds (nova/conf/compute.py) that Nova waits for a port that never becomes ACTIVE."""
NO_HOST = "No valid host was found. There are not enough hosts available."
NO_NETWORK = "Failed to allocate the network(s), not rescheduling."


class Builds:
    """Each step is an event that names the server, and does nothing when the server has gone or failed meanwhile."""

    def __init__(self, nova: "NovaService") -> None:
        self.cloud = cloud = nova.cloud
        self.neutron, self.cinder = nova.neutron, nova.cinder
        self.servers = nova.servers
        self.groups = nova.server_groups
        self.scheduler = nova.scheduler
        self.interfaces = nova.interfaces
        self.removal = nova.removal
        self.lanes = cloud.table("nova/lanes")
        for step in ("schedule", "attach", "spawn", "spawned", "unplugged", "plugged"):
            cloud.world.events.on(self._event(step), getattr(self, step))

    def begin(self, server: Row) -> None:
        self._after(self.cloud.world.settings.delays.server_boot * SCHEDULING_SHARE, "schedule", server)

    def at_once(self, server: Row) -> None:
        """The whole build without virtual time, for worlds that begin with running servers. ApiError as it fails."""
        if not self._place(server):
            raise ApiError(500, NO_HOST)
        self._plug(server)
        for at in range(len(server["volumes"])):
            self._connect(server, at)
        self._activate(server)
        for nic in server["nics"]:
            self.neutron.bindings.port_active(nic["port_id"])

    # Events.

    def schedule(self, server_id: str) -> None:
        server = self._building(server_id)
        if server is None:
            return
        if not self._place(server):
            # The volumes stay reserved until the server is deleted: no host ever cleaned up after it.
            self._fail(server, NO_HOST)
            return
        try:
            self._plug(server)
        except ApiError as error:
            self.abort(server, error.message)
            return
        self._next_volume(server, 0)

    def attach(self, server_id: str, at: int) -> None:
        server = self._building(server_id)
        if server is None:
            return
        device = server["volumes"][at]
        if device["volume_id"] is None:
            self._create_volume(server, at)
            self._after(1.0, "attach", server, at=at)
        elif device["source"] and self.cinder.life.require(device["volume_id"])["status"] == "creating":
            self._after(1.0, "attach", server, at=at)
        else:
            self._attach_or_abort(server, at)

    def spawn(self, server_id: str) -> None:
        server = self._building(server_id)
        if server is None:
            return
        self.servers.change(server, task_state="spawning")
        ports = [self.neutron.ports.table.get(nic["port_id"]) for nic in server["nics"]]
        if any(port is None or not port["admin_state_up"] for port in ports):
            self._after(VIF_PLUGGING_TIMEOUT, "unplugged", server)
            return
        share = 1 - SCHEDULING_SHARE
        self._after(self.cloud.world.settings.delays.server_boot * share, "spawned", server)

    def spawned(self, server_id: str) -> None:
        server = self._building(server_id)
        if server is None:
            return
        fault = self.cloud.world.faults.boot_error(self.cloud.name, server["name"])
        if fault is not None and not fault["launched"]:
            self.abort(server, "The hypervisor failed to start the guest.")
            return
        self._activate(server)
        self._after(self.cloud.world.settings.delays.port_up, "plugged", server)
        if fault is not None:
            self._fail(server, "The guest failed after it had been launched.")

    def unplugged(self, server_id: str) -> None:
        server = self._building(server_id)
        if server is not None:
            self.abort(server, NO_NETWORK)

    def plugged(self, server_id: str) -> None:
        server = self.servers.table.get(server_id)
        for nic in server["nics"] if server else ():
            self.neutron.bindings.port_active(nic["port_id"])

    def abort(self, server: Row, reason: str) -> None:
        """Ends the build in ERROR: ports freed, volumes detached, and those with delete_on_termination destroyed."""
        self.removal.free_ports(server)
        kept = self.removal.free_volumes(server)
        self.servers.change(server, nics=[], volumes=kept, host=None)
        self._fail(server, f"Build of instance {server['id']} aborted: {reason}")

    # Steps.

    def _place(self, server: Row) -> bool:
        host = self.scheduler.choose(server, self.groups.of(server["id"]))
        if host is not None:
            self.servers.change(server, host=host, task_state="networking")
        return host is not None

    def _plug(self, server: Row) -> None:
        for at, nic in enumerate(server["nics"]):
            plugged = self.interfaces.plug(server, nic)
            self.servers.change(server, nics=[plugged if at == n else other for n, other in enumerate(server["nics"])])
        self.servers.change(server, task_state="block_device_mapping")

    def _next_volume(self, server: Row, at: int) -> None:
        if at == len(server["volumes"]):
            self._after(0, "spawn", server)
        else:
            self._after(self._wait_for_array(server["volumes"][at]["volume_id"]), "attach", server, at=at)

    def _wait_for_array(self, volume_id: str | None) -> float:
        """Virtual seconds until this volume is mapped: the driver holds one lock per array while it maps."""
        volume = self.cinder.volumes.get(volume_id) if volume_id else None
        lane = volume["host"].partition("#")[0] if volume and volume["host"] else "none"
        now, delay = self.cloud.world.clock.now(), self.cloud.world.settings.delays.attach
        row = self.lanes.get(lane) or self.lanes.insert({"id": lane, "free_at": now})
        free_at = max(now, row["free_at"]) + delay
        self.lanes.update(lane, free_at=free_at)
        return float(free_at - now)

    def _create_volume(self, server: Row, at: int) -> None:
        item = server["volumes"][at]["source"]
        volume = self.cinder.create_volume_for_nova(
            server["project_id"],
            server["user_id"],
            size=item["volume_size"],
            volume_type=item["volume_type"],
            image_id=item["source_id"] if item["source_type"] == "image" else None,
        )
        self._set_device(server, at, volume_id=volume["id"])

    def _attach_or_abort(self, server: Row, at: int) -> None:
        device = server["volumes"][at]
        try:
            if device["source"]:
                self.cinder.reserve(device["volume_id"], server["project_id"], server["id"])
            self._connect(server, at)
        except ApiError as error:
            self.abort(server, f"Failure prepping block device: {error.message}")
            return
        self._next_volume(server, at + 1)

    def _connect(self, server: Row, at: int) -> None:
        device = server["volumes"][at]
        self.cinder.attach(device["volume_id"], server["id"], device["device"], server["host"])
        self._set_device(server, at, attached=True)

    def _set_device(self, server: Row, at: int, **changes: Any) -> None:
        volumes = [{**device, **changes} if at == n else device for n, device in enumerate(server["volumes"])]
        self.servers.change(server, volumes=volumes)

    def _activate(self, server: Row) -> None:
        now = self.cloud.world.clock.now()
        self.servers.change(server, vm_state="active", task_state=None, power_state=RUNNING, launched_at=now)

    def _fail(self, server: Row, message: str) -> None:
        fault = {"code": 500, "created": self.cloud.world.clock.iso(), "message": message}
        self.servers.change(server, vm_state="error", task_state=None, power_state=NOSTATE, fault=fault)

    def _building(self, server_id: str) -> Row | None:
        server = self.servers.table.get(server_id)
        return server if server and server["vm_state"] == "building" and server["task_state"] != "deleting" else None

    def _after(self, delay: float, step: str, server: Row, **args: Any) -> None:
        self.cloud.world.events.at(delay, self._event(step), server_id=server["id"], **args)

    def _event(self, step: str) -> str:
        return f"{self.cloud.name}/nova/{step}"
