"""What must never happen between two arrays, recorded the moment it does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox import content

if TYPE_CHECKING:
    from millpond.sandbox.infinibox.array import InfiniBox

GRACE = 60.0
"""Virtual seconds for which both sides may be writable where the firmware leaves no other way; no write may fall into them."""


class Watch:
    """Writes to the world's table "violations": kind, at (ms), where, detail."""

    def __init__(self, box: InfiniBox) -> None:
        self.box = box
        self.table = box.world.store.table("violations")
        box.world.events.on(f"{box.name}/still_writable", self._still_writable)

    def record(self, kind: str, detail: str) -> None:
        self.table.insert({"id": uuid.uuid4().hex, "kind": kind, "at": self.box.world.clock.ms(), "where": self.box.name, "detail": detail})

    def roles_changed(self, replica: Row) -> None:
        """Both sides writable is a violation at once, or after a grace where the firmware refuses two targets."""
        if not self._both_writable(replica):
            return
        if self.box.both_targets_allowed:
            self.record("both_sides_writable", self._named(replica))
        else:
            self.box.world.events.at(GRACE, f"{self.box.name}/still_writable", replica_id=replica["id"])

    def _still_writable(self, replica_id: str) -> None:
        replica = self.box.replicas.table.get(replica_id)
        if replica is not None and self._both_writable(replica):
            self.record("both_sides_writable", self._named(replica))

    def promoted(self, replica: Row) -> None:
        """A forward cut must not lose what the source accepted after the snapshot that is now the truth."""
        if replica["origin"] != "TARGET":
            return
        for pair in replica["entity_pairs"]:
            mine = self.box.volumes.get(pair["local_entity_id"])
            theirs = self.box.peer_of(replica).volumes.get(pair["remote_entity_id"])
            if mine["content"] != theirs["content"]:
                lost = f"{content.version(theirs['content'])} against {content.version(mine['content'])}"
                self.record("write_lost", f"{mine['name']} was promoted without what {theirs['name']} holds: {lost}")

    def written(self, volume: Row) -> None:
        """A write while the other side could be written too splits the data for good."""
        for id in volume["replica_ids"]:
            replica = self.box.replicas.get(id)
            if not self.box.both_targets_allowed and self._both_writable(replica):
                self.record("both_sides_writable", f"{self._named(replica)}: {volume['name']} was written")

    def _both_writable(self, replica: Row) -> bool:
        peer = self.box.peer_of(replica)
        other = peer.replicas.table.get(str(replica["remote_replica_id"]))
        return replica["role"] == "SOURCE" and other is not None and other["role"] == "SOURCE"

    def _named(self, replica: Row) -> str:
        names = [self.box.volumes.get(pair["local_entity_id"])["name"] for pair in replica["entity_pairs"]]
        return f"replica {replica['id']} of {', '.join(names)}"
