"""Keystone's rules, without HTTP."""

import hashlib
import json
import uuid
from typing import Any

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row, Table
from millpond.sandbox.core.web import Caller
from millpond.sandbox.core.world import Cloud
from millpond.sandbox.keystone.application_credentials import ApplicationCredentials
from millpond.sandbox.keystone.assignments import Assignments
from millpond.sandbox.keystone.bootstrap import bootstrap
from millpond.sandbox.keystone.kinds import BY_NAME, Kind
from millpond.sandbox.keystone.tags import check_tags
from millpond.sandbox.keystone.tokens import Tokens

MULTI_DOMAIN = ("project", "user", "group")


class KeystoneService:
    """One cloud's Keystone. Rows carry extra properties as Keystone's API does: beside the known ones."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.domains = cloud.table("keystone/domain")
        self.projects = cloud.table("keystone/project")
        self.users = cloud.table("keystone/user")
        self.groups = cloud.table("keystone/group")
        self.roles = cloud.table("keystone/role")
        self.assignments = Assignments(self)
        self.application_credentials = ApplicationCredentials(self)
        self.tokens = Tokens(self)
        bootstrap(self)

    def table(self, kind: str) -> Table:
        return self.cloud.table(f"keystone/{kind}")

    def caller(self, token: str) -> Caller | None:
        """Who the token stands for; None when it is unknown, expired or its user or project is gone or disabled."""
        return self.tokens.caller(token)

    # Creation by name, for other services and scenarios.

    def create_domain(self, name: str, **extra: Any) -> Row:
        return self.create("domain", {"name": name, **extra})

    def create_project(self, name: str, domain_id: str = "default", **extra: Any) -> Row:
        return self.create("project", {"name": name, "domain_id": domain_id, **extra})

    def create_user(self, name: str, domain_id: str = "default", password: str | None = None, **extra: Any) -> Row:
        return self.create("user", {"name": name, "domain_id": domain_id, "password": password, **extra})

    def create_group(self, name: str, domain_id: str = "default", **extra: Any) -> Row:
        return self.create("group", {"name": name, "domain_id": domain_id, **extra})

    def create_role(self, name: str, **extra: Any) -> Row:
        return self.create("role", {"name": name, **extra})

    def by_name(self, kind: str, name: str, domain_id: str | None = None) -> Row | None:
        """The object of that name (and domain)."""
        rows = self.table(kind).where(name=name)
        return next((row for row in rows if domain_id in (None, row.get("domain_id"))), None)

    def role(self, name: str) -> Row:
        """The global role of that name (ApiError 404)."""
        found = self.by_name("role", name)
        if found is None:
            raise ApiError(404, f"Could not find role: {name}.")
        return found

    def grant(self, role: str, user_id: str, project_id: str) -> None:
        """Gives the user the role (by name) on the project."""
        self.assignments.add(self.role(role)["id"], {"user_id": user_id}, {"project_id": project_id})

    # The plain collections.

    def require(self, kind: str, id: str) -> Row:
        row = self.table(kind).get(id)
        if row is None:
            raise ApiError(404, f"Could not find {kind}: {id}.")
        return row

    def create(self, kind: str, given: Row) -> Row:
        """Adds an object of that kind with Keystone's defaults. ApiError 400 or 409."""
        shape = BY_NAME[kind]
        row = {name: make() for name, make in shape.defaults.items()} | given
        for name in shape.required:
            if name not in given:
                raise ApiError(400, f"'{name}' is a required property")
        row["id"] = given["id"] if shape.takes_id and given.get("id") else new_id(kind, given)
        if kind == "domain" and self.cloud.release.name != "queens" and "explicit_domain_id" in given:
            row["id"] = row.pop("explicit_domain_id")
        if row["id"] in self.table(kind):
            raise ApiError(409, f"Conflict occurred attempting to store {kind} - Duplicate ID, {row['id']}.")
        if kind in MULTI_DOMAIN:
            row.setdefault("domain_id", "default")
            self.require("domain", row["domain_id"])
        if kind == "project":
            row["parent_id"] = row["parent_id"] or row["domain_id"]
        self._check(shape, row)
        return self.table(kind).insert(row)

    def update(self, kind: str, id: str, changes: Row) -> Row:
        """ApiError 400 for what cannot change, 404, 409 for a name that is taken."""
        shape, row = BY_NAME[kind], self.require(kind, id)
        for name in shape.fixed:
            if name in changes and changes[name] != row.get(name):
                raise ApiError(400, f"Cannot change {name} of a {kind}.")
        self._check(shape, row | changes)
        return self.table(kind).update(id, **changes)

    def delete(self, kind: str, id: str) -> None:
        """Removes the object and all that hangs on it. ApiError 404; 403 for an enabled domain."""
        row = self.require(kind, id)
        if kind == "domain":
            self._empty_domain(row)
        if kind == "user":
            for group in self.groups_of(id):
                self.remove_member(group["id"], id)
        if kind in ("project", "user", "group", "role", "domain"):
            self.assignments.forget(f"{kind}_id", id)
        self.table(kind).delete(id)

    # Membership of groups.

    def add_member(self, group_id: str, user_id: str) -> None:
        group, _ = self.require("group", group_id), self.require("user", user_id)
        members = group.get("members", [])
        if user_id not in members:
            self.groups.update(group_id, members=[*members, user_id])

    def remove_member(self, group_id: str, user_id: str) -> None:
        """ApiError 404 when the user is not in the group."""
        members = self.require("group", group_id).get("members", [])
        if user_id not in members:
            raise ApiError(404, f"User {user_id} is not found in group {group_id}.")
        self.groups.update(group_id, members=[member for member in members if member != user_id])

    def groups_of(self, user_id: str) -> list[Row]:
        return [group for group in self.groups if user_id in group.get("members", [])]

    def _empty_domain(self, domain: Row) -> None:
        if domain["enabled"]:
            raise ApiError(403, "Cannot delete a domain that is enabled, please disable it first.")
        for kind in MULTI_DOMAIN:
            for row in self.table(kind).where(domain_id=domain["id"]):
                self.delete(kind, row["id"])

    def _check(self, shape: Kind, row: Row) -> None:
        name = row.get("name")
        if "name" in shape.required and not (isinstance(name, str) and name.strip() and len(name) <= shape.name_max):
            raise ApiError(400, f"Invalid input for field 'name': {name!r} is not a name of 1 to {shape.name_max} characters.")
        if not isinstance(row.get("enabled", True), bool):
            raise ApiError(400, f"Invalid input for field 'enabled': {row['enabled']!r} is not of type 'boolean'")
        if "tags" in row:
            check_tags(row["tags"])
        if shape.unique:
            twins = self.table(shape.name).where(**{field: row.get(field) for field in shape.unique})
            if any(twin["id"] != row["id"] for twin in twins):
                raise ApiError(
                    409,
                    f"Conflict occurred attempting to store {shape.name} - it is not permitted to have two {shape.plural} "
                    f"with the same name in the same domain: {name}.",
                )


def new_id(kind: str, given: Row) -> str:
    """Keystone's own choice, whatever id was given: a UUID without dashes.

    An EC2 credential has the hash of its access key; a domain may be given an id since Train (explicit_domain_id).
    """
    if kind == "credential" and given.get("type") == "ec2":
        access = json.loads(given["blob"])["access"]
        return hashlib.sha256(access.encode()).hexdigest()
    return uuid.uuid4().hex
