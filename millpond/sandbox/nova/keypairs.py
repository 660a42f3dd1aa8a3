"""Key pairs: they belong to a user, not to a project."""

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.quotas import Quotas

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud


class Keypairs:
    def __init__(self, cloud: "Cloud", quotas: Quotas) -> None:
        self.cloud = cloud
        self.table = cloud.table("nova/keypairs")
        self.quotas = quotas

    def create(self, user_id: str, name: str, public_key: str, kind: str = "ssh", project_id: str | None = None) -> Row:
        """Imports a public key. `project_id` is the caller's, whose `key_pairs` quota counts.

        ApiError 400 for what is no key, 403 over quota, 409 when the user has one of that name.
        """
        if len(self.of(user_id)) >= self.quotas.limits(project_id or "")["key_pairs"] >= 0:
            raise refusals.forbidden("Quota exceeded, too many key pairs.")
        if self.key(user_id, name) in self.table:
            raise refusals.conflict(f"Key pair '{name}' already exists.")
        return self.table.insert(
            {
                "id": self.key(user_id, name),
                "number": 1 + max((row["number"] for row in self.table), default=0),
                "name": name,
                "user_id": user_id,
                "public_key": public_key,
                "fingerprint": fingerprint(public_key, kind),
                "type": kind,
                "created_at": self.cloud.world.clock.now(),
            }
        )

    def of(self, user_id: str) -> list[Row]:
        return sorted(self.table.where(user_id=user_id), key=lambda row: str(row["name"]))

    def find(self, user_id: str, name: str) -> Row | None:
        return self.table.get(self.key(user_id, name))

    def require(self, user_id: str, name: str) -> Row:
        keypair = self.find(user_id, name)
        if keypair is None:
            raise ApiError(404, f"Keypair {name} not found for user {user_id}")
        return keypair

    def delete(self, user_id: str, name: str) -> None:
        self.table.delete(self.require(user_id, name)["id"])

    def key(self, user_id: str, name: str) -> str:
        return f"{user_id}/{name}"


def fingerprint(public_key: str, kind: str) -> str:
    """MD5 of an SSH key's blob, SHA-1 of a certificate's DER, colon-separated (nova/crypto.py)."""
    try:
        if kind == "ssh":
            blob = base64.b64decode(public_key.split()[1], validate=True)
            return colons(hashlib.md5(blob, usedforsecurity=False).hexdigest())
        body = re.sub(r"-----(BEGIN|END) CERTIFICATE-----|\s", "", public_key)
        der = base64.b64decode(body, validate=True)
        return colons(hashlib.sha1(der, usedforsecurity=False).hexdigest().upper())
    except (IndexError, binascii.Error):
        raise refusals.bad_request("Keypair data is invalid: failed to generate fingerprint") from None


def colons(digest: str) -> str:
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
