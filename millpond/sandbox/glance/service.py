"""The Glance of one simulated cloud: who sees which image, and what may be changed (glance/api/v2/images.py)."""

import base64
import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import ApiError, Caller

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

DEFAULTS: Row = {
    "name": None,
    "visibility": "shared",
    "container_format": None,
    "disk_format": None,
    "min_disk": 0,
    "min_ram": 0,
    "protected": False,
    "os_hidden": False,
    "tags": [],
    "owner": None,
}
READ_ONLY = frozenset(
    [
        "status",
        "checksum",
        "os_hash_algo",
        "os_hash_value",
        "size",
        "virtual_size",
        "created_at",
        "updated_at",
        "direct_url",
        "self",
        "file",
        "schema",
    ]
)
VISIBILITIES = ("public", "private", "shared", "community")


class GlanceService:
    def __init__(self, cloud: "Cloud") -> None:
        self.cloud = cloud
        self.images = cloud.table("glance/images")
        self.members = cloud.table("glance/members")
        self.data = cloud.table("glance/data")

    # What a caller sees.

    def find(self, caller: Caller, id: str) -> Row | None:
        """The image, with its properties as fields beside Glance's own; None where there is none that the caller may see."""
        row = self.images.get(id)
        return row if row is not None and self._visible(caller, row) else None

    def require(self, caller: Caller, id: str) -> Row:
        row = self.find(caller, id)
        if row is None:
            raise ApiError(404, f"No image found with ID {id}")
        return row

    def listed(self, caller: Caller, visibility: str | None = None, member_status: str = "accepted") -> list[Row]:
        """Newest first. Community images of others only when that visibility is asked for, by an administrator too."""
        rows = [row for row in self.images if self._visible(caller, row) and self._is_listed(caller, row, visibility, member_status)]
        return sorted(rows, key=lambda row: str(row["created_at"]), reverse=True)

    def _visible(self, caller: Caller, row: Row) -> bool:
        if caller.is_admin or row["owner"] == caller.project_id or row["visibility"] in ("public", "community"):
            return True
        return row["visibility"] == "shared" and bool(self.members.where(image_id=row["id"], member=caller.project_id))

    def _is_listed(self, caller: Caller, row: Row, visibility: str | None, member_status: str) -> bool:
        own = row["owner"] == caller.project_id
        if visibility not in (None, "all"):
            return bool(row["visibility"] == visibility)
        if row["visibility"] == "shared" and not own and not caller.is_admin:
            found = self.members.where(image_id=row["id"], member=caller.project_id)
            return member_status == "all" or any(member["status"] == member_status for member in found)
        return own or visibility == "all" or row["visibility"] != "community"

    # What a caller does.

    def create(self, caller: Caller, body: Row) -> Row:
        """A queued image. The id may be chosen; ApiError 409 when it is taken, 400 and 403 for what may not be set."""
        self._check(caller, body)
        id = body.get("id", str(uuid.uuid4()))
        if id in self.images:
            raise ApiError(409, f"Image ID {id} already exists!")
        now = self.cloud.world.clock.iso()
        standard = {"id": id, "status": "queued", "created_at": now, "updated_at": now}
        empty = {"checksum": None, "os_hash_algo": None, "os_hash_value": None, "size": None, "virtual_size": None}
        return self.images.insert({**DEFAULTS, "owner": caller.project_id, "tags": [], **empty, **body, **standard})

    def create_image(self, project_id: str, name: str, data: bytes = b"image", **properties: Any) -> Row:
        """An active image, for scenarios."""
        owner = Caller("glance", project_id, None, frozenset({"admin"}), is_admin=True, token="")
        row = self.create(owner, {"name": name, "disk_format": "qcow2", "container_format": "bare", **properties})
        return self.upload(row, data)

    def change(self, caller: Caller, row: Row, changes: Row, removed: list[str] | None = None) -> Row:
        """Sets attributes and takes away the properties `removed`. ApiError 400, 403."""
        self.writable(caller, row)
        if "id" in changes:
            raise ApiError(403, "Attribute 'id' is read-only.")
        self._check(caller, changes)
        for name in removed or []:
            if name in DEFAULTS or name in READ_ONLY or name == "id":
                raise ApiError(403, f"Property {name} may not be removed.")
        for name in removed or []:
            row.pop(name, None)
        return self.images.update(row["id"], **changes, updated_at=self.cloud.world.clock.iso())

    def delete(self, caller: Caller, row: Row) -> None:
        self.writable(caller, row)
        if row["protected"]:
            raise ApiError(403, f"Image {row['id']} is protected and cannot be deleted.")
        for member in self.members.where(image_id=row["id"]):
            self.members.delete(member["id"])
        if row["id"] in self.data:
            self.data.delete(row["id"])
        self.images.delete(row["id"])

    def upload(self, row: Row, data: bytes) -> Row:
        """Stores the data of a queued image, which becomes active. ApiError 400 without formats, 409 in another status."""
        if row["status"] != "queued":
            raise ApiError(409, f"Image status transition from {row['status']} to saving is not allowed")
        if row["disk_format"] is None or row["container_format"] is None:
            raise ApiError(400, "Properties disk_format, container_format must be set prior to saving data.")
        self.data.insert({"id": row["id"], "base64": base64.b64encode(data).decode()})
        return self.images.update(
            row["id"],
            status="active",
            size=len(data),
            checksum=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            os_hash_algo="sha512",
            os_hash_value=hashlib.sha512(data).hexdigest(),
            updated_at=self.cloud.world.clock.iso(),
        )

    def download(self, row: Row) -> bytes | None:
        stored = self.data.get(row["id"])
        return base64.b64decode(stored["base64"]) if stored else None

    def writable(self, caller: Caller, row: Row) -> None:
        """ApiError 403 unless the caller's project owns the image."""
        if not caller.is_admin and row["owner"] != caller.project_id:
            raise ApiError(403, f"You are not permitted to modify this image {row['id']}.")

    def _check(self, caller: Caller, body: Row) -> None:
        for name in sorted(set(body) & READ_ONLY):
            raise ApiError(403, f"Attribute '{name}' is read-only.")
        if body.get("visibility", "private") not in VISIBILITIES:
            raise ApiError(400, f"Invalid value '{body['visibility']}' for 'visibility'")
        if not caller.is_admin and (body.get("visibility") == "public" or body.get("owner", caller.project_id) != caller.project_id):
            raise ApiError(403, "You are not authorized to complete publicize_image action.")
        for name, value in body.items():
            if name not in DEFAULTS and not isinstance(value, str):
                raise ApiError(400, f"Provided object does not match schema 'image': {value!r} is not of type 'string': '{name}'")
        for name in ("min_disk", "min_ram"):
            if not isinstance(body.get(name, 0), int) or body.get(name, 0) < 0:
                raise ApiError(400, f"Provided object does not match schema 'image': {body[name]!r} is not valid: '{name}'")
