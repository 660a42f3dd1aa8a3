"""Volumes, snapshots and types as a caller of a given version sees them."""

from aiohttp import web

from millpond.sandbox.cinder.metadata import visible
from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.cinder.wire import links
from millpond.sandbox.core.callers import Caller, caller
from millpond.sandbox.core.microversions import microversion
from millpond.sandbox.core.store import Row

SHOWN_AS = {"managing": "creating", "error_managing": "error", "error_managing_deleting": "deleting"}
"""Statuses that every release hides behind older ones (cinder/api/v3/views/volumes.py, _get_volume_status)."""


def summary(request: web.Request, row: Row) -> Row:
    return {"id": row["id"], "name": row["name"], "links": links(request, "volumes", row["id"])}


def volume(request: web.Request, service: CinderService, row: Row) -> Row:
    shown = {
        **summary(request, row),
        **{field: row[field] for field in ("description", "size", "availability_zone", "created_at", "updated_at", "user_id")},
        **{field: row[field] for field in ("snapshot_id", "source_volid", "multiattach", "encrypted")},
        "status": SHOWN_AS.get(row["status"], row["status"]),
        "attachments": [service.attaching.view(one) for one in service.attaching.of(row["id"])],
        "volume_type": service.life.type_name(row),
        "metadata": visible(row),
        "bootable": "true" if row["bootable"] else "false",
        "replication_status": None,
        "consistencygroup_id": None,
        "os-vol-tenant-attr:tenant_id": row["project_id"],
    }
    if row["image_metadata"]:
        shown["volume_image_metadata"] = row["image_metadata"]
    if caller(request).is_admin:
        shown.update(_administrative(row))
    shown.update(_later(request, row))
    return shown


def _administrative(row: Row) -> Row:
    name_id = row["name_id"] if row["name_id"] != row["id"] else None
    return {
        "os-vol-host-attr:host": row["host"],
        "os-vol-mig-status-attr:migstat": row["migration_status"],
        "os-vol-mig-status-attr:name_id": name_id,
    }


def _later(request: web.Request, row: Row) -> Row:
    """The fields that microversions brought."""
    version, is_admin = microversion(request), caller(request).is_admin
    fields: list[tuple[int, bool, str, object]] = [
        (13, True, "group_id", row["group_id"]),
        (21, is_admin, "provider_id", None),
        (48, True, "shared_targets", True),
        (48, True, "service_uuid", None),
        (61, is_admin, "cluster_name", None),
        (63, True, "volume_type_id", row["type_id"]),
        (65, True, "consumes_quota", True),
    ]
    return {name: value for minor, shown, name, value in fields if shown and version >= (3, minor)}


def snapshot(row: Row) -> Row:
    fields = ("id", "name", "description", "volume_id", "status", "metadata", "created_at", "updated_at")
    return {
        **{field: row[field] for field in fields},
        "size": row["volume_size"],
        "os-extended-snapshot-attributes:progress": "100%" if row["status"] == "available" else "0%",
        "os-extended-snapshot-attributes:project_id": row["project_id"],
    }


def attachment(row: Row, with_details: bool) -> Row:
    shown = {"id": row["id"], "status": row["status"], "instance": row["server_id"], "volume_id": row["volume_id"]}
    if with_details:
        shown.update({"attached_at": row["attached_at"], "detached_at": "", "attach_mode": row["mode"], "connection_info": {}})
    return shown


def volume_type(row: Row, seen_by: Caller) -> Row:
    shown = {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "is_public": row["is_public"],
        "os-volume-type-access:is_public": row["is_public"],
        "extra_specs": row["extra_specs"] if seen_by.is_admin else _public_specs(row),
    }
    return {**shown, "qos_specs_id": row["qos_specs_id"]} if seen_by.is_admin else shown


def _public_specs(row: Row) -> dict[str, str]:
    """What owners may see (policy volume_extension:access_types_extra_specs)."""
    return {
        key: value
        for key, value in row["extra_specs"].items()
        if key in ("RESKEY:availability_zones", "multiattach", "replication_enabled")
    }
