"""block_device_mapping_v2: what a boot asks for, checked, and the devices it becomes."""

import uuid
from typing import TYPE_CHECKING, Any

from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.boolean import is_true

if TYPE_CHECKING:
    pass

INVALID = "Block Device Mapping is Invalid: "
SEQUENCE = INVALID + "Boot sequence for the instance and image/block device mapping combination is not valid."
OLD_MULTIATTACH = "Multiattach volumes are only supported starting with compute API version 2.60."
PREFIXES = {"scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd"}
"""hw_disk_bus -> first letters of the device names; virtio and everything else is vd."""


def asked(given: list[dict[str, Any]], image_ref: str) -> list[dict[str, Any]]:
    """The requested devices with Nova's defaults; the root disk of an image boot is none of them.

    ApiError 400 for missing ids, sources that cannot be, and boot indexes that are not 0, 1, 2...
    """
    devices = [device(item) for item in given if not item.get("no_device")]
    if image_ref:
        devices = [item for item in devices if not (item["source_type"] == "image" and item["destination_type"] == "local")]
    indexes = sorted(item["boot_index"] for item in devices if item["boot_index"] >= 0)
    first = 1 if image_ref else 0
    if indexes != list(range(first, first + len(indexes))) or not (image_ref or indexes):
        raise refusals.bad_request(SEQUENCE)
    return devices


def device(item: dict[str, Any]) -> dict[str, Any]:
    source, destination = item.get("source_type", "volume"), item.get("destination_type")
    id = item.get("uuid") or item.get("volume_id") or item.get("image_id") or item.get("snapshot_id")
    if source != "blank" and not id:
        raise refusals.bad_request(INVALID + "Missing device UUID.")
    if source == "volume" and destination not in (None, "volume"):
        raise refusals.bad_request(INVALID + "Mapping volume to local is not supported.")
    if source == "blank" and destination == "volume" and not item.get("volume_size"):
        raise refusals.bad_request("Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size")
    if source == "image" and destination == "volume" and not item.get("volume_size"):
        raise refusals.bad_request("Images with destination_type 'volume' need to have a non-zero size specified")
    index = item.get("boot_index")
    return {
        "source_type": source,
        "destination_type": destination or "volume",
        "source_id": id,
        "boot_index": -1 if index is None else int(index),
        "delete_on_termination": is_true(item.get("delete_on_termination", False)),
        "volume_size": int(item.get("volume_size") or 0),
        "volume_type": item.get("volume_type"),
        "tag": item.get("tag"),
    }


def check_volume(cinder: CinderService, caller: Caller, item: dict[str, Any], minor: int) -> Row:
    """The existing volume that `item` names. ApiError 400: absent, another project's, not bootable, multiattach below 2.60."""
    volume: Row | None = cinder.volumes.get(item["source_id"])
    if volume is None or not (caller.is_admin or volume["project_id"] == caller.project_id):
        raise refusals.bad_request(INVALID + f"failed to get volume {item['source_id']}.")
    if volume["multiattach"] and minor < 60:
        raise refusals.bad_request(OLD_MULTIATTACH)
    if item["boot_index"] == 0 and not volume["bootable"]:
        raise refusals.bad_request(f"Block Device {volume['id']} is not bootable.")
    return volume


def attachment(item: dict[str, Any], volume_id: str | None, name: str) -> dict[str, Any]:
    """A device of a server row. `volume_id` is None until Nova has made the volume from its `source`."""
    return {
        "volume_id": volume_id,
        "device": name,
        "boot_index": item["boot_index"],
        "delete_on_termination": item["delete_on_termination"],
        "tag": item["tag"],
        "attached": False,
        "attachment_id": str(uuid.uuid4()),
        "bdm_uuid": str(uuid.uuid4()),
        "source": None if volume_id else item,
    }


def next_device(taken: list[str], prefix: str) -> str:
    """The first free name. Names that a caller asks for are not honoured (nova/virt/libvirt: it cannot)."""
    for letter in "abcdefghijklmnopqrstuvwxyz":
        if f"/dev/{prefix}{letter}" not in taken:
            return f"/dev/{prefix}{letter}"
    raise ApiError(403, "The maximum allowed number of disk devices (26) to attach to a single instance has been exceeded.")


def prefix(properties: dict[str, Any]) -> str:
    return PREFIXES.get(str(properties.get("hw_disk_bus", "virtio")), "vd")
