"""Server groups and their members."""

import uuid
from typing import TYPE_CHECKING

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.quotas import Quotas

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud


class ServerGroups:
    def __init__(self, cloud: "Cloud", quotas: Quotas) -> None:
        self.table = cloud.table("nova/server_groups")
        self.quotas = quotas

    def create(self, caller: Caller, name: str, policy: str, rules: dict[str, int] | None = None) -> Row:
        """In the caller's project. ApiError 400 for rules of another policy than anti-affinity, 403 over quota."""
        if rules and policy != "anti-affinity":
            raise refusals.bad_request("Only anti-affinity policy supports rules.")
        project_id = caller.project_id or ""
        if len(self.table.where(project_id=project_id)) >= self.quotas.limits(project_id)["server_groups"] >= 0:
            raise refusals.forbidden("Quota exceeded, too many server groups.")
        return self.table.insert(
            {
                "id": str(uuid.uuid4()),
                "name": name,
                "policy": policy,
                "rules": {key: int(value) for key, value in (rules or {}).items()},
                "project_id": project_id,
                "user_id": caller.user_id,
                "members": [],
            }
        )

    def require(self, caller: Caller, id: str, status: int = 404) -> Row:
        group = self.table.get(id)
        if group is None or not (caller.is_admin or group["project_id"] == caller.project_id):
            raise ApiError(status, f"Instance group {id} could not be found.")
        return group

    def listed(self, caller: Caller, all_projects: bool) -> list[Row]:
        if all_projects and caller.is_admin:
            return list(self.table)
        return self.table.where(project_id=caller.project_id)

    def delete(self, group: Row) -> None:
        self.table.delete(group["id"])

    def for_boot(self, caller: Caller, id: str) -> Row:
        """The group named by a scheduler hint. ApiError 400 when there is none, 403 when it is full."""
        group = self.require(caller, id, status=400)
        limit = self.quotas.limits(caller.project_id or "")["server_group_members"]
        if len(group["members"]) >= limit >= 0:
            raise refusals.forbidden("Quota exceeded, too many servers in group")
        return group

    def join(self, group: Row, server_id: str) -> None:
        self.table.update(group["id"], members=[*group["members"], server_id])

    def leave(self, server_id: str) -> None:
        group = self.of(server_id)
        if group is not None:
            self.table.update(group["id"], members=[other for other in group["members"] if other != server_id])

    def of(self, server_id: str) -> Row | None:
        return next((group for group in self.table if server_id in group["members"]), None)
