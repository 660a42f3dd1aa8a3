"""Cinder's answers as nouns. Field names: Block Storage API reference v3, microversions 3.50 to 3.71."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millpond.model.block_storage import Attachment, StoragePool, Volume, VolumeAttachment, VolumeBackup, VolumeSnapshot, VolumeType
from millpond.model.cut_record import split_metadata
from millpond.providers.shapes import documented

Row = Mapping[str, Any]
ADMIN_KEYS = ("readonly", "attached_mode")
"""Cinder merges these of its own into the metadata that an admin reads."""


@documented
def parse_volume(row: Row) -> Volume:
    """A row of GET /volumes/detail as an admin reads it."""
    merged = {key: value for key, value in (row.get("metadata") or {}).items() if key not in ADMIN_KEYS}
    metadata, record, marker = split_metadata(merged)
    return Volume(
        id=row["id"],
        name=row.get("name") or "",
        size=int(row.get("size") or 0),
        volume_type=row.get("volume_type") or "",
        status=row.get("status") or "",
        description=row.get("description") or "",
        availability_zone=row.get("availability_zone") or "",
        bootable=row.get("bootable") in (True, "true", "True"),
        multiattach=bool(row.get("multiattach")),
        encrypted=bool(row.get("encrypted")),
        metadata=metadata,
        image_metadata=dict(row.get("volume_image_metadata") or {}),
        attachments=tuple(parse_attachment(one) for one in row.get("attachments") or ()),
        host=row.get("os-vol-host-attr:host") or "",
        name_id=row.get("os-vol-mig-status-attr:name_id") or "",
        group_id=row.get("group_id") or row.get("consistencygroup_id") or "",
        user_id=row.get("user_id") or "",
        marker=marker,
        record=record,
    )


def parse_attachment(row: Row) -> Attachment:
    return Attachment(server_id=row.get("server_id") or "", device=row.get("device") or "", host=row.get("host_name") or "")


@documented
def parse_volume_attachment(row: Row) -> VolumeAttachment:
    """A row of GET /attachments, which holds no connection_info."""
    return VolumeAttachment(row["id"], row["volume_id"], row.get("instance") or "", row.get("status") or "")


@documented
def parse_initiators(row: Row) -> tuple[tuple[str, str], frozenset[str]]:
    """The keys of `initiator_target_map`, which Cinder's Fibre Channel drivers give for each port of the hypervisor."""
    info = row.get("connection_info") or {}
    known = info.get("initiator_target_map") or (info.get("data") or {}).get("initiator_target_map") or {}
    return (row["volume_id"], row.get("instance") or ""), frozenset(map(bare_wwpn, known))


def bare_wwpn(text: str) -> str:
    return text.replace(":", "").replace(".", "").lower()


@documented
def parse_snapshot(row: Row) -> VolumeSnapshot:
    return VolumeSnapshot(id=row["id"], name=row.get("name") or "", volume_id=row["volume_id"])


@documented
def parse_backup(row: Row) -> VolumeBackup:
    return VolumeBackup(id=row["id"], name=row.get("name") or "", volume_id=row["volume_id"])


@documented
def parse_volume_type(row: Row) -> VolumeType:
    return VolumeType(
        id=row["id"], name=row["name"], is_public=bool(row.get("is_public", True)), extra_specs=dict(row.get("extra_specs") or {})
    )


@documented
def parse_storage_pool(row: Row) -> StoragePool:
    """Free space that a driver calls `unknown` counts as none, `infinite` as infinite."""
    facts = row.get("capabilities") or {}
    free = facts.get("free_capacity_gb")
    amount = float("inf") if free == "infinite" else float(free) if isinstance(free, int | float) else 0.0
    return StoragePool(name=row["name"], backend=facts.get("volume_backend_name") or "", free_gib=amount)
