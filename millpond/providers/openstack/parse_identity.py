"""Keystone's answers as nouns. Field names: Identity API reference v3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millpond.model.identity import Group, Project, RoleAssignment, User
from millpond.providers.shapes import documented

Row = Mapping[str, Any]
SOURCE_PROPERTY = "millpond_source"


@documented
def parse_project(row: Row, domain_name: str = "") -> Project:
    return Project(
        id=row["id"],
        name=row["name"],
        domain_id=row.get("domain_id") or "",
        domain_name=domain_name,
        description=row.get("description") or "",
        enabled=bool(row.get("enabled", True)),
        tags=tuple(sorted(row.get("tags") or ())),
    )


@documented
def parse_user(row: Row, domain_name: str = "") -> User:
    return User(
        id=row["id"],
        name=row["name"],
        domain_name=domain_name,
        description=row.get("description") or "",
        email=row.get("email") or "",
        enabled=bool(row.get("enabled", True)),
        source_id=row.get(SOURCE_PROPERTY) or "",
    )


@documented
def parse_role_assignment(row: Row) -> RoleAssignment | None:
    """A row of GET /role_assignments?include_names. None for one that only subprojects inherit."""
    holder, role = row.get("user") or row.get("group"), row["role"]
    if holder is None or "OS-INHERIT:inherited_to" in row.get("scope", {}):
        return None
    return RoleAssignment(
        user=holder.get("name") or "",
        user_domain=(holder.get("domain") or {}).get("name") or "",
        role=role.get("name") or "",
        user_id=holder["id"],
        role_id=role["id"],
        group="group" in row,
    )


@documented
def parse_group(row: Row, domain_name: str = "") -> Group:
    return Group(id=row["id"], name=row["name"], domain_name=domain_name)
