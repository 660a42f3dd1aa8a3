"""Compute quotas: defaults, explicit limits per project (and user), use, and the refusal of what exceeds them."""

from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.nova import refusals

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

# nova/conf/quota.py; the network ones stand for nova-network's and are shown below 2.36 only.
DEFAULTS = {
    "instances": 10,
    "cores": 20,
    "ram": 51200,
    "metadata_items": 128,
    "key_pairs": 100,
    "server_groups": 10,
    "server_group_members": 10,
    "injected_files": 5,
    "injected_file_content_bytes": 10240,
    "injected_file_path_bytes": 255,
    "fixed_ips": -1,
    "floating_ips": 10,
    "security_groups": 10,
    "security_group_rules": 20,
}
NETWORK = ("fixed_ips", "floating_ips", "security_groups", "security_group_rules")
INJECTED = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")


def shown(minor: int) -> list[str]:
    """The resources that a microversion knows."""
    hidden = [*(NETWORK if minor >= 36 else ()), *(INJECTED if minor >= 57 else ())]
    return [name for name in DEFAULTS if name not in hidden]


class Quotas:
    def __init__(self, cloud: "Cloud") -> None:
        self.table = cloud.table("nova/quotas")
        self.servers = cloud.table("nova/servers")
        self.groups = cloud.table("nova/server_groups")

    def defaults(self) -> dict[str, int]:
        """The class `default` over Nova's own defaults."""
        return {**DEFAULTS, **self._explicit("class:default")}

    def set_defaults(self, limits: dict[str, int]) -> None:
        self._store("class:default", limits)

    def limits(self, project_id: str, user_id: str | None = None) -> dict[str, int]:
        limits = {**self.defaults(), **self._explicit(project_id)}
        return {**limits, **self._explicit(f"{project_id}:{user_id}")} if user_id else limits

    def used(self, project_id: str) -> dict[str, int]:
        """Only instances, cores, ram and server groups are counted per project; all else shows 0, as Nova does."""
        servers = self.servers.where(project_id=project_id)
        return {
            **dict.fromkeys(DEFAULTS, 0),
            "instances": len(servers),
            "cores": sum(server["flavor"]["vcpus"] for server in servers),
            "ram": sum(server["flavor"]["ram"] for server in servers),
            "server_groups": len(self.groups.where(project_id=project_id)),
        }

    def set(self, project_id: str, limits: dict[str, int], *, user_id: str | None = None, force: bool = False) -> None:
        """ApiError 400 when a limit is below use and `force` is not given. -1 is unlimited."""
        used = self.used(project_id)
        for name, limit in limits.items():
            if not force and 0 <= limit < used[name]:
                raise refusals.bad_request(
                    f"Quota limit {limit} for {name} must be greater than or equal to already used and reserved {used[name]}."
                )
        self._store(f"{project_id}:{user_id}" if user_id else project_id, limits)

    def reset(self, project_id: str) -> None:
        for row in list(self.table):
            if row["id"].partition(":")[0] == project_id:
                self.table.delete(row["id"])

    def charge(self, project_id: str, **needs: int) -> None:
        """ApiError 403 when `needs` more of the named resources would exceed a limit."""
        limits, used = self.limits(project_id), self.used(project_id)
        overs = [name for name, need in needs.items() if need > 0 and 0 <= limits[name] < used[name] + need]
        if overs:
            raise refusals.over_quota(needs, used, limits, sorted(overs))

    def _explicit(self, id: str) -> dict[str, Any]:
        row: Row | None = self.table.get(id)
        return row["limits"] if row else {}

    def _store(self, id: str, limits: dict[str, int]) -> None:
        if id in self.table:
            self.table.update(id, limits={**self._explicit(id), **limits})
        else:
            self.table.insert({"id": id, "limits": dict(limits)})
