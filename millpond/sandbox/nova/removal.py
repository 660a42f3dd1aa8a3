"""DELETE /servers/{id}, and what is given back when a server goes."""

from typing import TYPE_CHECKING, Any

from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron.service import NeutronService
from millpond.sandbox.nova.server_groups import ServerGroups
from millpond.sandbox.nova.servers import Servers

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

NOSTATE = 0


class Removal:
    def __init__(self, cloud: "Cloud", servers: Servers, groups: ServerGroups, neutron: NeutronService, cinder: CinderService) -> None:
        self.cloud, self.neutron, self.cinder = cloud, neutron, cinder
        self.servers = servers
        self.groups = groups
        self.event = f"{cloud.name}/nova/removed"
        self.forgotten = f"{cloud.name}/nova/forgotten"
        cloud.world.events.on(self.event, self.removed)
        cloud.world.events.on(self.forgotten, self.forget)

    def delete(self, caller: Caller, server: Row) -> None:
        """Starts the deletion, in any state. ApiError 409 for a tenant when the server is locked."""
        self.servers.check_lock(caller, server)
        self.servers.record(caller, server, "delete")
        if not server["host"]:
            # No compute host to ask: Nova's API deletes it by itself.
            self.removed(server["id"])
            self.forget(server["id"])
        elif server["task_state"] != "deleting" and server["vm_state"] != "deleted":
            self.servers.change(server, task_state="deleting")
            delays, events = self.cloud.world.settings.delays, self.cloud.world.events
            events.at(delays.server_delete, self.event, server_id=server["id"])
            events.at(delays.server_delete + delays.server_forget, self.forgotten, server_id=server["id"])

    def removed(self, server_id: str) -> None:
        """Frees ports and volumes: those that were there before stay, those Nova made or was told to delete go.

        The server is listed a moment longer, DELETED and with no task (nova/compute/manager.py, _complete_deletion).
        """
        server = self.servers.table.get(server_id)
        if server is None:
            return
        self.free_ports(server)
        self.free_volumes(server)
        self.groups.leave(server_id)
        now = self.cloud.world.clock.now()
        self.servers.change(server, vm_state="deleted", task_state=None, power_state=NOSTATE, terminated_at=now)

    def forget(self, server_id: str) -> None:
        """From now on it is only among those that administrators may still list."""
        server = self.servers.table.get(server_id)
        if server is not None:
            self.servers.table.delete(server_id)
            self.servers.deleted.insert(server)

    def free_ports(self, server: Row) -> None:
        for nic in server["nics"]:
            if nic["port_id"] is not None:
                self.neutron.bindings.unbind_port(nic["port_id"], delete_if_created_by_nova=nic["created"])

    def free_volumes(self, server: Row) -> list[dict[str, Any]]:
        """Detaches or unreserves all volumes and destroys those with delete_on_termination; returns the other devices."""
        for device in server["volumes"]:
            if device["volume_id"] is not None:
                self._free_volume(server["id"], device)
        return [{**device, "attached": False} for device in server["volumes"] if not device["delete_on_termination"]]

    def _free_volume(self, server_id: str, device: dict[str, Any]) -> None:
        cinder = self.cinder
        if device["volume_id"] not in cinder.volumes:
            return
        if device["attached"]:
            cinder.terminate(device["volume_id"], server_id)
        else:
            cinder.unreserve(device["volume_id"], server_id)
        if device["delete_on_termination"]:
            try:
                cinder.delete(device["volume_id"])
            except ApiError:
                # As in Nova: a volume that Cinder will not delete (snapshots, replicated on the array) stays behind.
                return
