"""The port `Identity` on Keystone v3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from millpond.model.identity import Group, Project, RoleAssignment, User
from millpond.providers.openstack.parse_identity import parse_group, parse_project, parse_role_assignment, parse_user
from millpond.providers.openstack.service import Service


class KeystoneIdentity:
    def __init__(self, service: Service) -> None:
        self._keystone = service
        self._domains: dict[str, str] = {}

    def _list(self, path: str, key: str, **parameters: str) -> list[Mapping[str, Any]]:
        return list(self._keystone.rows(path, key, {name.replace("__", "."): value for name, value in parameters.items()}, limit=0))

    def projects(self, name: str, domain: str) -> tuple[Project, ...]:
        ids = {row["id"]: row["name"] for row in self._list("/domains", "domains", name=domain)}
        return tuple(
            parse_project(row, domain_name)
            for id, domain_name in ids.items()
            for row in self._list("/projects", "projects", name=name, domain_id=id)
        )

    def tagged_projects(self, tag: str) -> tuple[Project, ...]:
        rows = self._list("/projects", "projects", tags=tag)
        names = self._domain_names([row["domain_id"] for row in rows])
        return tuple(parse_project(row, names.get(row["domain_id"], "")) for row in rows)

    def domains(self) -> dict[str, str]:
        self._domains = {row["name"]: row["id"] for row in self._list("/domains", "domains")}
        return dict(self._domains)

    def _domain_names(self, ids: Sequence[str]) -> dict[str, str]:
        """id → name, by the last list of domains if all of them are in it."""
        known = self._domains
        if not set(ids) <= set(known.values()):
            known = self.domains()
        return {id: name for name, id in known.items()}

    def roles(self) -> dict[str, str]:
        return {row["name"]: row["id"] for row in self._list("/roles", "roles")}

    def role_assignments(self, project_id: str) -> tuple[RoleAssignment, ...]:
        rows = self._list("/role_assignments", "role_assignments", scope__project__id=project_id, include_names="true")
        return tuple(found for found in map(parse_role_assignment, rows) if found)

    def users(self, domain_ids: Sequence[str]) -> tuple[User, ...]:
        names = self._domain_names(domain_ids)
        return tuple(parse_user(row, names.get(id, "")) for id in domain_ids for row in self._list("/users", "users", domain_id=id))

    def groups(self, domain_ids: Sequence[str]) -> tuple[Group, ...]:
        names = {id: name for name, id in self.domains().items()}
        return tuple(parse_group(row, names.get(id, "")) for id in domain_ids for row in self._list("/groups", "groups", domain_id=id))

    def create_project(self, body: Mapping[str, Any]) -> str:
        return self._keystone.create("/projects", "project", {"project": body})

    def delete_project(self, project_id: str) -> None:
        self._keystone.send("DELETE", f"/projects/{project_id}")

    def add_project_tag(self, project_id: str, tag: str) -> None:
        self._keystone.send("PUT", f"/projects/{project_id}/tags/{quote(tag, safe='')}")

    def remove_project_tag(self, project_id: str, tag: str) -> None:
        self._keystone.send("DELETE", f"/projects/{project_id}/tags/{quote(tag, safe='')}")

    def create_user(self, body: Mapping[str, Any]) -> str:
        return self._keystone.create("/users", "user", {"user": body})

    def assign_role(self, project_id: str, user_id: str, role_id: str) -> None:
        self._keystone.send("PUT", f"/projects/{project_id}/users/{user_id}/roles/{role_id}")

    def assign_group_role(self, project_id: str, group_id: str, role_id: str) -> None:
        self._keystone.send("PUT", f"/projects/{project_id}/groups/{group_id}/roles/{role_id}")
