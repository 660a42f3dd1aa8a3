"""Backups of volumes: what Cinder's API says of them. Their data is nowhere (cinder/backup/api.py)."""

import uuid
from dataclasses import dataclass

from millpond.sandbox.cinder.refusals import invalid_volume, no_backup
from millpond.sandbox.cinder.volumes import Volumes
from millpond.sandbox.core.callers import Caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud


@dataclass(frozen=True)
class Wanted:
    name: str | None = None
    description: str | None = None
    container: str | None = None
    incremental: bool = False
    force: bool = False


class Backups:
    def __init__(self, cloud: Cloud, volumes: Volumes) -> None:
        self.cloud, self.volumes = cloud, volumes
        self.table = cloud.table("cinder/backups")
        cloud.world.events.on(f"{cloud.name}/cinder/backup_created", self._created)
        cloud.world.events.on(f"{cloud.name}/cinder/backup_deleted", self._deleted)

    def get(self, caller: Caller, id: str) -> Row:
        row = self.table.get(id)
        if row is None or not (caller.is_admin or row["project_id"] == caller.project_id):
            raise no_backup(id)
        return row

    def create(self, caller: Caller, volume: Row, wanted: Wanted) -> Row:
        """It is the caller's project's, whoever owns the volume. ApiError 400 unless the volume is available, or in use with `force`, and
        for an incremental one that has no forerunner."""
        if volume["status"] not in ("available", "in-use"):
            raise invalid_volume(f'Volume to be backed up must be available or in-use, but the current status is "{volume["status"]}".')
        if volume["status"] == "in-use" and not wanted.force:
            raise invalid_volume("Backing up an in-use volume must use the force flag.")
        former = self.table.where(volume_id=volume["id"], status="available", project_id=caller.project_id) if wanted.incremental else []
        if wanted.incremental and not former:
            raise ApiError(400, "Invalid backup: No backups available to do an incremental backup.")
        row = self.table.insert(
            {
                "id": str(uuid.uuid4()),
                "name": wanted.name,
                "description": wanted.description,
                "container": wanted.container or "volumebackups",
                "volume_id": volume["id"],
                "size": volume["size"],
                "project_id": caller.project_id,
                "user_id": caller.user_id,
                "status": "creating",
                "parent_id": former[-1]["id"] if former else None,
                "previous_status": volume["status"],
                "created_at": self.cloud.world.clock.iso_us(),
                "updated_at": None,
            }
        )
        self.volumes.table.update(volume["id"], status="backing-up")
        self._after("backup_created", row, self.cloud.world.settings.delays.backup_create)
        return row

    def _created(self, backup_id: str) -> None:
        row = self.table.get(backup_id)
        if row is None:
            return
        if row["volume_id"] in self.volumes.table:
            self.volumes.table.update(row["volume_id"], status=row["previous_status"])
        self.table.update(backup_id, status="available")

    def delete(self, row: Row) -> None:
        """ApiError 400 while another one builds on it."""
        if row["status"] not in ("available", "error"):
            raise ApiError(400, "Invalid backup: Backup status must be available or error")
        if self.depends_on(row):
            raise ApiError(400, "Invalid backup: Incremental backups exist for this backup.")
        self.table.update(row["id"], status="deleting")
        self._after("backup_deleted", row, self.cloud.world.settings.delays.backup_delete)

    def depends_on(self, row: Row) -> bool:
        return bool(self.table.where(parent_id=row["id"]))

    def _deleted(self, backup_id: str) -> None:
        if backup_id in self.table:
            self.table.delete(backup_id)

    def _after(self, name: str, row: Row, delay: float) -> None:
        self.cloud.world.events.at(delay, f"{self.cloud.name}/cinder/{name}", backup_id=row["id"])
