"""Reserving, attaching and detaching: what Nova does with a volume.

Nova reserves by an attachment without a connector, and connects the same one later (POST and PUT /attachments); the actions os-reserve and
os-attach are the older way. The volume's list shows attachments that are `attached` alone (cinder/api/v3/views/volumes.py).
"""

import uuid
from typing import Any

from millpond.sandbox.cinder.driver import Driver, Failed
from millpond.sandbox.cinder.refusals import invalid_volume, no_attachment, used_by_nova
from millpond.sandbox.cinder.volumes import Volumes
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud

GUARDED_SINCE = 68
"""From Yoga on Cinder asks Nova before it deletes an attachment (OSSA-2023-003)."""


class Attaching:
    def __init__(self, cloud: Cloud, volumes: Volumes, driver: Driver) -> None:
        self.cloud, self.volumes, self.driver = cloud, volumes, driver
        self.table = cloud.table("cinder/attachments")

    def of(self, volume_id: str) -> list[Row]:
        return self.table.where(volume_id=volume_id, status="attached")

    def reserved(self, volume_id: str, server_id: str) -> Row | None:
        return next(iter(self.table.where(volume_id=volume_id, server_id=server_id, status="reserved")), None)

    # Nova's way.

    def reserve(self, volume_id: str, server_id: str | None) -> Row:
        """The new attachment. ApiError 400 unless the volume is available, or in use and multiattach, or has one of that server."""
        row = self.volumes.require(volume_id)
        if not self._free(row) and not (server_id and self.table.where(volume_id=volume_id, server_id=server_id)):
            raise not_free(row)
        self.volumes.change(volume_id, status="reserved")
        return self._insert(volume_id, server_id, "reserved")

    def connect(self, volume_id: str, server_id: str, device: str, host: str) -> Row:
        """Maps the volume on the array to the compute host. ApiError 404 when the reservation is gone, 500 when the array refuses."""
        row, attachment = self.volumes.require(volume_id), self.reserved(volume_id, server_id)
        if attachment is None:
            raise no_attachment(server_id)
        self._map(row, host)
        self._in_use(row, "rw")
        attached_at = self.cloud.world.clock.iso_us()
        return self.table.update(attachment["id"], status="attached", device=device, host_name=host, attached_at=attached_at)

    def drop(self, volume_id: str, server_id: str) -> None:
        """Takes a server's reservation back. No error when there is none."""
        attachment = self.reserved(volume_id, server_id)
        if attachment is not None:
            self.remove(attachment)

    def remove(self, attachment: Row) -> None:
        """What is only reserved is taken out of the database alone, what is attached is unmapped too (cinder/volume/api.py)."""
        if attachment["status"] == "attached":
            self.detach(attachment["volume_id"], attachment_id=attachment["id"])
        else:
            self.table.delete(attachment["id"])
            self._settle(attachment["volume_id"])

    def check_unused(self, attachment: Row) -> None:
        """ApiError 409 where a server has the volume by this very attachment (cinder/volume/api.py, attachment_deletion_allowed)."""
        minor = int(self.cloud.release.cinder_max.partition(".")[2])
        server = self.cloud.table("nova/servers").get(attachment["server_id"] or "")
        if minor < GUARDED_SINCE or attachment["status"] != "attached" or server is None:
            return
        if any(device["volume_id"] == attachment["volume_id"] for device in server["volumes"]):
            raise used_by_nova(attachment["server_id"])

    # The older way.

    def begin_attaching(self, volume_id: str) -> None:
        """ApiError 400 unless the volume is available, or in use and multiattach."""
        row = self.volumes.require(volume_id)
        if not self._free(row):
            raise not_free(row)
        self.volumes.change(volume_id, status="attaching")

    def stop_attaching(self, volume_id: str) -> None:
        """No error when there is nothing to take back: what is `reserved` stays so (cinder/volume/api.py, unreserve_volume)."""
        row = self.volumes.table.get(volume_id)
        if row is not None and row["status"] == "attaching":
            self.volumes.change(volume_id, status="in-use" if self.table.where(volume_id=volume_id) else "available")

    def attach(self, volume_id: str, server_id: str | None, device: str, host: str, mode: str = "rw") -> Row:
        """Maps the volume on the array to the compute host. ApiError 400 unless it is being attached, 500 when the array refuses."""
        row = self.volumes.require(volume_id)
        if row["status"] != "attaching":
            raise invalid_volume(f"Volume {volume_id} is not being attached, its status is {row['status']}.")
        self._map(row, host)
        self._in_use(row, mode)
        return self._insert(volume_id, server_id, "attached", host_name=host, device=device, mode=mode)

    # Detaching.

    def begin_detaching(self, volume_id: str) -> None:
        row = self.volumes.require(volume_id)
        if row["status"] != "in-use":
            raise invalid_volume("Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach.")
        self.volumes.change(volume_id, status="detaching")

    def detach(self, volume_id: str, server_id: str | None = None, attachment_id: str | None = None) -> None:
        """Takes the server's attachment away and unmaps the volume from its host when no other is there."""
        row = self.volumes.require(volume_id)
        chosen = [one for one in self.of(volume_id) if _matches(one, server_id, attachment_id)]
        for attachment in chosen:
            self.table.delete(attachment["id"])
            if not any(one["host_name"] == attachment["host_name"] for one in self.of(volume_id)):
                self._unmap(row, attachment["host_name"])
        self._settle(volume_id)

    def _free(self, row: Row) -> bool:
        return row["status"] == "available" or bool(row["status"] == "in-use" and row["multiattach"])

    def _insert(self, volume_id: str, server_id: str | None, status: str, **more: Any) -> Row:
        attached_at = self.cloud.world.clock.iso_us() if status == "attached" else ""
        known = {"id": str(uuid.uuid4()), "volume_id": volume_id, "server_id": server_id, "status": status, "attached_at": attached_at}
        return self.table.insert({**known, "host_name": "", "device": "", "mode": "null" if status == "reserved" else "rw", **more})

    def _map(self, row: Row, host: str) -> None:
        try:
            self.driver.initialize_connection(row, host)
        except (Failed, ApiError) as error:
            raise ApiError(500, f"Unable to initialize the connection: {error}") from None

    def _unmap(self, row: Row, host: str) -> None:
        # A volume whose back end is gone is still detached in the database.
        try:
            self.driver.terminate_connection(row, host)
        except Failed:
            return

    def _in_use(self, row: Row, mode: str) -> None:
        self.volumes.change(row["id"], status="in-use", admin_metadata={**row["admin_metadata"], "attached_mode": mode})

    def _settle(self, volume_id: str) -> None:
        """The status that the attachments that are left stand for, whatever it was (cinder/db/api.py, volume_detached)."""
        row, left = self.volumes.require(volume_id), {one["status"] for one in self.table.where(volume_id=volume_id)}
        status = "in-use" if "attached" in left else "reserved" if left else "available"
        admin = {key: value for key, value in row["admin_metadata"].items() if key != "attached_mode" or status == "in-use"}
        self.volumes.change(volume_id, status=status, admin_metadata=admin)

    def view(self, attachment: Row) -> dict[str, Any]:
        """An element of `attachments` of a volume."""
        return {
            "id": attachment["volume_id"],
            "attachment_id": attachment["id"],
            "volume_id": attachment["volume_id"],
            "server_id": attachment["server_id"],
            "host_name": attachment["host_name"],
            "device": attachment["device"],
            "attached_at": attachment["attached_at"],
        }


def not_free(row: Row) -> ApiError:
    expected = "available or in-use" if row["multiattach"] else "available"
    return invalid_volume(f"Volume {row['id']} status must be {expected} to reserve, but the current status is {row['status']}.")


def _matches(attachment: Row, server_id: str | None, attachment_id: str | None) -> bool:
    if attachment_id is not None:
        return bool(attachment["id"] == attachment_id)
    return server_id is None or bool(attachment["server_id"] == server_id)
