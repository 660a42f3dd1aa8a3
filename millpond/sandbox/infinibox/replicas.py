"""Replicas: one row on each array, joined by `remote_replica_id`, each with its own role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox import content
from millpond.sandbox.infinibox.collection import Collection, Id
from millpond.sandbox.infinibox.firmware import DEFAULT_SYNC_INTERVAL, MINIMUM_INTERVAL
from millpond.sandbox.infinibox.pairing import Checks, Pairing, Plan
from millpond.sandbox.infinibox.refusal import bad_request, conflict

if TYPE_CHECKING:
    from millpond.sandbox.infinibox.array import InfiniBox

SOURCE, TARGET = "SOURCE", "TARGET"


class Replicas(Collection):
    """Hidden fields: `link` as a string, `origin` the role it was made with, `job` the running job, `due` and `next_job` the scheduled one,
    `pending` a manual sync that waits for the running job. Pair fields with an underscore are the array's own."""

    kind = "replicas"
    singular = "REPLICA"
    hidden = frozenset({"link", "origin", "job", "due", "next_job", "pending"})

    # Making and dissolving.

    def create(self, body: Mapping[str, Any]) -> Row:
        """POST replicas: makes both sides, their target volumes and group where asked for, and starts the first job."""
        link = self.box.links.get(body.get("link_id") or 0)
        self.box.links.require_up()
        peer = self.box.arrays[link["peer"]]
        plan = Checks(self.box, peer).plan(body)
        interval = _interval(body)
        for box in (self.box, peer):
            if len(box.replicas.table) >= box.world.settings.limits.replicas:
                raise conflict("REPLICAS_LIMIT_REACHED", f"System {box.name} has its maximum of replicas")
        pairs, remote_cg = self._targets(peer, plan)
        here = self._insert(link, SOURCE, pairs, body, interval, plan.local_cg, remote_cg)
        there_link = peer.links.get(link["remote_link_id"])
        there = peer.replicas._insert(there_link, TARGET, mirrored(pairs), body, interval, remote_cg, plan.local_cg)
        self._join(here, there)
        self.box.jobs.begin(here)
        self.box.log.add_event("REPLICA_CREATED", "INFO", f"Replica {here['id']} to {peer.name} was created")
        return here

    def _targets(self, peer: InfiniBox, plan: Plan) -> tuple[list[Row], Row | None]:
        remote_cg = plan.remote_cg
        if plan.local_cg is not None and remote_cg is None and plan.remote_pool is not None:
            taken = peer.groups.named(plan.local_cg["name"]) is not None
            remote_cg = peer.groups.create(plan.local_cg["name"] + ("-target" if taken else ""), plan.remote_pool["id"])
        return [self.pair(peer, pairing, plan.remote_pool, remote_cg) for pairing in plan.pairings], remote_cg

    def pair(self, peer: InfiniBox, pairing: Pairing, pool: Row | None, remote_cg: Row | None) -> Row:
        """One pair as a replica keeps it; its target volume exists afterwards and is a member of `remote_cg`."""
        remote = pairing.remote
        if remote is None:
            assert pool is not None
            remote = peer.volumes.create(pairing.remote_name, pool["id"], pairing.local["size"], "THIN")
        if remote_cg is not None:
            peer.groups.join(remote_cg, remote)
        base = pairing.action if pairing.initialised else "NO_BASE_DATA"
        return {
            "local_entity_id": int(pairing.local["id"]),
            "remote_entity_id": int(remote["id"]),
            "local_base_action": base,
            "remote_base_action": pairing.action,
            "_target_old_ro_state": False,
            "_initialised": pairing.initialised,
            "_diverged": pairing.diverged,
            "_base": pairing.local["content"] if pairing.initialised else None,
        }

    def _insert(
        self, link: Row, role: str, pairs: list[Row], body: Mapping[str, Any], interval: int, local_cg: Row | None, remote_cg: Row | None
    ) -> Row:
        return self.add(
            link=link["id"],
            role=role,
            origin=role,
            entity_type="CONSISTENCY_GROUP" if local_cg else "VOLUME",
            entity_pairs=pairs,
            state="ACTIVE" if role == SOURCE else None,
            state_reason=None,
            state_description=None,
            replication_type="ASYNC",
            sync_interval=interval,
            rpo_value=body.get("rpo_value") or 2 * interval,
            description=body.get("description"),
            local_cg_id=int(local_cg["id"]) if local_cg else None,
            remote_cg_id=int(remote_cg["id"]) if remote_cg else None,
            remote_replica_id=0,
            restore_point=None,
            last_synchronized=None,
            started_at=self.box.world.clock.ms(),
            job=None,
            due="",
            next_job=None,
            pending=False,
        )

    def _join(self, here: Row, there: Row) -> None:
        peer = self.box.peer_of(here)
        self.table.update(here["id"], remote_replica_id=int(there["id"]))
        peer.replicas.table.update(there["id"], remote_replica_id=int(here["id"]))
        for replicas, row in ((self, here), (peer.replicas, there)):
            for pair in row["entity_pairs"]:
                replicas.mark_volume(row, pair)
            replicas.mark_group(row)

    def mark_volume(self, replica: Row, pair: Row) -> None:
        """Makes the local volume of the pair what the replica's role says: a target is write-protected."""
        volume = self.box.volumes.get(pair["local_entity_id"])
        target = replica["role"] == TARGET
        if target and not volume["rmr_target"]:
            pair["_target_old_ro_state"] = volume["write_protected"]
            self.set_pairs(replica, replica["entity_pairs"])
        protected = True if target else pair["_target_old_ro_state"] if volume["rmr_target"] else volume["write_protected"]
        self.box.volumes.change(
            volume["id"], write_protected=protected, rmr_target=target, rmr_source=not target, replica_ids=[int(replica["id"])]
        )

    def mark_group(self, replica: Row) -> None:
        if replica["local_cg_id"]:
            self.box.groups.change(replica["local_cg_id"], replica_ids=[int(replica["id"])])

    def release_volume(self, pair: Row) -> None:
        """Returns the volume to regular use; what it holds stays."""
        volume = self.box.volumes.get(pair["local_entity_id"])
        protected = pair["_target_old_ro_state"] if volume["rmr_target"] else volume["write_protected"]
        self.box.volumes.change(volume["id"], write_protected=protected, rmr_target=False, rmr_source=False, replica_ids=[])

    # Looking up.

    def twin(self, replica: Row) -> Row | None:
        """The row on the other array, None when it was deleted there alone."""
        return self.box.peer_of(replica).replicas.table.get(str(replica["remote_replica_id"]))

    def of_group(self, group: Row) -> Row:
        return self.get(group["replica_ids"][0])

    def set_pairs(self, replica: Row, pairs: Sequence[Row]) -> None:
        """Keeps the pairs on this side and their mirror on the other, where only that side's read-only memory is its own."""
        self.table.update(replica["id"], entity_pairs=list(pairs))
        twin = self.twin(replica)
        if twin is None:
            return
        memory = {pair["local_entity_id"]: pair["_target_old_ro_state"] for pair in twin["entity_pairs"]}
        kept = [{**pair, "_target_old_ro_state": memory.get(pair["local_entity_id"], False)} for pair in mirrored(pairs)]
        self.box.peer_of(replica).replicas.table.update(twin["id"], entity_pairs=kept)

    def update(self, id: Id, changes: Mapping[str, Any]) -> Row:
        """PUT: the intervals (ms) and the description; a new interval takes effect at the next job."""
        row = self.get(id)
        unknown = set(changes) - {"sync_interval", "rpo_value", "description"}
        if unknown:
            raise bad_request("FIELD_IS_NOT_MUTABLE", f"Cannot change {', '.join(sorted(unknown))}")
        merged = {"sync_interval": row["sync_interval"], "rpo_value": row["rpo_value"], **changes}
        _interval(merged)
        return self.change(id, **changes)

    # Showing.

    def wire(self, row: Row) -> Row:
        link = self.box.links.get(row["link"])
        shown = {**super().wire(row), **self._state(row), **self._names(row), "link_id": int(link["id"])}
        return {
            **shown,
            "sync_state": None,
            "async_mode": True,
            "rpo_type": "SPECIFIED",
            "rpo_state": self._rpo_state(row),
            "latency": None,
            "concurrent_replica": False,
            "including_snapshots": False,
            "staging_area_allocated_size": 0,
            "domino": False,
            "permanent_failure_wait_interval": 86_400_000,
            "temporary_failure_retry_interval": 60_000,
            "temporary_failure_retry_count": 1440,
        }

    def _state(self, row: Row) -> Row:
        job = row["job"]
        active = row["role"] == SOURCE and row["state"] == "ACTIVE"
        flowing = job is not None and job["since"] is not None
        return {
            "job_state": (job["state"] if job else "IDLE") if active else None,
            "jobs": [self.box.jobs.wire(job)] if job else [],
            "is_initial": any(not pair["_initialised"] for pair in row["entity_pairs"]),
            "progress": self.box.jobs.progress(job) if job else 100 if active else None,
            "throughput": int(job["rate"]) if flowing else 0,
            "pending_job_count": int(row["pending"]),
            "next_job_start_time": row["next_job"] if active and not job else None,
            "next_restore_point": job["start_time"] if job else None,
        }

    def _rpo_state(self, row: Row) -> str | None:
        if row["role"] == TARGET or row["restore_point"] is None:
            return None
        return "OK" if self.box.world.clock.ms() - row["restore_point"] <= row["rpo_value"] else "LAGGING"

    def _names(self, row: Row) -> Row:
        peer = self.box.peer_of(row)
        pairs = [self._named_pair(pair, peer) for pair in row["entity_pairs"]]
        first, group = pairs[0], row["entity_type"] == "CONSISTENCY_GROUP"
        here = self.box.volumes.get(first["local_entity_id"])
        there = peer.volumes.table.get(str(first["remote_entity_id"]))
        return {
            "entity_pairs": pairs,
            "local_entity_id": row["local_cg_id"] if group else first["local_entity_id"],
            "remote_entity_id": row["remote_cg_id"] if group else first["remote_entity_id"],
            "local_entity_name": _name(self.box.groups, row["local_cg_id"]) if group else first["local_entity_name"],
            "remote_entity_name": _name(peer.groups, row["remote_cg_id"]) if group else first["remote_entity_name"],
            "local_cg_name": _name(self.box.groups, row["local_cg_id"]),
            "remote_cg_name": _name(peer.groups, row["remote_cg_id"]),
            "local_pool_id": int(here["pool"]),
            "local_pool_name": _name(self.box.pools, here["pool"]),
            "remote_pool_id": int(there["pool"]) if there else None,
            "remote_pool_name": _name(peer.pools, there["pool"]) if there else None,
        }

    def _named_pair(self, pair: Row, peer: InfiniBox) -> Row:
        shown = {key: value for key, value in pair.items() if key not in ("_initialised", "_diverged", "_base")}
        names = {
            "local_entity_name": _name(self.box.volumes, pair["local_entity_id"]),
            "remote_entity_name": _name(peer.volumes, pair["remote_entity_id"]),
        }
        return {**shown, **names}


def mirrored(pairs: Sequence[Row]) -> list[Row]:
    """The pairs as the other side sees them."""
    return [{**pair, "local_entity_id": pair["remote_entity_id"], "remote_entity_id": pair["local_entity_id"]} for pair in pairs]


def torn_unless_initialised(box: InfiniBox, pair: Row, source: content.Content) -> None:
    """A first copy that was broken off leaves no usable target."""
    if not pair["_initialised"]:
        box.volumes.change(pair["local_entity_id"], content=content.torn(source))


def _name(collection: Collection, id: Id | None) -> str | None:
    row = collection.table.get(str(id))
    return row["name"] if row else None


def _interval(body: Mapping[str, Any]) -> int:
    interval = int(body.get("sync_interval") or DEFAULT_SYNC_INTERVAL)
    if interval < MINIMUM_INTERVAL or int(body.get("rpo_value") or 2 * interval) < interval:
        raise bad_request("INVALID_INTERVAL", f"sync_interval must be at least {MINIMUM_INTERVAL} ms and not above rpo_value")
    return interval
