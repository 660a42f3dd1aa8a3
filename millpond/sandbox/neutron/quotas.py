"""Quotas: defaults, a project's own limits, and what is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron.refusals import refused

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

DEFAULTS = {
    "network": 100,
    "subnet": 100,
    "subnetpool": -1,
    "port": 500,
    "router": 10,
    "floatingip": 50,
    "rbac_policy": 10,
    "security_group": 10,
    "security_group_rule": 100,
    "trunk": -1,
}


class Quotas:
    """Rows hold only the limits that were set: the rest follows the defaults."""

    def __init__(self, service: NeutronService) -> None:
        self.service = service
        self.table = service.cloud.table("neutron/quotas")

    def limits(self, project_id: str) -> dict[str, int]:
        row = self.table.get(project_id)
        return {**DEFAULTS, **(row["limits"] if row else {})}

    def used(self, project_id: str, resource: str) -> int:
        collection = self.service.by_singular.get(resource)
        return len(collection.table.where(project_id=project_id)) if collection else 0

    def claim(self, project_id: str, resource: str, count: int = 1) -> None:
        """Refuses what would exceed the limit (409 OverQuota). -1 is no limit."""
        limit = self.limits(project_id)[resource]
        if project_id and 0 <= limit < self.used(project_id, resource) + count:
            raise refused("OverQuota", overs=[resource])

    def details(self, project_id: str) -> dict[str, dict[str, int]]:
        limits = self.limits(project_id)
        return {name: {"limit": limit, "used": self.used(project_id, name), "reserved": 0} for name, limit in limits.items()}

    def set(self, project_id: str, changes: Row) -> dict[str, int]:
        """Limits below what is used are accepted, unless `check_limit` (its own extension) is given: they only stop growth.

        400 for what is not an integer or less than -1, 409 for what `check_limit` finds.
        """
        extra = {"tenant_id", "project_id"} | ({"check_limit", "force"} if "quota-check-limit" in self.service.extensions else set())
        unknown = sorted(set(changes) - set(DEFAULTS) - extra)
        if unknown:
            raise refused("HTTPBadRequest", reason=f"Unrecognized attribute(s) '{', '.join(unknown)}'")
        limits = {name: _limit(name, value) for name, value in changes.items() if name in DEFAULTS}
        under = [name for name, limit in limits.items() if 0 <= limit < self.used(project_id, name)]
        if changes.get("check_limit") and under:
            raise refused("InvalidQuotaValue", unders=under)
        row = self.table.get(project_id)
        if row is None:
            self.table.insert({"id": project_id, "project_id": project_id, "limits": limits})
        else:
            self.table.update(project_id, limits={**row["limits"], **limits})
        return self.limits(project_id)

    def reset(self, project_id: str) -> None:
        if project_id not in self.table:
            raise refused("TenantQuotaNotFound", id=project_id)
        self.table.delete(project_id)

    def authorize(self, caller: Caller, action: str, project_id: str) -> None:
        if not caller.is_admin and (action != "get_quota" or project_id != caller.project_id):
            raise refused("PolicyNotAuthorized", rule=action)


def _limit(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).lstrip("-").isdigit():
        raise refused("HTTPBadRequest", reason=f"Invalid input for {name}. Reason: '{value}' is not an integer.")
    if int(value) < -1 or int(value) > 2**31 - 1:
        raise refused("HTTPBadRequest", reason=f"Quota limit for {name} must be -1 to {2**31 - 1}: '{value}'")
    return int(value)
