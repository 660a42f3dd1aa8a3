"""Keystone's part of the world's digest."""

from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row

if TYPE_CHECKING:
    from millpond.sandbox.keystone.service import KeystoneService

OMITTED = ("id", "name", "domain_id", "parent_id", "password", "members", "password_expires_at")


def digest(keystone: "KeystoneService") -> dict[str, Any]:
    def named(kind: str, id: str | None) -> str | None:
        row = keystone.table(kind).get(id) if id else None
        if row is None:
            return id
        return f"{named('domain', row['domain_id'])}/{row['name']}" if row.get("domain_id") else str(row["name"])

    def described(kind: str) -> dict[str, Any]:
        return {str(named(kind, row["id"])): _facts(row) for row in keystone.table(kind)}

    def granted(row: Row) -> str:
        actor = named("user", row["user_id"]) or f"group {named('group', row['group_id'])}"
        scope = named("project", row["project_id"]) or named("domain", row["domain_id"]) or "system"
        return f"{actor} is {named('role', row['role_id'])} on {scope}" + (" inherited" if row["inherited"] else "")

    return {
        "domains": described("domain"),
        "projects": described("project"),
        "users": described("user"),
        "groups": {
            str(named("group", row["id"])): sorted(str(named("user", id)) for id in row.get("members", [])) for row in keystone.groups
        },
        "roles": sorted(row["name"] for row in keystone.roles),
        "assignments": sorted(granted(row) for row in keystone.assignments.where()),
    }


def _facts(row: Row) -> Row:
    facts = {key: value for key, value in row.items() if key not in OMITTED}
    return {**facts, "tags": sorted(row["tags"])} if "tags" in row else facts
