"""Consistency groups and their snapshot groups. All members of a group live in its pool."""

from collections.abc import Mapping
from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.collection import Collection, Id
from millpond.sandbox.infinibox.refusal import conflict


class Groups(Collection):
    kind = "cgs"
    singular = "CG"
    hidden = frozenset({"pool", "parent"})

    def create(self, name: str, pool_id: Id) -> Row:
        self.claim_name(name)
        return self._insert(name, self.box.pools.get(pool_id)["id"], "MASTER", "")

    def snapshot(self, name: str, parent_id: Id, prefix: str = "", suffix: str = "") -> Row:
        """A snapshot group: one snapshot per member, all of one moment."""
        self.claim_name(name)
        parent = self.get(parent_id)
        row = self._insert(name, parent["pool"], "SNAPSHOT", parent["id"])
        for member in self.members(parent):
            self.box.volumes.snapshot(f"{prefix}{member['name']}{suffix or '_' + row['id']}", member["id"], group=row["id"])
        return row

    def _insert(self, name: str, pool: str, type: str, parent: str) -> Row:
        return self.add(
            name=name,
            pool=pool,
            type=type,
            parent=parent,
            replica_ids=[],
            rmr_snapshot_guid=None,
            lock_state="UNLOCKED",
            lock_expires_at=None,
            tenant_id=1,
        )

    def members(self, row: Row) -> list[Row]:
        return self.box.volumes.table.where(group=row["id"])

    def member(self, id: Id, volume_id: Id) -> Row:
        row, volume = self.get(id), self.box.volumes.get(volume_id)
        if volume["group"] != row["id"]:
            raise conflict("NOT_A_MEMBER", f"Volume {volume['name']} is no member of {row['name']}")
        return volume

    def add_member(self, id: Id, volume_id: Id, pair: Mapping[str, Any] | None = None) -> Row:
        """Adds a volume. A replicated group needs the `replication_pair_info` of the new pair, which is then copied in full.

        Invented: without that information the request is refused; the whole group is initialising until the new pair is copied,
        and its running job begins anew.
        """
        row, volume = self.get(id), self.box.volumes.get(volume_id)
        self._check_new_member(row, volume)
        if row["replica_ids"]:
            self.box.roles.add_pair(row, volume, pair)
        self.join(row, volume)
        return volume

    def _check_new_member(self, row: Row, volume: Row) -> None:
        if volume["group"]:
            raise conflict("VOLUME_IN_CONSISTENCY_GROUP", f"Volume {volume['name']} is already in a consistency group")
        if volume["type"] != "MASTER":
            raise conflict("VOLUME_IS_SNAPSHOT", "Only master volumes join a consistency group")
        if volume["pool"] != row["pool"]:
            raise conflict("CG_POOL_MISMATCH", f"Volume {volume['name']} is in another pool than consistency group {row['name']}")
        self.box.volumes.refuse_replicated(volume, "added to a consistency group")

    def join(self, row: Row, volume: Row) -> None:
        self.box.volumes.change(volume["id"], group=row["id"])

    def remove_member(self, id: Id, volume_id: Id, retain: bool = False, create_replica: bool = False) -> Row:
        """Takes a volume out. From a replicated group its pair is dissolved, or lives on as a replica of its own."""
        row, volume = self.get(id), self.member(id, volume_id)
        if row["replica_ids"]:
            self.box.roles.remove_pair(row, volume, retain, create_replica)
        return self.box.volumes.change(volume["id"], group="")

    def delete(self, id: Id, delete_members: bool = False) -> Row:
        row = self.get(id)
        self.refuse_replicated(row, "deleted")
        for child in self.table.where(parent=row["id"]):
            self.delete(child["id"], delete_members=True)
        for member in self.members(row):
            self.box.volumes.change(member["id"], group="")
            if delete_members:
                self.box.volumes.delete(member["id"])
        self.box.metadata.clear(row["id"])
        self.remove(id)
        return row

    def restore(self, id: Id, source_id: Id) -> Row:
        row, source = self.get(id), self.get(source_id)
        self.refuse_replicated(row, "restored")
        for snapshot in self.members(source):
            if self.box.volumes.get(snapshot["parent"])["group"] == row["id"]:
                self.box.volumes.restore(snapshot["parent"], snapshot["id"])
        return row

    def move(self, id: Id, pool_id: Id) -> Row:
        row, pool = self.get(id), self.box.pools.get(pool_id)
        for member in self.members(row):
            for one in (member, *self.box.volumes.children(member)):
                self.box.volumes.change(one["id"], pool=pool["id"])
        return self.change(id, pool=pool["id"])

    def refuse_replicated(self, row: Row, done: str) -> None:
        if row["replica_ids"]:
            raise conflict("ENTITY_IS_REPLICATED", f"Consistency group {row['name']} is replicated and cannot be {done}")

    def wire(self, row: Row) -> Row:
        return {
            **super().wire(row),
            "pool_id": int(row["pool"]),
            "pool_name": self.box.pools.get(row["pool"])["name"],
            "parent_id": int(row["parent"] or 0),
            "members_count": len(self.members(row)),
            "is_replicated": bool(row["replica_ids"]),
            "replication_types": ["ASYNC"] if row["replica_ids"] else [],
            "has_children": bool(self.table.where(parent=row["id"])),
        }
