"""Security groups: the default one that appears at the first touch of a project, and what holds a group."""

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron import tables
from millpond.sandbox.neutron.collection import SERVICE, Collection, Filters
from millpond.sandbox.neutron.refusals import refused

DEFAULT = "default"


class SecurityGroups(Collection):
    singular, plural, not_found = "security_group", "security_groups", "SecurityGroupNotFound"
    attributes = tables.SECURITY_GROUP

    def complete(self, row: Row) -> Row:
        rules = self.service.security_group_rules
        views = [rules.view(SERVICE, rule) for rule in rules.table.where(security_group_id=row["id"])]
        return {**row, "security_group_rules": views, "shared": False}

    def rows(self, caller: Caller, filters: Filters) -> list[Row]:
        """Listing creates the default group of the project that is asked for (neutron/db/securitygroups_db.py)."""
        named = filters.get("project_id") or filters.get("tenant_id") or [caller.project_id or ""]
        if named[0] and (caller.is_admin or named[0] == caller.project_id):
            self.ensure_default(named[0])
        return super().rows(caller, filters)

    def ensure_default(self, project_id: str) -> Row:
        """The project's default group, made when there is none: everything out, members among themselves in."""
        found = self.table.where(project_id=project_id, name=DEFAULT)
        if found:
            return found[0]
        row = self._make({"project_id": project_id, "name": DEFAULT, "description": "Default security group", "stateful": True})
        for ethertype in ("IPv4", "IPv6"):
            self.service.security_group_rules.make(row, direction="ingress", ethertype=ethertype, remote_group_id=row["id"])
        return row

    def create(self, caller: Caller, body: Row) -> Row:
        values = self.schema.for_create(caller, body)
        self.ensure_default(values["project_id"])
        if values["name"] == DEFAULT:
            raise refused("SecurityGroupDefaultAlreadyExists")
        self.service.quotas.claim(values["project_id"], "security_group")
        return self._make(values)

    def update(self, caller: Caller, id: str, body: Row) -> Row:
        row = self.writable(caller, "update", id)
        if row["name"] == DEFAULT and "name" in body:
            raise refused("SecurityGroupCannotUpdateDefault")
        return super().update(caller, id, body)

    def delete(self, caller: Caller, id: str) -> None:
        row = self.writable(caller, "delete", id)
        if any(id in port["security_groups"] for port in self.service.ports.table):
            raise refused("SecurityGroupInUse", id=id)
        if row["name"] == DEFAULT and not caller.is_admin:
            raise refused("SecurityGroupCannotRemoveDefault")
        rules = self.service.security_group_rules.table
        for rule in [*rules.where(security_group_id=id), *rules.where(remote_group_id=id)]:
            if rule["id"] in rules:
                rules.delete(rule["id"])
        self.remove(row)

    def _make(self, values: Row) -> Row:
        row = self.add(**values)
        for ethertype in ("IPv4", "IPv6"):
            self.service.security_group_rules.make(row, direction="egress", ethertype=ethertype)
        return row
