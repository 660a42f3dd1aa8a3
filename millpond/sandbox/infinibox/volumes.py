"""Volumes and their snapshots, what is written to them, and what the array refuses while they are replicated."""

from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox import content
from millpond.sandbox.infinibox.collection import Collection, Id
from millpond.sandbox.infinibox.firmware import MIB
from millpond.sandbox.infinibox.refusal import Refusal, bad_request, conflict


class Volumes(Collection):
    """Hidden fields: `pool`, `parent`, `group` are ids; `content` is the data; `unsynced` bytes written since the pair was equal."""

    kind = "volumes"
    singular = "VOLUME"
    hidden = frozenset({"pool", "parent", "group", "content", "unsynced"})

    def create(
        self,
        name: str,
        pool_id: Id,
        size: int,
        provtype: str = "THICK",
        write_protected: bool = False,
        compression_enabled: bool | None = None,
    ) -> Row:
        """Sizes in bytes, whole blocks of 512. Invented: the codes of the capacity refusals."""
        self.claim_name(name)
        pool = self.box.pools.get(pool_id)
        if size <= 0 or size % 512:
            raise bad_request("VOLUME_SIZE_INVALID", f"{size} is no multiple of 512 bytes")
        if provtype not in ("THIN", "THICK"):
            raise bad_request("BAD_REQUEST", f"Unknown provisioning type {provtype}")
        if size > self.box.pools.free_virtual(pool):
            raise conflict("POOL_VIRTUAL_CAPACITY_EXCEEDED", f"Pool {pool['name']} has no virtual space for {size} bytes")
        if provtype == "THICK" and size > self.box.pools.free_physical(pool):
            raise conflict("POOL_PHYSICAL_CAPACITY_EXCEEDED", f"Pool {pool['name']} has no space for {size} bytes")
        compressed = pool["compression_enabled"] if compression_enabled is None else compression_enabled
        return self._insert(name, pool["id"], size, provtype, write_protected, compressed, data=content.EMPTY, used=0)

    def snapshot(self, name: str, parent_id: Id, write_protected: bool = False, group: str = "") -> Row:
        """A snapshot of what the volume holds now; allowed on both sides of a replica."""
        self.claim_name(name)
        parent = self.get(parent_id)
        row = self._insert(
            name,
            parent["pool"],
            parent["size"],
            "THIN",
            write_protected,
            parent["compression_enabled"],
            data=parent["content"],
            used=0,
        )
        return self.change(
            row["id"], type="SNAPSHOT", parent=parent["id"], family_id=parent["family_id"], group=group, depth=parent["depth"] + 1
        )

    def _insert(
        self,
        name: str,
        pool: str,
        size: int,
        provtype: str,
        write_protected: bool,
        compressed: bool,
        data: content.Content,
        used: int,
    ) -> Row:
        row = self.add(
            name=name,
            pool=pool,
            size=size,
            provtype=provtype,
            type="MASTER",
            parent="",
            group="",
            family_id=0,
            depth=0,
            write_protected=write_protected,
            compression_enabled=compressed,
            used=used,
            content=data,
            unsynced=0,
            rmr_source=False,
            rmr_target=False,
            replica_ids=[],
            qos_policy_id=0,
            serial="",
        )
        return self.change(row["id"], family_id=int(row["id"]), serial=self.box.serial_of(int(row["id"])))

    def resize(self, id: Id, size: int) -> Row:
        """Invented: a replicated volume is not resized; older firmware needs the pair broken and made anew."""
        row = self.get(id)
        self.refuse_replicated(row, "resized")
        if size < row["size"]:
            raise conflict("VOLUME_SHRINK_NOT_ALLOWED", "A volume does not shrink")
        if size - row["size"] > self.box.pools.free_virtual(self.box.pools.get(row["pool"])):
            raise conflict("POOL_VIRTUAL_CAPACITY_EXCEEDED", "The pool has no virtual space for the new size")
        return self.change(id, size=size)

    def protect(self, id: Id, write_protected: bool) -> Row:
        if self.get(id)["rmr_target"] and not write_protected:
            raise conflict("VOLUME_IS_REPLICATION_TARGET", "A replication target cannot be write-enabled")
        return self.change(id, write_protected=write_protected)

    def move(self, id: Id, pool_id: Id) -> Row:
        row, pool = self.get(id), self.box.pools.get(pool_id)
        if row["group"]:
            raise conflict("VOLUME_IN_CONSISTENCY_GROUP", "Members of a consistency group move with it")
        if row["type"] != "MASTER":
            raise conflict("VOLUME_IS_SNAPSHOT", "A snapshot moves with its volume")
        for one in (row, *self.children(row)):
            self.change(one["id"], pool=pool["id"])
        return row

    def restore(self, id: Id, snapshot_id: Id) -> Row:
        row, snapshot = self.get(id), self.get(snapshot_id)
        self.refuse_replicated(row, "restored")
        if snapshot["parent"] != row["id"]:
            raise conflict("SNAPSHOT_OF_OTHER_VOLUME", "The snapshot belongs to another volume")
        return self.change(id, content=snapshot["content"])

    def delete(self, id: Id) -> Row:
        """Takes the snapshots along (the caller has asked for approval). Invented: a mapped volume is refused."""
        row = self.get(id)
        family = [row, *self.children(row)]
        for one in family:
            self.refuse_replicated(one, "deleted")
            if self.box.hosts.luns_of_volume(one["id"]):
                raise conflict("VOLUME_IS_MAPPED", f"Volume {one['name']} is mapped")
            if one["group"] and one["type"] == "MASTER":
                raise conflict("VOLUME_IN_CONSISTENCY_GROUP", f"Volume {one['name']} is a member of a consistency group")
        for one in reversed(family):
            self.box.metadata.clear(one["id"])
            self.remove(one["id"])
        return row

    def children(self, row: Row) -> list[Row]:
        """All snapshots below the volume, parents first."""
        direct = self.table.where(parent=row["id"])
        return [one for child in direct for one in (child, *self.children(child))]

    def refuse_replicated(self, row: Row, done: str) -> None:
        if row["replica_ids"]:
            raise conflict("ENTITY_IS_REPLICATED", f"Volume {row['name']} is replicated and cannot be {done}")

    def write(self, id: Id, data: str, size: int = MIB) -> Row:
        """A host's write of `size` bytes. Refused when no host sees the volume, when it is write-protected, or when its pool is full."""
        row = self.get(id)
        if not self.box.hosts.luns_of_volume(row["id"]):
            raise conflict("VOLUME_NOT_MAPPED", f"No host sees volume {row['name']}")
        if row["write_protected"]:
            raise conflict("VOLUME_WRITE_PROTECTED", f"Volume {row['name']} is write protected")
        return self.fill(id, data, size)

    def fill(self, id: Id, data: str, size: int = MIB) -> Row:
        """What `write` does once it may; a seeded world uses it for data that was there before."""
        row = self.get(id)
        used = min(row["size"], row["used"] + size)
        if used - row["used"] > self.box.pools.free_physical(self.box.pools.get(row["pool"])):
            raise Refusal(507, "POOL_OUT_OF_SPACE", "The pool is full")
        self.box.watch.written(row)
        changed = min(row["size"], row["unsynced"] + size)
        return self.change(id, content=content.written(row["content"], data), used=used, unsynced=changed)

    def replace(self, id: Id, data: content.Content, used: int) -> Row:
        """What a finished replication job does to its target."""
        return self.change(id, content=data, used=used, unsynced=0)

    def wire(self, row: Row) -> Row:
        pool = self.box.pools.get(row["pool"])
        return {
            **super().wire(row),
            "pool_id": int(row["pool"]),
            "pool_name": pool["name"],
            "parent_id": int(row["parent"] or 0),
            "cg_id": int(row["group"]) if row["group"] else None,
            "has_children": bool(self.table.where(parent=row["id"])),
            "mapped": bool(self.box.hosts.luns_of_volume(row["id"])),
            "allocated": row["size"] if row["provtype"] == "THICK" else row["used"],
            **self._fixed(row),
        }

    def _fixed(self, row: Row) -> dict[str, Any]:
        return {
            "dataset_type": "VOLUME",
            "num_blocks": row["size"] // 512,
            "tree_allocated": row["used"],
            "capacity_savings": 0,
            "compression_suppressed": False,
            "ssd_enabled": True,
            "rmr_active_active_peer": False,
            "rmr_snapshot_guid": None,
            "data_snapshot_guid": None,
            "replication_types": ["ASYNC"] if row["replica_ids"] else [],
            "lock_state": "UNLOCKED",
            "lock_expires_at": None,
            "paths_available": True,
            "nguid": row["serial"],
            "tenant_id": 1,
        }
