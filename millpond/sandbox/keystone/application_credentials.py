"""Application credentials that were made beforehand, with access rules: what of a user's rights in one project may be used, and how."""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row

if TYPE_CHECKING:
    from millpond.sandbox.keystone.service import KeystoneService

SINCE = "3.13"
"""Keystone of Train, the first with access rules."""
READING, READING_SECRET = "reading", "reading-secret"


class ApplicationCredentials:
    def __init__(self, keystone: "KeystoneService") -> None:
        self._keystone = keystone
        self._table = keystone.cloud.table("keystone/application_credential")

    @property
    def are_known(self) -> bool:
        return _number(self._keystone.cloud.release.keystone_version) >= _number(SINCE)

    def create(self, name: str, secret: str, user_id: str, project_id: str, rules: Sequence[Row]) -> None:
        owner = {"user_id": user_id, "project_id": project_id}
        self._table.insert({"id": uuid.uuid4().hex, "name": name, "secret": secret, **owner, "access_rules": list(rules)})

    def get(self, id: str | None) -> Row | None:
        return self._table.get(id) if id else None

    def logged_in(self, given: dict[str, Any], user: Row | None) -> Row | None:
        """That of an id, or of a name and its user; None where it is not known or the secret is wrong."""
        found = self.get(given.get("id")) or next(iter(self._table.where(name=given.get("name"), user_id=user["id"] if user else "")), None)
        return found if found and found["secret"] == given.get("secret") else None


def reading_rules(services: Sequence[str]) -> list[Row]:
    return [{"service": service, "method": "GET", "path": "/**"} for service in services]


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
