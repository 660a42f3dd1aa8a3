"""Tokens. They expire in real time, because clients compare their expiry with the real clock."""

import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.keystone.assignments import Scope
from millpond.sandbox.keystone.bootstrap import AUDITOR

if TYPE_CHECKING:
    from millpond.sandbox.keystone.service import KeystoneService

LIFETIME = 3600.0
"""Real seconds; [token] expiration's default."""
Document = dict[str, Any]


class Tokens:
    def __init__(self, keystone: "KeystoneService") -> None:
        self._keystone = keystone
        self._table = keystone.cloud.table("keystone/token")

    def issue(self, auth: Document) -> Row:
        """The token for the `auth` part of POST /v3/auth/tokens. ApiError 400 or 401."""
        identity = _part(auth, "identity")
        methods = identity.get("methods")
        if methods == ["password"]:
            user, parent = self._by_password(_part(_part(identity, "password"), "user")), None
        elif methods == ["token"]:
            parent = self.live(str(_part(identity, "token").get("id")))
            user = self._keystone.users.get(parent["user_id"]) if parent else None
        elif methods == ["application_credential"]:
            return self._by_application_credential(_part(identity, "application_credential"), auth.get("scope"))
        else:
            raise ApiError(401, f"Attempted to authenticate with an unsupported method: {methods}.")
        if user is None or not user["enabled"]:
            raise unauthorized()
        scope = self._scope(auth.get("scope"), user)
        if scope and not self._keystone.assignments.effective(user["id"], scope):
            raise unauthorized()
        return self._issued(user["id"], methods, scope, parent["expires"] if parent else 0.0)

    def _issued(self, user_id: str, methods: list[str], scope: Scope, expires: float = 0.0, **more: Any) -> Row:
        self._sweep()
        now = time.time()
        times = {"issued": now, "expires": expires or now + LIFETIME}
        return self._table.insert({"id": uuid.uuid4().hex, "user_id": user_id, "methods": methods, "scope": scope, **times, **more})

    def live(self, token: str) -> Row | None:
        """The token's row while it is valid."""
        row = self._table.get(token)
        if row is None or row["expires"] < time.time():
            return None
        keystone = self._keystone
        user = keystone.users.get(row["user_id"])
        project_id = row["scope"].get("project_id")
        project = keystone.projects.get(project_id) if project_id else None
        if not user or not user["enabled"] or (project_id and not (project and project["enabled"])):
            return None
        return row

    def revoke(self, token: str) -> None:
        """ApiError 404 when there is no such token."""
        if token not in self._table:
            raise ApiError(404, "Could not find token.")
        self._table.delete(token)

    def caller(self, token: str) -> Caller | None:
        row = self.live(token)
        if row is None:
            return None
        scope: Scope = row["scope"]
        roles = frozenset(role["name"] for role in self.roles(row))
        user = self._keystone.require("user", row["user_id"])
        project_id, domain_id = scope.get("project_id"), scope.get("domain_id")
        writes, reads = "admin" in roles, AUDITOR in roles
        found = self._keystone.application_credentials.get(row.get("application_credential"))
        return Caller(
            user["id"], project_id, domain_id, roles, writes or reads, token, user["name"],
            only_reads=reads and not writes, access_rules=found["access_rules"] if found else None,
        )  # fmt: skip

    def roles(self, row: Row) -> list[Row]:
        return self._keystone.assignments.effective(row["user_id"], row["scope"]) if row["scope"] else []

    def _by_password(self, given: Document) -> Row | None:
        user = self._named("user", given)
        if user is None or user.get("password") is None or user["password"] != given.get("password"):
            return None
        return user

    def _by_application_credential(self, given: Document, scope: Any) -> Row:
        """Its scope is its own project, and cannot be asked for."""
        user = self._named("user", _part(given, "user")) if "user" in given else None
        found = self._keystone.application_credentials.logged_in(given, user)
        if found is None or scope is not None:
            raise unauthorized()
        scoped = {"project_id": str(found["project_id"])}
        return self._issued(found["user_id"], ["application_credential"], scoped, application_credential=found["id"])

    def _named(self, kind: str, given: Document) -> Row | None:
        """An object named by `{"id"}` or by `{"name", "domain": {"id"|"name"}}`."""
        keystone = self._keystone
        if "id" in given:
            return keystone.table(kind).get(str(given["id"]))
        domain: Row | None = None
        if kind != "domain":
            domain = self._named("domain", _part(given, "domain"))
            if domain is None:
                return None
        return keystone.by_name(kind, str(given.get("name")), domain["id"] if domain else None)

    def _scope(self, given: Any, user: Row) -> Scope:
        if given is None:
            project = self._keystone.projects.get(user.get("default_project_id") or "")
            scope = {"project_id": project["id"]} if project and project["enabled"] else {}
            return scope if scope and self._keystone.assignments.effective(user["id"], scope) else {}
        if given == "unscoped" or "unscoped" in given:
            return {}
        if "system" in given:
            return {"system": "all"}
        for kind in ("project", "domain"):
            if kind in given:
                found = self._named(kind, given[kind])
                if found is None or not found["enabled"]:
                    raise unauthorized()
                return {f"{kind}_id": found["id"]}
        raise ApiError(400, "Invalid input for field 'scope': no project, domain or system.")

    def _sweep(self) -> None:
        now = time.time()
        for row in self._table:
            if row["expires"] < now:
                self._table.delete(row["id"])


def unauthorized() -> ApiError:
    return ApiError(401, "The request you have made requires authentication.")


def stamp(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _part(document: Any, key: str) -> Document:
    part = document.get(key) if isinstance(document, dict) else None
    if not isinstance(part, dict):
        raise ApiError(400, f"Expecting to find {key} in request body.")
    return part
