"""The port `BlockStorage` on Cinder v3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from millpond.errors import NotFound
from millpond.model.block_storage import StoragePool, Volume, VolumeAttachment, VolumeBackup, VolumeSnapshot, VolumeType
from millpond.model.identity import Quota
from millpond.providers.openstack.parse_block_storage import (
    parse_backup,
    parse_initiators,
    parse_snapshot,
    parse_storage_pool,
    parse_volume,
    parse_volume_attachment,
    parse_volume_type,
)
from millpond.providers.openstack.parse_compute import parse_detailed_quota
from millpond.providers.openstack.service import Row, Service, Versions
from millpond.providers.openstack.sight import shown

VERSIONS = Versions(needed=(3, 50), known=(3, 71))


class CinderBlockStorage:
    """Volumes come into being with a token of the tenant's project, since Cinder takes their owner from it. All else goes as the login's
    own admin, who reaches every project's volumes and needs no role in the tenant's project."""

    def __init__(self, service: Service) -> None:
        self._cinder = service

    def volumes(self, project_id: str) -> tuple[Volume, ...]:
        parameters = {"all_tenants": "1", "project_id": project_id}
        rows = self._cinder.rows("/volumes/detail", "volumes", parameters)
        return tuple(parse_volume(row) for row in shown(rows, self._cinder.scopes.name, "volumes", "os-vol-host-attr:host"))

    def initiators(self, project_id: str) -> Mapping[tuple[str, str], frozenset[str]]:
        """A row's `connection_info` may hold CHAP passwords: nothing else of it is kept."""
        rows = self._attachments("/attachments/detail", project_id)
        return {pair: found for row in rows for pair, found in [parse_initiators(row)] if found}

    def attachments(self, project_id: str) -> tuple[VolumeAttachment, ...]:
        return tuple(parse_volume_attachment(row) for row in self._attachments("/attachments", project_id))

    def _attachments(self, path: str, project_id: str) -> Iterator[Row]:
        """Cinder pages this list by marker and says nothing of a next page: the end is a page without rows."""
        return self._cinder.rows(path, "attachments", {"all_tenants": "1", "project_id": project_id}, linked=False)

    def snapshots(self, project_id: str) -> tuple[VolumeSnapshot, ...]:
        parameters = {"all_tenants": "1", "project_id": project_id}
        return tuple(parse_snapshot(row) for row in self._cinder.rows("/snapshots/detail", "snapshots", parameters))

    def backups(self, project_id: str) -> tuple[VolumeBackup, ...]:
        """Cinder takes any column as an administrator's filter (cinder/api/common.py, reject_invalid_filters)."""
        parameters = {"all_tenants": "1", "project_id": project_id}
        rows = self._cinder.rows("/backups/detail", "backups", parameters)
        return tuple(parse_backup(row) for row in shown(rows, self._cinder.scopes.name, "backups", "os-backup-project-attr:project_id"))

    def volume_types(self) -> tuple[VolumeType, ...]:
        return tuple(parse_volume_type(row) for row in self._cinder.rows("/types", "volume_types", {"is_public": "None"}))

    def storage_pools(self) -> tuple[StoragePool, ...]:
        return tuple(parse_storage_pool(row) for row in self._cinder.page("/scheduler-stats/get_pools", "pools", {"detail": "True"}))

    def quota(self, project_id: str) -> Quota:
        return parse_detailed_quota("volume", self._cinder.get(f"/os-quota-sets/{project_id}", "quota_set", {"usage": "True"}))

    def create_volume(self, project_id: str, body: Mapping[str, Any]) -> str:
        return self._cinder.create("/volumes", "volume", {"volume": body}, project_id=project_id)

    def manage_volume(self, project_id: str, body: Mapping[str, Any]) -> str:
        return self._cinder.create("/manageable_volumes", "volume", {"volume": body}, project_id=project_id)

    def volume_action(self, project_id: str, volume_id: str, action: str, argument: Any = None) -> None:
        self._cinder.send("POST", f"/volumes/{volume_id}/action", {action: {} if argument is None else argument})

    def set_volume_metadata(self, project_id: str, volume_id: str, metadata: Mapping[str, str]) -> None:
        """Merged into what is there."""
        self._cinder.send("POST", f"/volumes/{volume_id}/metadata", {"metadata": dict(metadata)})

    def delete_volume_metadata(self, project_id: str, volume_id: str, key: str) -> None:
        self._cinder.send("DELETE", f"/volumes/{volume_id}/metadata/{quote(key, safe='')}")

    def delete_volume(self, project_id: str, volume_id: str) -> None:
        self._cinder.send("DELETE", f"/volumes/{volume_id}")

    def delete_snapshot(self, project_id: str, snapshot_id: str) -> None:
        self._cinder.send("DELETE", f"/snapshots/{snapshot_id}")

    def delete_attachment(self, project_id: str, attachment_id: str) -> None:
        with suppress(NotFound):
            self._cinder.send("DELETE", f"/attachments/{attachment_id}")

    def update_quota(self, project_id: str, limits: Mapping[str, int]) -> None:
        self._cinder.send("PUT", f"/os-quota-sets/{project_id}", {"quota_set": dict(limits)})
