"""The life of a volume: made, filled, extended, deleted. What takes time happens in events of virtual time."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from millpond.sandbox.cinder.backends import Backends
from millpond.sandbox.cinder.driver import Busy, Driver, Failed
from millpond.sandbox.cinder.images import image_metadata, require_image
from millpond.sandbox.cinder.quotas import Quotas
from millpond.sandbox.cinder.refusals import invalid_input, invalid_volume, no_snapshot, no_volume, no_zone
from millpond.sandbox.cinder.types import Types, is_multiattach
from millpond.sandbox.core.callers import Caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud

DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")
GIB = 2**30


@dataclass(frozen=True)
class Order:
    """A volume as its owner asks for it; `size` in GiB, None to take that of the source."""

    project_id: str
    user_id: str
    size: int | None
    name: str | None = None
    description: str | None = None
    volume_type: str | None = None
    availability_zone: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    image_id: str | None = None
    snapshot_id: str | None = None
    source_volid: str | None = None


class Volumes:
    def __init__(self, cloud: Cloud, backends: Backends, driver: Driver, types: Types, quotas: Quotas) -> None:
        self.cloud, self.backends, self.driver, self.types, self.quotas = cloud, backends, driver, types, quotas
        self.table = cloud.table("cinder/volumes")
        self.snapshots = cloud.table("cinder/snapshots")
        for name, function in (
            ("created", self._created),
            ("deleted", self._deleted),
            ("extended", self._extended),
            ("unmanaged", self._unmanaged),
        ):
            cloud.world.events.on(f"{cloud.name}/cinder/{name}", function)

    # Looking up.

    def get(self, caller: Caller, id: str) -> Row:
        """The volume, if the caller may see it. ApiError 404."""
        row = self.table.get(id)
        if row is None or not (caller.is_admin or row["project_id"] == caller.project_id):
            raise no_volume(id)
        return row

    def require(self, id: str) -> Row:
        row = self.table.get(id)
        if row is None:
            raise no_volume(id)
        return row

    def change(self, id: str, **changes: Any) -> Row:
        return self.table.update(id, updated_at=self.cloud.world.clock.iso_us(), **changes)

    def type_name(self, row: Row) -> str | None:
        kind = self.types.table.get(row["type_id"] or "")
        return kind["name"] if kind else None

    def snapshots_of(self, row: Row) -> list[Row]:
        return self.snapshots.where(volume_id=row["id"])

    # Making.

    def create(self, order: Order) -> Row:
        """Accepts the order (status creating). ApiError 400, 404, 413; what fails later ends in status error."""
        kind = self._type(order)
        size = self._size(order)
        if order.availability_zone not in (None, *self.backends.zones()):
            raise no_zone(order.availability_zone or "")
        self.quotas.check(order.project_id, "volumes", size, kind["name"] if kind else None)
        row = self.insert(order, size, kind, "creating")
        self._after("created", row, self.cloud.world.settings.delays.volume_create, source=_source(order))
        return row

    def _type(self, order: Order) -> Row | None:
        if order.volume_type:
            return self.types.by_name_or_id(order.volume_type, order.project_id, any_project=False)
        origin = self._origin(order)
        return self.types.table.get(origin["type_id"] or "") if origin else self.types.default()

    def _origin(self, order: Order) -> Row | None:
        """The volume whose data and type a copy takes."""
        if order.snapshot_id:
            snapshot = self.snapshots.get(order.snapshot_id)
            if snapshot is None or snapshot["project_id"] != order.project_id:
                raise no_snapshot(order.snapshot_id)
            return self.require(snapshot["volume_id"])
        if order.source_volid:
            source = self.table.get(order.source_volid)
            if source is None or source["project_id"] != order.project_id:
                raise no_volume(order.source_volid)
            return source
        return None

    def _size(self, order: Order) -> int:
        origin = self._origin(order)
        size = origin["size"] if origin and order.size is None else order.size
        if size is None or size <= 0:
            raise invalid_input(f"Volume size '{size}' must be an integer and greater than 0")
        if origin and size < origin["size"]:
            raise invalid_input(f"Volume size '{size}'GB cannot be smaller than original volume size  {origin['size']}GB.")
        if order.image_id:
            image = require_image(self.cloud, order.image_id)
            least = max(int(image.get("min_disk") or 0), -(-int(image.get("size") or 0) // GIB))
            if size < least:
                raise invalid_input(f"Volume size {size}GB cannot be smaller than the image minDisk size {least}GB.")
        return int(size)

    def insert(self, order: Order, size: int, kind: Row | None, status: str, **more: Any) -> Row:
        """A row with nothing behind it yet."""
        id = str(uuid.uuid4())
        return self.table.insert(
            {
                "id": id,
                "name_id": id,
                "name": order.name,
                "description": order.description,
                "size": size,
                "status": status,
                "project_id": order.project_id,
                "user_id": order.user_id,
                "type_id": kind["id"] if kind else None,
                "availability_zone": order.availability_zone or "nova",
                "asked_zone": order.availability_zone,
                "host": None,
                "bootable": False,
                "metadata": dict(order.metadata),
                "admin_metadata": {"readonly": "False"} if more.pop("marked", False) else {},
                "image_metadata": {},
                "multiattach": is_multiattach(kind),
                "encrypted": bool(kind and kind["encryption"]),
                "snapshot_id": order.snapshot_id,
                "source_volid": order.source_volid,
                "group_id": None,
                "migration_status": None,
                "previous_status": None,
                "created_at": self.cloud.world.clock.iso_us(),
                "updated_at": None,
                **more,
            }
        )

    def _created(self, volume_id: str, source: Row) -> None:
        row = self.table.get(volume_id)
        if row is None or row["status"] != "creating":
            return
        try:
            self.build(row, source)
        except (Failed, ApiError):
            self.change(row["id"], status="error")
            return
        self.change(row["id"], status="available")

    def build(self, row: Row, source: Mapping[str, str | None]) -> None:
        """Schedules the volume, makes it on the array and fills it from its source. Failed."""
        kind = self.types.table.get(row["type_id"] or "")
        backend = self.backends.choose(kind["extra_specs"] if kind else {}, row["size"], row["asked_zone"])
        if backend is None:
            raise Failed("No valid backend was found.")
        self.change(row["id"], host=backend["id"], availability_zone=backend["zone"])
        self.driver.create(row)
        if source.get("image"):
            self._fill_from_image(row, str(source["image"]))
        elif source.get("snapshot"):
            snapshot = self.snapshots.get(str(source["snapshot"]))
            origin = self.table.get(snapshot["volume_id"]) if snapshot else None
            self._copy(row, self.driver.find_snapshot(origin, str(source["snapshot"])) if origin else None, origin)
        elif source.get("volume"):
            origin = self.require(str(source["volume"]))
            self._copy(row, self.driver.find(origin), origin)

    def _fill_from_image(self, row: Row, image_id: str) -> None:
        image = require_image(self.cloud, image_id)
        self.driver.write(row, f"image {image['name']}", max(int(image.get("size") or 0), 2**20))
        self.change(row["id"], bootable=True, image_metadata=image_metadata(image))

    def _copy(self, row: Row, source: Row | None, origin: Row | None) -> None:
        if source is None or origin is None:
            raise Failed("the source is gone")
        self.driver.copy(row, source)
        self.change(row["id"], bootable=origin["bootable"], image_metadata=dict(origin["image_metadata"]))

    # Changing.

    def update(self, row: Row, changes: Mapping[str, Any]) -> Row:
        """Name and description, and what Cinder sets by the same path. ApiError 400 in maintenance."""
        if row["status"] == "maintenance":
            raise invalid_volume("The volume cannot be updated during maintenance.")
        return self.change(row["id"], **changes)

    def extend(self, row: Row, size: int, online: bool) -> None:
        """`online`: the caller's microversion (3.42) knows the extension of attached volumes. ApiError 400, 413."""
        allowed = ("available", "in-use") if online else ("available",)
        if row["status"] not in allowed:
            raise invalid_volume(f"Volume {row['id']} status must be '{allowed[0]}' to extend, currently {row['status']}.")
        if size <= row["size"]:
            raise invalid_input(f"New size for extend must be greater than current size. (current: {row['size']}, extended: {size}).")
        self.quotas.check(row["project_id"], "volumes", size - row["size"], self.type_name(row), count=0)
        self.change(row["id"], status="extending", previous_status=row["status"])
        self._after("extended", row, self.cloud.world.settings.delays.volume_extend, size=size)

    def _extended(self, volume_id: str, size: int) -> None:
        row = self.table.get(volume_id)
        if row is None or row["status"] != "extending":
            return
        try:
            self.driver.extend(row, size)
        except Failed:
            self.change(row["id"], status="error_extending")
            return
        self.change(row["id"], status=row["previous_status"], size=size)

    # Removing.

    def delete(self, row: Row, force: bool = False, cascade: bool = False) -> None:
        """Accepts the deletion. ApiError 400 in any status but DELETABLE, with snapshots, attachments or a group."""
        snapshots = self.snapshots_of(row)
        attached = bool(self.cloud.table("cinder/attachments").where(volume_id=row["id"]))
        if attached or row["group_id"] or (row["status"] not in DELETABLE and not force) or (snapshots and not cascade):
            raise invalid_volume(
                f"Volume status must be {' or '.join(DELETABLE)} and must not be migrating, attached, belong to a group, have snapshots, "
                "awaiting a transfer, or be disassociated from snapshots after volume transfer."
            )
        self.change(row["id"], status="deleting", previous_status=row["status"])
        self._after("deleted", row, self.cloud.world.settings.delays.volume_delete)

    def _deleted(self, volume_id: str) -> None:
        row = self.table.get(volume_id)
        if row is None or row["status"] != "deleting":
            return
        try:
            for snapshot in self.snapshots_of(row):
                self.driver.delete_snapshot(row, snapshot)
                self.snapshots.delete(snapshot["id"])
            self.driver.delete(row)
        except Busy:
            self.change(row["id"], status="available")
        except (Failed, ApiError):
            self.change(row["id"], status="error_deleting")
        else:
            self.table.delete(row["id"])

    def unmanage(self, row: Row) -> None:
        """Forgets the volume and leaves its data on the array. ApiError 400 as for a deletion, and when it is encrypted."""
        if row["encrypted"]:
            raise invalid_volume("Unmanaging encrypted volumes is not supported.")
        attached = bool(self.cloud.table("cinder/attachments").where(volume_id=row["id"]))
        if row["status"] not in DELETABLE or attached or self.snapshots_of(row) or row["group_id"]:
            raise invalid_volume(
                f"Volume status must be {' or '.join(DELETABLE)} and must not be migrating, attached, belong to a group or have snapshots."
            )
        self.change(row["id"], status="error_managing_deleting" if row["status"] == "error_managing" else "unmanaging")
        self._after("unmanaged", row, self.cloud.world.settings.delays.volume_manage)

    def _unmanaged(self, volume_id: str) -> None:
        row = self.table.get(volume_id)
        if row is None or row["status"] not in ("unmanaging", "error_managing_deleting"):
            return
        try:
            if self.cloud.world.faults.unmanage_error(self.cloud.name, row["name"]):
                raise Failed("the array did not answer")
            self.driver.unmanage(row)
        except Failed:
            if row["host"]:
                self.change(row["id"], status="error_unmanaging")
                return
        self.table.delete(row["id"])

    def _after(self, name: str, row: Row, delay: float, **more: Any) -> None:
        self.cloud.world.events.at(delay, f"{self.cloud.name}/cinder/{name}", volume_id=row["id"], **more)


def _source(order: Order) -> dict[str, str | None]:
    return {"image": order.image_id, "snapshot": order.snapshot_id, "volume": order.source_volid}
