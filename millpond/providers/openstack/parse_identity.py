"""Keystone's answers as nouns. Field names: Identity API reference v3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millpond.model.identity import Project, RoleAssignment, User

Row = Mapping[str, Any]
SOURCE_PROPERTY = "millpond_source"


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


def parse_role_assignment(row: Row) -> RoleAssignment | None:
    """A row of GET /role_assignments?include_names. None for a group's assignment, and for one that only subprojects inherit."""
    user, role = row.get("user"), row["role"]
    if user is None or "OS-INHERIT:inherited_to" in row.get("scope", {}):
        return None
    return RoleAssignment(
        user=user.get("name") or "",
        user_domain=(user.get("domain") or {}).get("name") or "",
        role=role.get("name") or "",
        user_id=user["id"],
        role_id=role["id"],
    )
