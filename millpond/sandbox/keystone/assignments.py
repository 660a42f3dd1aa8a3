"""Who has which role where: users and groups, on projects, domains and the system, inherited or not."""

from typing import TYPE_CHECKING

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row

if TYPE_CHECKING:
    from millpond.sandbox.keystone.service import KeystoneService

Actor = dict[str, str]
"""`{"user_id": ...}` or `{"group_id": ...}`"""
Scope = dict[str, str]
"""`{"project_id": ...}`, `{"domain_id": ...}` or `{"system": "all"}`"""
FIELDS = ("user_id", "group_id", "project_id", "domain_id", "system")


class Assignments:
    def __init__(self, keystone: "KeystoneService") -> None:
        self._keystone = keystone
        self._table = keystone.cloud.table("keystone/assignment")

    def add(self, role_id: str, actor: Actor, scope: Scope, inherited: bool = False) -> None:
        """Idempotent. ApiError 404 for an unknown role, actor or scope."""
        self._require(role_id, actor, scope)
        key = _key(role_id, actor, scope, inherited)
        if key not in self._table:
            row = dict.fromkeys(FIELDS) | actor | scope
            self._table.insert({"id": key, "role_id": role_id, "inherited": inherited, **row})

    def has(self, role_id: str, actor: Actor, scope: Scope, inherited: bool = False) -> bool:
        self._require(role_id, actor, scope)
        return _key(role_id, actor, scope, inherited) in self._table

    def remove(self, role_id: str, actor: Actor, scope: Scope, inherited: bool = False) -> None:
        """ApiError 404 when there is no such assignment."""
        if not self.has(role_id, actor, scope, inherited):
            raise ApiError(404, f"Could not find role assignment with role: {role_id}, {actor | scope}.")
        self._table.delete(_key(role_id, actor, scope, inherited))

    def forget(self, field: str, id: str) -> None:
        """Removes all assignments that name a deleted object."""
        for row in self._table.where(**{field: id}):
            self._table.delete(row["id"])

    def where(self, **equal: object) -> list[Row]:
        return self._table.where(**equal)

    def effective(self, user_id: str, scope: Scope) -> list[Row]:
        """The roles a token of this user has in this scope: direct, by group, and inherited from the domain."""
        keystone = self._keystone
        actors: list[Actor] = [{"user_id": user_id}]
        actors += [{"group_id": group["id"]} for group in keystone.groups_of(user_id)]
        found = {row["role_id"] for actor in actors for row in self._table.where(**actor, **scope) if not row["inherited"]}
        project = keystone.projects.get(scope.get("project_id", ""))
        if project is not None:
            domain = {"domain_id": project["domain_id"]}
            found |= {row["role_id"] for actor in actors for row in self._table.where(**actor, **domain) if row["inherited"]}
        return [role for role in keystone.roles if role["id"] in found]

    def projects_of(self, user_id: str) -> list[Row]:
        projects = self._keystone.projects
        return [project for project in projects if self.effective(user_id, {"project_id": project["id"]})]

    def _require(self, role_id: str, actor: Actor, scope: Scope) -> None:
        keystone = self._keystone
        keystone.require("role", role_id)
        for field, id in {**actor, **scope}.items():
            if field != "system":
                keystone.require(field.removesuffix("_id"), id)


def _key(role_id: str, actor: Actor, scope: Scope, inherited: bool) -> str:
    parts = [f"{field}={value}" for field, value in {**actor, **scope}.items()]
    return " ".join([f"role={role_id}", *parts, *(["inherited"] if inherited else [])])
