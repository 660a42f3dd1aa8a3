"""Nova's share of the world's digest."""

from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row

if TYPE_CHECKING:
    from millpond.sandbox.nova.service import NovaService

SERVER = [
    "name",
    "hostname",
    "description",
    "project_id",
    "user_id",
    "vm_state",
    "task_state",
    "power_state",
    "flavor",
    "image_ref",
    "root_device_name",
    "key_name",
    "user_data",
    "config_drive",
    "metadata",
    "tags",
    "availability_zone",
    "access_ip_v4",
    "access_ip_v6",
    "disk_config",
    "locked_by",
    "locked_reason",
]


def digest(nova: "NovaService") -> dict[str, Any]:
    """Without hosts, which the order of arrival decides, and without key pair numbers, faults and actions."""
    return {
        "servers": by_text(server(nova, row) for row in nova.servers.table),
        "flavors": by_text(nova.flavors.table),
        "keypairs": by_text(picked(row, ("name", "user_id", "public_key", "type")) for row in nova.keypairs.table),
        "server_groups": by_text(
            {**picked(row, ("name", "policy", "rules", "project_id")), "members": sorted(row["members"])}
            for row in nova.server_groups.table
        ),
        "quotas": by_text(nova.quotas.table),
    }


def server(nova: "NovaService", row: Row) -> Row:
    devices = [picked(device, ("volume_id", "device", "boot_index", "delete_on_termination", "attached")) for device in row["volumes"]]
    ports = [nic["port_id"] for nic in row["nics"]]
    group = nova.server_groups.of(row["id"])
    return {**picked(row, SERVER), "volumes": devices, "ports": ports, "server_group": group["id"] if group else None}


def picked(row: Row, names: Any) -> Row:
    return {name: row[name] for name in names}


def by_text(rows: Any) -> list[Any]:
    return sorted(rows, key=str)
