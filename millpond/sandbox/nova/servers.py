"""Server rows: who may see and touch them, their locks and states, their names and their record of actions."""

import re
import uuid
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import refusals

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

NOSTATE, RUNNING, PAUSED, SHUTDOWN = 0, 1, 3, 4
"""Values of power_state (nova/compute/power_state.py)."""
USABLE = ("active", "paused", "suspended", "stopped")
TASK_STATUS = {
    "rebooting": "REBOOT",
    "rebooting_hard": "HARD_REBOOT",
    "resize_prep": "RESIZE",
    "resize_reverting": "REVERT_RESIZE",
}
VM_STATUS = {
    "active": "ACTIVE",
    "building": "BUILD",
    "stopped": "SHUTOFF",
    "resized": "VERIFY_RESIZE",
    "paused": "PAUSED",
    "suspended": "SUSPENDED",
    "error": "ERROR",
    "deleted": "DELETED",
}


def status(server: Row) -> str:
    return TASK_STATUS.get(server["task_state"] or "", VM_STATUS[server["vm_state"]])


class Servers:
    """`table` holds the living, `deleted` what only administrators may still list."""

    def __init__(self, cloud: "Cloud") -> None:
        self.cloud = cloud
        self.table = cloud.table("nova/servers")
        self.deleted = cloud.table("nova/deleted_servers")
        self.actions = cloud.table("nova/actions")

    def require(self, caller: Caller, id: str) -> Row:
        """ApiError 404 also for another project's server, unless the caller is an administrator."""
        server = self.table.get(id)
        if server is None or not (caller.is_admin or server["project_id"] == caller.project_id):
            raise refusals.no_instance(id)
        return server

    def change(self, server: Row, **changes: Any) -> Row:
        return self.table.update(server["id"], updated_at=self.cloud.world.clock.now(), **changes)

    def update(self, server: Row, changes: dict[str, Any]) -> Row:
        """PUT /servers/{id}. A lock does not hold it, and the host name stays when the name changes."""
        fields = {"accessIPv4": "access_ip_v4", "accessIPv6": "access_ip_v6", "OS-DCF:diskConfig": "disk_config"}
        return self.change(server, **{fields.get(name, name): value for name, value in changes.items()})

    # Locks. Only a lock taken with a token of another project is one that the tenant cannot undo.

    def lock(self, caller: Caller, server: Row, reason: str | None = None) -> None:
        is_owner = caller.project_id == server["project_id"]
        if server["locked_by"] and is_owner:
            return
        self.record(caller, server, "lock")
        changes = {"locked_reason": reason} if reason else {}
        self.change(server, locked_by="owner" if is_owner else "admin", **changes)

    def unlock(self, caller: Caller, server: Row) -> None:
        """ApiError 403 for a tenant when an administrator's lock holds the server."""
        expected = "owner" if caller.project_id == server["project_id"] else "admin"
        if server["locked_by"] not in (None, expected) and not caller.is_admin:
            raise refusals.policy("os-lock-server:unlock:unlock_override")
        self.record(caller, server, "unlock")
        self.change(server, locked_by=None, locked_reason=None)

    def check_lock(self, caller: Caller, server: Row) -> None:
        if server["locked_by"] and not caller.is_admin:
            raise refusals.locked(server)

    def check_state(
        self,
        server: Row,
        action: str,
        vm_states: tuple[str, ...],
        *,
        idle: bool = True,
        launched: bool = True,
        placed: bool = False,
    ) -> None:
        """ApiError 409 unless in one of `vm_states`, without a task (`idle`), once launched, and on a host (`placed`)."""
        if server["vm_state"] not in vm_states:
            raise refusals.wrong_state(server, action, "vm_state")
        if idle and server["task_state"] is not None:
            raise refusals.wrong_state(server, action, "task_state")
        if launched and server["launched_at"] is None:
            raise refusals.never_launched(server, action)
        if placed and not server["host"]:
            raise refusals.conflict(f"Instance {server['id']} is not ready")

    def record(self, caller: Caller, server: Row, action: str) -> None:
        """One entry of os-instance-actions."""
        self.actions.insert(
            {
                "id": f"req-{uuid.uuid4()}",
                "server_id": server["id"],
                "action": action,
                "user_id": caller.user_id,
                "project_id": caller.project_id,
                "start_time": self.cloud.world.clock.now(),
                "message": None,
            }
        )


def sanitized(name: str) -> str:
    """The host name that Nova makes of a display name (nova/utils.py, sanitize_hostname)."""
    text = re.sub(r"[ _]", "-", name.encode("ascii", "ignore").decode())
    text = re.sub(r"[^\w.-]+", "", text).lower().strip(".-").replace(".", "-")
    return text[:63]
