"""Resize to another flavor, and its confirmation or reversal."""

from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.flavors import Flavors
from millpond.sandbox.nova.quotas import Quotas
from millpond.sandbox.nova.servers import Servers

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud


class Resize:
    def __init__(self, cloud: "Cloud", servers: Servers, flavors: Flavors, quotas: Quotas) -> None:
        self.cloud = cloud
        self.servers = servers
        self.flavors = flavors
        self.quotas = quotas
        self.event = f"{cloud.name}/nova/resized"
        cloud.world.events.on(self.event, self.resized)

    def begin(self, caller: Caller, server: Row, flavor_id: str) -> None:
        """Leads to VERIFY_RESIZE. ApiError 400 for the same or no such flavor, 403 over quota, 409 for lock or state."""
        self.servers.check_lock(caller, server)
        self.servers.check_state(server, "resize", ("active", "stopped"))
        flavor = self.flavors.require(caller, flavor_id, status=400)
        old = server["flavor"]
        if flavor["id"] == old["id"]:
            raise refusals.bad_request("When resizing, instances must change flavor!")
        self.quotas.charge(server["project_id"], cores=flavor["vcpus"] - old["vcpus"], ram=flavor["ram"] - old["ram"])
        self.servers.record(caller, server, "resize")
        kept = {key: flavor[key] for key in old}
        self.servers.change(server, task_state="resize_prep", resize={"flavor": kept, "vm_state": server["vm_state"]})
        self.cloud.world.events.at(self.cloud.world.settings.delays.server_resize, self.event, server_id=server["id"])

    def resized(self, server_id: str) -> None:
        server = self.servers.table.get(server_id)
        if server is not None and server["task_state"] == "resize_prep":
            old, asked = server["flavor"], server["resize"]
            self.servers.change(server, vm_state="resized", task_state=None, flavor=asked["flavor"], resize={**asked, "flavor": old})

    def confirm(self, caller: Caller, server: Row) -> None:
        self._end(caller, server, "confirmResize")

    def revert(self, caller: Caller, server: Row) -> None:
        self._end(caller, server, "revertResize")
        self.servers.change(server, flavor=server["resize"]["flavor"])

    def _end(self, caller: Caller, server: Row, action: str) -> None:
        self.servers.check_lock(caller, server)
        self.servers.check_state(server, action, ("resized",))
        self.servers.record(caller, server, action)
        self.servers.change(server, vm_state=server["resize"]["vm_state"])
