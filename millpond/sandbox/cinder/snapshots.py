"""Snapshots of volumes."""

import uuid
from collections.abc import Mapping

from millpond.sandbox.cinder.driver import Failed
from millpond.sandbox.cinder.refusals import invalid_volume, no_snapshot
from millpond.sandbox.cinder.volumes import Volumes
from millpond.sandbox.core.callers import Caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud


class Snapshots:
    def __init__(self, cloud: Cloud, volumes: Volumes) -> None:
        self.cloud, self.volumes = cloud, volumes
        self.table = volumes.snapshots
        cloud.world.events.on(f"{cloud.name}/cinder/snapshot_created", self._created)
        cloud.world.events.on(f"{cloud.name}/cinder/snapshot_deleted", self._deleted)

    def get(self, caller: Caller, id: str) -> Row:
        row = self.table.get(id)
        if row is None or not (caller.is_admin or row["project_id"] == caller.project_id):
            raise no_snapshot(id)
        return row

    def create(self, volume: Row, user_id: str, name: str | None, description: str | None, metadata: Mapping[str, str], force: bool) -> Row:
        """ApiError 400 unless the volume is available, or in use with `force`; 413 over quota."""
        if volume["status"] != "available" and not (force and volume["status"] == "in-use"):
            raise invalid_volume(f"Volume {volume['id']} status must be available, but current status is: {volume['status']}.")
        self.volumes.quotas.check(volume["project_id"], "snapshots", volume["size"], self.volumes.type_name(volume))
        row = self.table.insert(
            {
                "id": str(uuid.uuid4()),
                "name": name,
                "description": description,
                "volume_id": volume["id"],
                "volume_size": volume["size"],
                "project_id": volume["project_id"],
                "user_id": user_id,
                "status": "creating",
                "metadata": dict(metadata),
                "created_at": self.cloud.world.clock.iso_us(),
                "updated_at": None,
            }
        )
        self._after("snapshot_created", row, self.cloud.world.settings.delays.snapshot_create)
        return row

    def _created(self, snapshot_id: str) -> None:
        row = self.table.get(snapshot_id)
        if row is None:
            return
        try:
            self.volumes.driver.create_snapshot(self.volumes.require(row["volume_id"]), row)
        except (Failed, ApiError):
            self.table.update(snapshot_id, status="error")
            return
        self.table.update(snapshot_id, status="available")

    def delete(self, row: Row) -> None:
        if row["status"] not in ("available", "error"):
            raise ApiError(400, "Invalid snapshot: Snapshot status must be available or error to be deleted.")
        self.table.update(row["id"], status="deleting")
        self._after("snapshot_deleted", row, self.cloud.world.settings.delays.snapshot_delete)

    def _deleted(self, snapshot_id: str) -> None:
        row = self.table.get(snapshot_id)
        if row is None:
            return
        try:
            self.volumes.driver.delete_snapshot(self.volumes.require(row["volume_id"]), row)
        except (Failed, ApiError):
            self.table.update(snapshot_id, status="error_deleting")
            return
        self.table.delete(snapshot_id)

    def _after(self, name: str, row: Row, delay: float) -> None:
        self.cloud.world.events.at(delay, f"{self.cloud.name}/cinder/{name}", snapshot_id=row["id"])
