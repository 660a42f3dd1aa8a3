"""Compares a tenant's servers on the target with its inventory file, by the tables of the simulated clouds: by none of Millpond's own code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.story.stage import Stage
from tests.story.worlds import INVENTORY

Row = dict[str, Any]
SPEC = ("vcpus", "ram", "disk", "ephemeral", "swap", "extra_specs")


class Comparison:
    """`was` yields what the inventory says of each server that moved, `now` what the target has, by source id, in the same words."""

    def __init__(self, stage: Stage) -> None:
        self.tables = stage.sandbox.control.dump()
        self.inventory: Row = yaml.load((stage.directory / INVENTORY).read_text(), yaml.CSafeLoader)["spec"]
        self.staying = {entry["server"] for entry in stage.manifest.get("exclude", []) if "server" in entry}
        self.image_metadata = {"hw_machine_type": "pc"}

    def listed(self, kind: str) -> list[Row]:
        return list(self.inventory.get(kind, []))

    def row(self, table: str, id: str) -> Row:
        return next(row for row in self.tables[table] if row["id"] == id)

    def was(self) -> dict[str, Row]:
        return {server["id"]: self._was(server) for server in self.listed("servers") if server["name"] not in self.staying}

    def now(self) -> dict[str, Row]:
        return {row["metadata"]["millpond:source"]: self._now(row) for row in self.tables["target/nova/servers"]}

    def _was(self, server: Row) -> Row:
        live = self.row("source/nova/servers", server["id"])
        ports = {port["id"]: port for port in self.listed("ports")}
        volumes = {volume["id"]: volume for volume in self.listed("volumes")}
        groups = {group["id"]: group for group in self.listed("server_groups")}
        keys = {(key["user_id"], key["name"]): key["public_key"] for key in self.listed("key_pairs")}
        group = groups.get(server.get("server_group_id", ""))
        return {
            "name": server["name"],
            "hostname": server["hostname"],
            "description": server.get("description", ""),
            "flavor": _spec(server["flavor"]),
            "key_name": server.get("key_name", ""),
            "public_key": keys.get((server["user_id"], server.get("key_name", "")), ""),
            "config_drive": server.get("config_drive", False),
            "user_data": live["user_data"],
            "metadata": server.get("metadata", {}),
            "tags": sorted(server.get("tags", [])),
            "server_group": (group["name"], group["policy"]) if group else None,
            "power": 4 if server.get("status") == "SHUTOFF" else 1,
            "locked": server.get("locked", False),
            "ports": [self._port_was(ports[id]) for id in server["port_ids"]],
            "volumes": [self._volume_was(volumes[disk["volume_id"]]) for disk in server["volumes"]],
        }

    def _now(self, row: Row) -> Row:
        groups = [group for group in self.tables["target/nova/server_groups"] if row["id"] in group["members"]]
        return {
            "name": row["name"],
            "hostname": row["hostname"],
            "description": row["description"] or "",
            "flavor": _spec(row["flavor"]),
            "key_name": row["key_name"] or "",
            "public_key": row["key_data"] or "",
            "config_drive": bool(row["config_drive"]),
            "user_data": row["user_data"],
            "metadata": {key: value for key, value in row["metadata"].items() if not key.startswith("millpond")},
            "tags": sorted(row["tags"]),
            "server_group": (groups[0]["name"], groups[0]["policy"]) if groups else None,
            "power": row["power_state"],
            "locked": row["locked_by"] is not None,
            "ports": [self._port_now(self.row("target/neutron/ports", nic["port_id"])) for nic in row["nics"]],
            "volumes": [self._volume_now(self.row("target/cinder/volumes", disk["volume_id"])) for disk in row["volumes"]],
        }

    def _port_was(self, port: Row) -> Row:
        names = {group["id"]: group["name"] for group in self.listed("security_groups")}
        networks = {network["id"]: network["name"] for network in self.listed("networks")}
        subnets = {subnet["id"]: subnet["cidr"] for subnet in self.listed("subnets")}
        return _port(port, names, networks, subnets)

    def _port_now(self, port: Row) -> Row:
        names = {group["id"]: group["name"] for group in self.tables["target/neutron/security_groups"]}
        networks = {network["id"]: network["name"] for network in self.tables["target/neutron/networks"]}
        subnets = {subnet["id"]: subnet["cidr"] for subnet in self.tables["target/neutron/subnets"]}
        return _port(port, names, networks, subnets)

    def _volume_was(self, volume: Row) -> Row:
        bootable = volume.get("bootable", False)
        return {
            "name": volume.get("name", ""),
            "description": volume.get("description", ""),
            "size": volume["size"],
            "bytes": self._disk("source", "ibox-a", volume["id"])["size"],
            "type": volume["volume_type"],
            "bootable": bootable,
            "multiattach": volume.get("multiattach", False),
            "metadata": volume.get("metadata", {}),
            "image_metadata": {**(self.image_metadata if bootable else {}), **volume.get("image_metadata", {})},
            "content": self._disk("source", "ibox-a", volume["id"])["content"]["chain"],
        }

    def _volume_now(self, row: Row) -> Row:
        return {
            "name": row["name"],
            "description": row["description"] or "",
            "size": row["size"],
            "bytes": self._disk("target", "ibox-b", row["id"])["size"],
            "type": self.row("target/cinder/types", row["type_id"])["name"],
            "bootable": row["bootable"],
            "multiattach": row["multiattach"],
            "metadata": {key: value for key, value in row["metadata"].items() if not key.startswith("millpond")},
            "image_metadata": row["image_metadata"],
            "content": self._disk("target", "ibox-b", row["id"])["content"]["chain"],
        }

    def _disk(self, cloud: str, array: str, volume_id: str) -> Row:
        volume = self.row(f"{cloud}/cinder/volumes", volume_id)
        return next(row for row in self.tables[f"{array}/volumes"] if row["name"] == f"openstack-vol-{volume['name_id']}")

    def different(self) -> Iterator[str]:
        was, now = self.was(), self.now()
        for id in sorted(was.keys() | now.keys()):
            if id not in was or id not in now:
                yield f"{id} is on one side only"
                continue
            for key, value in was[id].items():
                if value != now[id][key]:
                    yield f"{was[id]['name']} {key}: {value!r} became {now[id][key]!r}"


def _spec(flavor: Row) -> Row:
    return {key: flavor.get(key, {} if key == "extra_specs" else 0) for key in SPEC}


def _port(port: Row, groups: Mapping[str, str], networks: Mapping[str, str], subnets: Mapping[str, str]) -> Row:
    pairs = port.get("allowed_address_pairs", [])
    return {
        "name": port.get("name", ""),
        "network": networks[port["network_id"]],
        "mac_address": port["mac_address"],
        "fixed_ips": sorted((subnets[ip["subnet_id"]], ip["ip_address"]) for ip in port["fixed_ips"]),
        "security_groups": sorted(groups[id] for id in port.get("security_groups", [])),
        "allowed_address_pairs": sorted((pair["ip_address"], pair.get("mac_address", port["mac_address"])) for pair in pairs),
        "port_security_enabled": port.get("port_security_enabled", True),
        "admin_state_up": port.get("admin_state_up", True),
    }
