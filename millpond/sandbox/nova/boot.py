"""POST /servers: everything that Nova refuses or reserves before it answers."""

import uuid
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import block_devices, refusals
from millpond.sandbox.nova.boolean import is_true
from millpond.sandbox.nova.servers import NOSTATE, sanitized

if TYPE_CHECKING:
    from millpond.sandbox.nova.service import NovaService

ZERO_DISK = "Only volume-backed servers are allowed for flavors with zero disk."
REFUSED = "Block Device Mapping is Invalid: failed to get volume {}."
ZERO_DISK_SINCE = 72
"""From Stein on the policy lets administrators alone boot from an image without a disk."""


class Boot:
    def __init__(self, nova: "NovaService") -> None:
        self.nova = nova
        self.cloud = nova.cloud

    def create(self, caller: Caller, server: dict[str, Any], hints: dict[str, Any], minor: int) -> Row:
        """Makes the server of a checked request body; its build starts by itself.

        The volumes are reserved before this returns, so a second request with one of them is refused.
        ApiError 400, 403 over quota, 409 when a port is in use.
        """
        row = self.prepare(caller, server, hints, minor)
        self.nova.builds.begin(row)
        return row

    def prepare(self, caller: Caller, server: dict[str, Any], hints: dict[str, Any], minor: int) -> Row:
        """As `create`, but the build is not begun."""
        flavor = self.nova.flavors.require(caller, str(server["flavorRef"]), status=400)
        image = self._image(caller, server.get("imageRef") or "", flavor)
        key = self._key(caller, server.get("key_name"))
        self.nova.metadata.check_count(caller.project_id or "", server.get("metadata", {}))
        nics = self.nova.interfaces.requested(caller, server.get("networks"))
        group = self.nova.server_groups.for_boot(caller, first(hints["group"])) if hints.get("group") else None
        devices = block_devices.asked(server.get("block_device_mapping_v2", []), image["id"] if image else "")
        volumes = self._volumes(caller, devices, minor)
        properties = image or self._boot_properties(devices, volumes)
        check_minimum(flavor, properties, image is not None)
        self.nova.quotas.charge(caller.project_id or "", instances=1, cores=flavor["vcpus"], ram=flavor["ram"])
        row = self._row(caller, server, flavor, image, minor)
        row |= {"key_data": key, "nics": nics, "volumes": self._devices(devices, flavor, properties, image is not None)}
        row["root_device_name"] = f"/dev/{block_devices.prefix(properties)}a"
        self._reserve(caller, row)
        self.nova.servers.table.insert(row)
        if group is not None:
            self.nova.server_groups.join(group, row["id"])
        self.nova.servers.record(caller, row, "create")
        return row

    def _image(self, caller: Caller, id: str, flavor: Row) -> Row | None:
        if not id:
            return None
        image: Row | None = self.nova.glance.find(caller, id)
        if image is None:
            raise refusals.bad_request("Can not find requested image")
        if image["status"] != "active":
            raise refusals.bad_request(f"Image {id} is not active.")
        later = self.cloud.release.nova_max.partition(".")[2]
        if flavor["disk"] == 0 and int(later) >= ZERO_DISK_SINCE and not caller.is_admin:
            raise refusals.forbidden(ZERO_DISK)
        return image

    def _key(self, caller: Caller, name: str | None) -> str | None:
        """What the guest is given, and no API shows: the key is looked up among the caller's own, whoever will use the server."""
        pair = self.nova.keypairs.find(caller.user_id, name) if name is not None else None
        if name is not None and pair is None:
            raise refusals.bad_request("Invalid key_name provided.")
        return pair["public_key"] if pair else None

    def _volumes(self, caller: Caller, devices: list[dict[str, Any]], minor: int) -> dict[str, Row]:
        existing = [item for item in devices if item["source_type"] == "volume"]
        return {item["source_id"]: block_devices.check_volume(self.nova.cinder, caller, item, minor) for item in existing}

    def _boot_properties(self, devices: list[dict[str, Any]], volumes: dict[str, Row]) -> dict[str, Any]:
        """What the boot volume's image metadata says: the only source of hw_* for a server without an image."""
        for item in devices:
            if item["boot_index"] == 0 and item["source_id"] in volumes:
                return dict(volumes[item["source_id"]]["image_metadata"])
        return {}

    def _devices(
        self, devices: list[dict[str, Any]], flavor: Row, properties: dict[str, Any], has_local_root: bool
    ) -> list[dict[str, Any]]:
        """Named in order of request, root first; ephemeral and swap disks stand between root and the others."""
        prefix = block_devices.prefix(properties)
        taken = [f"/dev/{prefix}a"] if has_local_root else []
        local = bool(flavor["ephemeral"]) + bool(flavor["swap"])
        made: list[dict[str, Any]] = []
        for item in sorted(devices, key=lambda item: item["boot_index"] != 0):
            if len(taken) == 1:
                taken += [f"/dev/{prefix}{letter}" for letter in "bc"[:local]]
            name = block_devices.next_device(taken, prefix)
            taken.append(name)
            made.append(block_devices.attachment(item, item["source_id"] if item["source_type"] == "volume" else None, name))
        return made

    def _reserve(self, caller: Caller, row: Row) -> None:
        """What was reserved before a volume is refused stays reserved, for nobody (nova/compute/api.py, _provision_instances)."""
        existing = [device["volume_id"] for device in row["volumes"] if device["volume_id"]]
        fault = self.cloud.world.faults.boot_refused(self.cloud.name, row["name"]) if existing else None
        try:
            for volume_id in existing[: fault["reserved"] if fault else None]:
                self.nova.cinder.reserve(volume_id, row["project_id"], row["id"])
        except ApiError as error:
            raise refusals.bad_request(error.message) from None
        if fault:
            raise ApiError(fault["status"], REFUSED.format(existing[-1]))

    def _row(self, caller: Caller, server: dict[str, Any], flavor: Row, image: Row | None, minor: int) -> Row:
        now, id, name = self.cloud.world.clock.now(), str(uuid.uuid4()), server["name"].strip()
        asked_host = server.get("host") or server.get("hypervisor_hostname")
        zone, host = self.nova.hypervisors.requested(caller, server.get("availability_zone"), asked_host)
        return {
            "id": id,
            "name": name,
            "hostname": server.get("hostname") or sanitized(name) or f"Server-{id}",
            "description": server.get("description") if minor >= 19 else name,
            "project_id": caller.project_id,
            "user_id": caller.user_id,
            "created_at": now,
            "updated_at": now,
            "launched_at": None,
            "vm_state": "building",
            "task_state": "scheduling",
            "power_state": NOSTATE,
            "flavor": {key: value for key, value in flavor.items() if key not in ("access", "is_public", "description")},
            "image_ref": image["id"] if image else "",
            "key_name": server.get("key_name"),
            "user_data": server.get("user_data"),
            "config_drive": "True" if is_true(server.get("config_drive", False)) else "",
            "metadata": dict(server.get("metadata", {})),
            "tags": list(dict.fromkeys(server.get("tags", []))),
            "availability_zone": zone,
            "requested_host": host,
            "trusted_certs": server.get("trusted_image_certificates"),
            "access_ip_v4": server.get("accessIPv4"),
            "access_ip_v6": server.get("accessIPv6"),
            "disk_config": server.get("OS-DCF:diskConfig", "MANUAL"),
            "security_groups": [group["name"] for group in server.get("security_groups", [])],
            "host": None,
            "locked_by": None,
            "locked_reason": None,
            "fault": None,
            "number": 1 + len(self.nova.servers.table) + len(self.nova.servers.deleted),
            "reservation_id": f"r-{uuid.uuid4().hex[:8]}",
        }


def first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value)


def check_minimum(flavor: Row, properties: dict[str, Any], from_image: bool) -> None:
    """min_ram counts for image metadata of a boot volume too; min_disk only for a local root disk."""
    if flavor["ram"] < int(properties.get("min_ram") or 0):
        raise refusals.bad_request("Flavor's memory is too small for requested image.")
    if from_image and 0 < flavor["disk"] < int(properties.get("min_disk") or 0):
        raise refusals.bad_request("Flavor's disk is too small for requested image.")
