"""Stop, start, reboot, pause, suspend and resetState. Stopping detaches nothing: volumes stay in-use and mapped."""

from typing import TYPE_CHECKING, NamedTuple

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron.service import NeutronService
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.servers import PAUSED, RUNNING, SHUTDOWN, Servers

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

SHUTDOWN_TIMEOUT = 60.0
"""Virtual seconds until a guest that does not react is killed (nova/conf/compute.py, shutdown_timeout)."""


class Transition(NamedTuple):
    vm_states: tuple[str, ...]
    task_state: str
    to: str
    power_state: int


ACTIONS = {
    "stop": Transition(("active", "error"), "powering-off", "stopped", SHUTDOWN),
    "start": Transition(("stopped",), "powering-on", "active", RUNNING),
    "pause": Transition(("active",), "pausing", "paused", PAUSED),
    "unpause": Transition(("paused",), "unpausing", "active", RUNNING),
    "suspend": Transition(("active",), "suspending", "suspended", SHUTDOWN),
    "resume": Transition(("suspended",), "resuming", "active", RUNNING),
    "reboot": Transition(("active",), "rebooting", "active", RUNNING),
    "reboot-hard": Transition(("active", "stopped", "paused", "suspended", "error"), "rebooting_hard", "active", RUNNING),
}


class Power:
    def __init__(self, cloud: "Cloud", servers: Servers, neutron: NeutronService) -> None:
        self.cloud, self.neutron = cloud, neutron
        self.servers = servers
        self.event = f"{cloud.name}/nova/power"
        cloud.world.events.on(self.event, self.done)

    def act(self, caller: Caller, server: Row, action: str) -> None:
        """Starts one of ACTIONS. ApiError 409 when a lock, the state or a running task forbids it."""
        transition = ACTIONS[action]
        word = action.partition("-")[0]
        self.servers.check_lock(caller, server)
        # A hard reboot is the one that may interrupt a task.
        self.servers.check_state(server, word, transition.vm_states, idle=action != "reboot-hard", placed=True)
        self.servers.record(caller, server, word)
        self.servers.change(server, task_state=transition.task_state)
        self.cloud.world.events.at(self._delay(server, action), self.event, server_id=server["id"], action=action)

    def done(self, server_id: str, action: str) -> None:
        server = self.servers.table.get(server_id)
        transition = ACTIONS[action]
        if server is None or server["task_state"] != transition.task_state:
            return
        self.servers.change(server, vm_state=transition.to, task_state=None, power_state=transition.power_state, fault=None)
        self._plug(server)

    def reset_state(self, caller: Caller, server: Row, state: str) -> None:
        """Sets the recorded state alone; the guest is not touched."""
        if state not in ("active", "error"):
            raise refusals.bad_request(
                f"Invalid input for field/attribute state. Value: {state}. {state!r} is not one of ['active', 'error']"
            )
        self.servers.record(caller, server, "os-resetState")
        self.servers.change(server, vm_state=state, task_state=None)

    def _delay(self, server: Row, action: str) -> float:
        delays = self.cloud.world.settings.delays
        if action != "stop":
            return delays.server_start
        deaf = server.get("deaf_guest") or self.cloud.world.faults.deaf_guest(self.cloud.name, server["name"])
        return SHUTDOWN_TIMEOUT if deaf else delays.server_stop

    def _plug(self, server: Row) -> None:
        """The interface of a stopped guest is gone from its host, so its ports are DOWN."""
        for nic in server["nics"]:
            if server["power_state"] == SHUTDOWN:
                self.neutron.bindings.port_down(nic["port_id"])
            else:
                self.neutron.bindings.port_active(nic["port_id"])
