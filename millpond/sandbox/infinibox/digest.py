"""What matters of an array, told by names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox import content

if TYPE_CHECKING:
    from millpond.sandbox.infinibox.array import InfiniBox


def digest(box: InfiniBox) -> Row:
    volumes = [volume(box, row) for row in box.volumes.table if row["type"] == "MASTER"]
    replicas = [replica(box, row) for row in box.replicas.table]
    return {
        "volumes": sorted(volumes, key=_order),
        "replicas": sorted(replicas, key=_order),
        "groups": sorted([row["name"], len(box.groups.members(row))] for row in box.groups.table if row["type"] == "MASTER"),
        "hosts": sorted([row["name"], len(box.hosts.luns_of_host(row["id"]))] for row in box.hosts.table),
    }


def volume(box: InfiniBox, row: Row) -> Row:
    luns = box.hosts.luns_of_volume(row["id"])
    return {
        "name": row["name"],
        "pool": box.pools.get(row["pool"])["name"],
        "size": row["size"],
        "content": content.version(row["content"]),
        "write_protected": row["write_protected"],
        "replicated": bool(row["replica_ids"]),
        "group": box.groups.get(row["group"])["name"] if row["group"] else None,
        "snapshots": len(box.volumes.children(row)),
        "hosts": sorted(box.hosts.get(lun["host"])["name"] for lun in luns),
        "metadata": dict(sorted(box.metadata.values(row["id"]).items())),
    }


def replica(box: InfiniBox, row: Row) -> Row:
    names = sorted(box.volumes.get(pair["local_entity_id"])["name"] for pair in row["entity_pairs"])
    initialised = all(pair["_initialised"] for pair in row["entity_pairs"])
    return {"volumes": names, "role": row["role"], "state": row["state"], "initialised": initialised}


def _order(row: Row) -> str:
    """Equal in two worlds that differ in ids alone: names hold ids, so they count last."""
    plain = {key: value for key, value in row.items() if key not in ("name", "volumes", "metadata")}
    return json.dumps([plain, str(row.get("name"))])
