"""What matters of a Cinder: volumes as their owners see them, snapshots, backups, quotas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from millpond.sandbox.cinder.metadata import visible
from millpond.sandbox.core.store import Row

if TYPE_CHECKING:
    from millpond.sandbox.cinder.service import CinderService

CARRIED = (
    "name",
    "description",
    "size",
    "status",
    "project_id",
    "availability_zone",
    "host",
    "bootable",
    "image_metadata",
    "multiattach",
    "encrypted",
)


def digest(cinder: CinderService) -> dict[str, Any]:
    return {
        "volumes": sorted((volume(cinder, row) for row in cinder.volumes), key=_order),
        "snapshots": sorted([row["name"] or "", row["status"]] for row in cinder.snapshots),
        "backups": sorted([row["name"] or "", row["status"]] for row in cinder.backing_up.table),
        "types": sorted([row["name"], sorted(row["extra_specs"].items())] for row in cinder.types.table),
        "quotas": {row["id"]: row["limits"] for row in cinder.quotas.table},
    }


def volume(cinder: CinderService, row: Row) -> Row:
    attachments = sorted([one["server_id"], one["device"], one["host_name"]] for one in cinder.attachments.where(volume_id=row["id"]))
    shown = {field: row[field] for field in CARRIED}
    return {**shown, "metadata": visible(row), "attachments": attachments, "type": cinder.life.type_name(row)}


def _order(row: Row) -> str:
    """By what does not hold ids: attachments and metadata do."""
    return json.dumps({key: value for key, value in row.items() if key not in ("attachments", "metadata", "project_id")})
