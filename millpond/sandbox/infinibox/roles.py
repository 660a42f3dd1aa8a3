"""What is done to a replica once it exists: sync, suspend, resume, change of role, expose, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.collection import Id
from millpond.sandbox.infinibox.pairing import Checks
from millpond.sandbox.infinibox.refusal import Refusal, bad_request, conflict
from millpond.sandbox.infinibox.replicas import SOURCE, TARGET, mirrored, torn_unless_initialised

if TYPE_CHECKING:
    from millpond.sandbox.infinibox.array import InfiniBox


@dataclass(frozen=True)
class Deletion:
    """The query of DELETE replicas/<id>."""

    retain_staging_area: bool = True
    force_on_target: bool = False
    force_if_remote_error: bool = False


class Roles:
    """Acts on the side it belongs to; only `delete`, `add_pair` and `remove_pair` touch the peer. Invented: the error codes."""

    def __init__(self, box: InfiniBox) -> None:
        self.box = box

    def sync(self, id: Id) -> Row:
        """Starts a job now. Invented: while one runs, the request waits for its end; a second one that waits is the same."""
        row = self._source(id)
        if row["state"] != "ACTIVE":
            raise conflict("REPLICA_NOT_ACTIVE", "A suspended replica is not synchronised")
        if not row["job"]:
            return self.box.jobs.wire(self.box.jobs.begin(row))
        self.box.replicas.table.update(row["id"], pending=True)
        return {**self.box.jobs.wire(row["job"]), "state": "PENDING", "start_time": None}

    def suspend(self, id: Id) -> Row:
        """Stops the running job and cancels further ones."""
        row = self._source(id)
        if row["state"] != "ACTIVE":
            raise conflict("REPLICA_NOT_ACTIVE", "The replica is suspended already")
        self.box.jobs.abort(row)
        self.box.jobs.next_pending()
        return self.box.replicas.change(row["id"], state="SUSPENDED", state_reason="USER_REQUEST")

    def resume(self, id: Id) -> Row:
        """Goes on towards a peer that is a target. What the peer holds beyond the last common point is overwritten."""
        row = self._source(id)
        if row["state"] == "ACTIVE":
            raise conflict("REPLICA_IS_ACTIVE", "The replica is active already")
        self.box.links.require_up()
        twin = self.box.replicas.twin(row)
        if twin is None or twin["role"] != TARGET:
            raise conflict("REPLICA_ROLE_CONFLICT", "The remote side is not a target")
        self.box.replicas.change(row["id"], state="ACTIVE", state_reason=None, state_description=None)
        self.box.jobs.begin(row)
        return row

    def change_role(self, id: Id) -> Row:
        """Turns this side's role over; the other side keeps its own. Refused while the source side is active."""
        row = self.box.replicas.get(id)
        return self._to_target(row) if row["role"] == SOURCE else self._to_source(row)

    def _to_target(self, row: Row) -> Row:
        twin = self.box.replicas.twin(row)
        if row["state"] == "ACTIVE":
            raise conflict("REPLICA_NOT_SUSPENDED", "Suspend the replica before changing its role")
        if twin is not None and twin["role"] == TARGET and not self.box.both_targets_allowed:
            raise conflict("REPLICA_ROLE_CONFLICT", "The remote side is a target already")
        return self._turn(row, TARGET, None)

    def _to_source(self, row: Row) -> Row:
        twin = self.box.replicas.twin(row)
        if twin is not None and twin["state"] == "ACTIVE" and self.box.links.is_up():
            raise conflict("REPLICA_NOT_SUSPENDED", "Suspend the replica on the source before changing its role")
        if any(not pair["_initialised"] for pair in row["entity_pairs"]):
            raise conflict("REPLICA_NOT_CONSISTENT", "The target has no consistent data yet")
        self._turn(row, SOURCE, "SUSPENDED")
        self.box.watch.promoted(row)
        self.box.watch.roles_changed(row)
        return row

    def _turn(self, row: Row, role: str, state: str | None) -> Row:
        self.box.replicas.change(row["id"], role=role, state=state, state_reason="ROLE_CHANGED" if state else None)
        for pair in row["entity_pairs"]:
            self.box.replicas.mark_volume(row, pair)
        self.box.log.add_event("REPLICA_ROLE_CHANGED", "INFO", f"Replica {row['id']} is now {role}")
        return row

    def switch_role(self, id: Id) -> Row:
        self.box.replicas.get(id)
        raise conflict("REPLICA_IS_NOT_SYNC", "Only a synchronous replica switches roles in one step")

    def expose(self, id: Id) -> Row:
        """A snapshot of the last consistent point of a target, which goes on being one."""
        row = self.box.replicas.get(id)
        if row["role"] != TARGET or any(not pair["_initialised"] for pair in row["entity_pairs"]):
            raise conflict("REPLICA_NOT_CONSISTENT", "Only a target that was synchronised has a consistent snapshot")
        shown = self.box.replicas.wire(row)
        suffix = f"-exposed-{self.box.next_id()}"
        if row["local_cg_id"]:
            group = self.box.groups.get(row["local_cg_id"])
            return {
                **shown,
                "_local_reclaimed_sg_id": int(self.box.groups.snapshot(group["name"] + suffix, group["id"], suffix=suffix)["id"]),
            }
        pair = shown["entity_pairs"][0]
        snapshot = self.box.volumes.snapshot(pair["local_entity_name"] + suffix, pair["local_entity_id"])
        return {**shown, "entity_pairs": [{**pair, "_local_reclaimed_snapshot_id": int(snapshot["id"])}]}

    def delete(self, id: Id, options: Deletion) -> Row:
        """Dissolves the pair on both sides: all volumes return to regular use with what they hold. Answers as the replica was.

        Invented: the target side wants `force_on_target`; with the link down `force_if_remote_error` leaves the other side behind.
        """
        row = self.box.replicas.get(id)
        if row["role"] == TARGET and not options.force_on_target:
            raise conflict("REPLICA_IS_TARGET", "Delete the replica on its source, or force it")
        reachable = self.box.links.is_up()
        if not reachable and not options.force_if_remote_error:
            self.box.links.require_up()
        answer, peer, twin = self.box.replicas.wire(row), self.box.peer_of(row), self.box.replicas.twin(row) if reachable else None
        kept = [self._dissolve(row, twin, pair, options.retain_staging_area) for pair in row["entity_pairs"]]
        for box, side in ((self.box, row), (peer, twin)):
            if side is not None:
                box.jobs.abort(side)
                if side["local_cg_id"]:
                    box.groups.change(side["local_cg_id"], replica_ids=[])
                box.replicas.remove(side["id"])
                box.jobs.next_pending()
        self.box.log.add_event("REPLICA_DELETED", "INFO", f"Replica {id} was deleted")
        pairs = [{**pair, **snapshots} for pair, snapshots in zip(answer["entity_pairs"], kept, strict=True)]
        return {**answer, "entity_pairs": pairs}

    def _dissolve(self, row: Row, twin: Row | None, pair: Row, retain: bool) -> Row:
        peer = self.box.peer_of(row)
        here = self._keep_base(self.box, pair, f"{row['id']}") if retain else None
        other = next((one for one in mirrored([pair]) if twin is not None), None)
        there = None
        if other is not None and twin is not None:
            memory = next(one for one in twin["entity_pairs"] if one["local_entity_id"] == other["local_entity_id"])
            there = self._keep_base(peer, memory, f"{twin['id']}") if retain else None
            self._break_off(row, twin, pair)
            peer.replicas.release_volume(memory)
        self.box.replicas.release_volume(pair)
        return {"_local_reclaimed_snapshot_id": here, "_remote_reclaimed_snapshot_id": there}

    def _keep_base(self, box: InfiniBox, pair: Row, suffix: str) -> int | None:
        if not pair["_initialised"] or pair["_base"] is None:
            return None
        volume = box.volumes.get(pair["local_entity_id"])
        snapshot = box.volumes.snapshot(f"{volume['name']}-base-{suffix}", volume["id"], write_protected=True)
        box.volumes.change(snapshot["id"], content=pair["_base"])
        return int(snapshot["id"])

    def _break_off(self, row: Row, twin: Row, pair: Row) -> None:
        """Tears the target of a pair whose first copy has begun and not ended."""
        source, target = (self.box, self.box.peer_of(row)) if row["role"] == SOURCE else (self.box.peer_of(row), self.box)
        job = row["job"] or twin["job"]
        if pair["_initialised"] or not job or job["state"] == "PENDING":
            return
        mine, theirs = (pair, mirrored([pair])[0]) if row["role"] == SOURCE else (mirrored([pair])[0], pair)
        torn_unless_initialised(target, theirs, source.volumes.get(mine["local_entity_id"])["content"])

    # Members of a replicated consistency group.

    def add_pair(self, group: Row, volume: Row, info: Mapping[str, Any] | None) -> None:
        row = self._source(self.box.replicas.of_group(group)["id"])
        if not info:
            raise bad_request(
                "REPLICATION_PAIR_INFO_REQUIRED", "The consistency group is replicated: name the remote entity of its new member"
            )
        self.box.links.require_up()
        peer = self.box.peer_of(row)
        remote_cg = peer.groups.get(row["remote_cg_id"])
        pairing = Checks(self.box, peer).pairing({**info, "local_entity_id": int(volume["id"])}, peer.pools.get(remote_cg["pool"]), None)
        if pairing.remote is not None and (pairing.remote["group"] or pairing.remote["pool"] != remote_cg["pool"]):
            raise conflict("CG_POOL_MISMATCH", f"Volume {pairing.remote['name']} cannot join the remote consistency group")
        pair = self.box.replicas.pair(peer, pairing, peer.pools.get(remote_cg["pool"]), remote_cg)
        running = bool(row["job"])
        self.box.jobs.abort(row)
        self.box.replicas.set_pairs(row, [*row["entity_pairs"], pair])
        twin = self.box.replicas.twin(row)
        self.box.replicas.mark_volume(row, pair)
        if twin is not None:
            peer.replicas.mark_volume(twin, twin["entity_pairs"][-1])
        if row["state"] == "ACTIVE" or running:
            self.box.jobs.begin(row)

    def remove_pair(self, group: Row, volume: Row, retain: bool, create_replica: bool) -> None:
        """Invented: the group's running job begins anew; the last member cannot leave a replicated group."""
        row = self.box.replicas.of_group(group)
        self.box.links.require_up()
        if create_replica:
            raise Refusal(501, "NOT_SUPPORTED", "A member does not keep its replica when it leaves its group")
        if len(row["entity_pairs"]) == 1:
            raise conflict("CG_LAST_MEMBER", "The last member of a replicated consistency group cannot be removed")
        peer, twin = self.box.peer_of(row), self.box.replicas.twin(row)
        pair = next(one for one in row["entity_pairs"] if one["local_entity_id"] == int(volume["id"]))
        self._dissolve(row, twin, pair, retain)
        self.box.jobs.abort(row)
        peer.volumes.change(pair["remote_entity_id"], group="")
        self.box.replicas.set_pairs(row, [one for one in row["entity_pairs"] if one is not pair])
        if row["state"] == "ACTIVE":
            self.box.jobs.begin(row)

    def _source(self, id: Id) -> Row:
        row = self.box.replicas.get(id)
        if row["role"] != SOURCE:
            raise conflict("REPLICA_IS_TARGET", "Only the source side of a replica does this")
        return row
