"""Reserving, attaching and detaching: what Nova does with a volume."""

import uuid
from typing import Any

from millpond.sandbox.cinder.driver import Driver, Failed
from millpond.sandbox.cinder.refusals import invalid_volume
from millpond.sandbox.cinder.volumes import Volumes
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud


class Attaching:
    def __init__(self, cloud: Cloud, volumes: Volumes, driver: Driver) -> None:
        self.cloud, self.volumes, self.driver = cloud, volumes, driver
        self.table = cloud.table("cinder/attachments")

    def of(self, volume_id: str) -> list[Row]:
        return self.table.where(volume_id=volume_id)

    def reserve(self, volume_id: str, status: str = "reserved") -> Row:
        """ApiError 400 unless the volume is available, or in use and multiattach."""
        row = self.volumes.require(volume_id)
        if row["status"] == "available":
            return self.volumes.change(volume_id, status=status)
        if row["status"] == "in-use" and row["multiattach"]:
            return row
        expected = "available or in-use" if row["multiattach"] else "available"
        raise invalid_volume(f"Volume {volume_id} status must be {expected} to reserve, but the current status is {row['status']}.")

    def unreserve(self, volume_id: str) -> None:
        """No error when there is nothing to take back."""
        row = self.volumes.table.get(volume_id)
        if row is not None and row["status"] in ("reserved", "attaching"):
            self.volumes.change(volume_id, status=self._resting(volume_id))

    def attach(self, volume_id: str, server_id: str | None, device: str, host: str, mode: str = "rw") -> Row:
        """Maps the volume on the array to the compute host. ApiError 400 unless it was reserved, 500 when the array refuses."""
        row = self.volumes.require(volume_id)
        if row["status"] not in ("reserved", "attaching") and not (row["status"] == "in-use" and row["multiattach"]):
            raise invalid_volume(f"Volume {volume_id} is not reserved, its status is {row['status']}.")
        try:
            self.driver.initialize_connection(row, host)
        except (Failed, ApiError) as error:
            raise ApiError(500, f"Unable to initialize the connection: {error}") from None
        attachment = self.table.insert(
            {
                "id": str(uuid.uuid4()),
                "volume_id": volume_id,
                "server_id": server_id,
                "host_name": host,
                "device": device,
                "mode": mode,
                "status": "attached",
                "attached_at": self.cloud.world.clock.iso_us(),
            }
        )
        self.volumes.change(volume_id, status="in-use", admin_metadata={**row["admin_metadata"], "attached_mode": mode})
        return attachment

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
        resting = self._resting(volume_id)
        admin = {key: value for key, value in row["admin_metadata"].items() if key != "attached_mode" or resting == "in-use"}
        self.volumes.change(volume_id, status=resting, admin_metadata=admin)

    def _unmap(self, row: Row, host: str) -> None:
        # A volume whose back end is gone is still detached in the database.
        try:
            self.driver.terminate_connection(row, host)
        except Failed:
            return

    def _resting(self, volume_id: str) -> str:
        return "in-use" if self.of(volume_id) else "available"

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


def _matches(attachment: Row, server_id: str | None, attachment_id: str | None) -> bool:
    if attachment_id is not None:
        return bool(attachment["id"] == attachment_id)
    return server_id is None or bool(attachment["server_id"] == server_id)
