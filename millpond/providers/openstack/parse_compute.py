"""Nova's answers as nouns. Field names: Nova API reference, microversions 2.60 to 2.96."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millpond.model.compute import AttachedVolume, Flavor, Server, ServerGroup
from millpond.model.cut_record import split_metadata
from millpond.model.identity import KeyPair, Quota
from millpond.model.secret import Secret
from millpond.providers.shapes import documented

Row = Mapping[str, Any]


@documented
def parse_server(row: Row) -> Server:
    """A row of GET /servers/detail. A server in a cell that is down has no more than id and status (2.69 on).

    Port ids, device names and the server group are not in it: `model.joining.join_servers` fills them.
    """
    metadata, record, marker = split_metadata(row.get("metadata") or {})
    user_data = row.get("OS-EXT-SRV-ATTR:user_data")
    image = row.get("image")
    return Server(
        id=row["id"],
        name=row.get("name") or "",
        flavor=parse_embedded_flavor(row.get("flavor") or {}),
        description=row.get("description") or "",
        hostname=row.get("OS-EXT-SRV-ATTR:hostname") or "",
        key_name=row.get("key_name") or "",
        user_id=row.get("user_id") or "",
        image_id=image["id"] if image else "",
        config_drive=row.get("config_drive") in (True, "True", "true"),
        has_user_data=bool(user_data),
        user_data=Secret(user_data) if user_data else None,
        metadata=metadata,
        tags=tuple(sorted(row.get("tags") or ())),
        availability_zone=row.get("OS-EXT-AZ:availability_zone") or "",
        locked=bool(row.get("locked")),
        nic_macs=nic_macs(row.get("addresses") or {}),
        root_device_name=row.get("OS-EXT-SRV-ATTR:root_device_name") or "",
        volumes=tuple(parse_attached(one) for one in row.get("os-extended-volumes:volumes_attached") or ()),
        status=row.get("status") or "",
        vm_state=row.get("OS-EXT-STS:vm_state") or "",
        task_state=_task_state(row),
        power_state=row.get("OS-EXT-STS:power_state") or 0,
        launched_at=row.get("OS-SRV-USG:launched_at") or "",
        updated_at=row.get("updated") or "",
        created_at=row.get("created") or "",
        fault=(row.get("fault") or {}).get("message") or "",
        marker=marker,
        record=record,
    )


def _task_state(row: Row) -> str:
    """A server that is gone but for its row is listed for a moment with no task (nova/compute/manager.py, _complete_deletion)."""
    return "deleting" if row.get("OS-EXT-STS:vm_state") == "deleted" else row.get("OS-EXT-STS:task_state") or ""


def nic_macs(addresses: Mapping[str, list[Row]]) -> tuple[str, ...]:
    """MACs in the order of the NICs: `addresses` is Nova's ordered network cache, one entry per fixed or floating address."""
    macs = (entry.get("OS-EXT-IPS-MAC:mac_addr") for entries in addresses.values() for entry in entries)
    return tuple(dict.fromkeys(mac.lower() for mac in macs if mac))


def parse_attached(row: Row) -> AttachedVolume:
    return AttachedVolume(volume_id=row["id"], delete_on_termination=bool(row.get("delete_on_termination")))


def parse_embedded_flavor(row: Row) -> Flavor:
    """The flavor inside a server (2.47 on): no id. `extra_specs` is there only where policy shows it."""
    return Flavor(name=row.get("original_name") or "", **_sizes(row), ephemeral=int(row.get("ephemeral") or 0))


@documented
def parse_flavor(row: Row, extra_specs: Mapping[str, str] | None = None) -> Flavor:
    """A row of GET /flavors/detail. `extra_specs` is given where the API is older than 2.61 and does not say it."""
    sizes = _sizes(row) if extra_specs is None else {**_sizes(row), "extra_specs": dict(extra_specs)}
    return Flavor(
        id=row["id"],
        name=row["name"],
        **sizes,
        ephemeral=int(row.get("OS-FLV-EXT-DATA:ephemeral") or 0),
        is_public=bool(row.get("os-flavor-access:is_public", True)),
        description=row.get("description") or "",
    )


def _sizes(row: Row) -> dict[str, Any]:
    sizes = {key: int(row.get(key) or 0) for key in ("vcpus", "ram", "disk", "swap")}
    return {**sizes, "extra_specs": dict(row.get("extra_specs") or {})}


@documented
def parse_server_group(row: Row) -> ServerGroup:
    """`policies` (a list of one) before 2.64, `policy` and `rules` from then on."""
    policies = row.get("policies") or [""]
    rules = {key: int(value) for key, value in (row.get("rules") or {}).items()}
    return ServerGroup(
        id=row["id"], name=row["name"], policy=row.get("policy") or policies[0], rules=rules, members=tuple(row.get("members") or ())
    )


@documented
def parse_key_pair(row: Row, user_id: str, user: str) -> KeyPair:
    pair = row["keypair"]
    return KeyPair(
        name=pair["name"],
        user_id=user_id,
        user=user,
        public_key=pair.get("public_key") or "",
        fingerprint=pair.get("fingerprint") or "",
        type=pair.get("type") or "ssh",
    )


@documented
def parse_detailed_quota(service: str, row: Row, used: str = "in_use") -> Quota:
    """A quota set of rows `{limit, <used>, reserved}`; what is reserved counts as used."""
    entries = {key: value for key, value in row.items() if isinstance(value, Mapping)}
    return Quota(
        service=service,
        limits={key: int(value["limit"]) for key, value in entries.items()},
        used={key: int(value.get(used) or 0) + int(value.get("reserved") or 0) for key, value in entries.items()},
    )
