"""The array's rows as nouns. Field names: InfiniBox REST API as infinisdk uses it; sizes in bytes, times in ms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millpond.model.array import ArrayPool, ArrayVolume, ConsistencyGroup, Pair, Replica, ReplicaState, Role
from millpond.providers.shapes import documented

Row = Mapping[str, Any]

POOL_FIELDS = ("id", "name", "free_physical_space", "free_virtual_space")
VOLUME_FIELDS = ("id", "name", "pool_name", "size", "used", "write_protected", "rmr_source", "rmr_target", "cg_id")
GROUP_FIELDS = ("id", "name", "pool_name", "is_replicated", "type")
REPLICA_FIELDS = (
    "id",
    "remote_replica_id",
    "role",
    "state",
    "entity_type",
    "local_entity_id",
    "local_cg_id",
    "entity_pairs",
    "is_initial",
    "job_state",
    "jobs",
    "pending_job_count",
    "progress",
    "throughput",
    "restore_point",
    "sync_interval",
)
RUNNING = ("INITIALIZING", "REPLICATING", "STALLED")
"""States of a job that has begun; PENDING has not, IDLE is none."""
ROLES = frozenset(Role) - {Role.UNKNOWN}
STATES = frozenset(ReplicaState) - {ReplicaState.UNKNOWN}


@documented
def parse_pool(array: str, row: Row) -> ArrayPool:
    return ArrayPool(
        array, row["id"], row["name"], free_physical=int(row["free_physical_space"]), free_virtual=int(row["free_virtual_space"])
    )


@documented
def parse_volume(array: str, row: Row, snapshots: tuple[str, ...] = (), mapped_to: tuple[str, ...] = ()) -> ArrayVolume:
    return ArrayVolume(
        array=array,
        id=row["id"],
        name=row["name"],
        pool=row.get("pool_name") or "",
        size=int(row["size"]),
        used=int(row.get("used") or 0),
        write_protected=bool(row.get("write_protected")),
        rmr_source=bool(row.get("rmr_source")),
        rmr_target=bool(row.get("rmr_target")),
        cg_id=int(row.get("cg_id") or 0),
        snapshots=snapshots,
        mapped_to=mapped_to,
    )


@documented
def parse_group(array: str, row: Row, members: tuple[int, ...] = ()) -> ConsistencyGroup:
    return ConsistencyGroup(array, row["id"], row["name"], row.get("pool_name") or "", members, replicated=bool(row.get("is_replicated")))


@documented
def parse_replica(array: str, row: Row) -> Replica:
    """A target side has no state, and on some firmware no jobs either. What newer firmware says is kept as unknown."""
    jobs = [(job.get("state") or row.get("job_state") or "", job) for job in row.get("jobs") or ()]
    running = [job for job_state, job in jobs if job_state.upper() in RUNNING]
    role = Role(row["role"]) if row["role"] in ROLES else Role.UNKNOWN
    state = ReplicaState(row.get("state") or "") if (row.get("state") or "") in STATES else ReplicaState.UNKNOWN
    return Replica(
        array=array,
        id=row["id"],
        remote_id=int(row.get("remote_replica_id") or 0),
        role=role,
        state=state,
        unknown=", ".join(f"{key} {row.get(key)}" for key, value in (("role", role), ("state", state)) if value == "UNKNOWN"),
        grouped=row.get("entity_type") == "CONSISTENCY_GROUP",
        entity=int(row.get("local_cg_id") or row.get("local_entity_id") or 0),
        pairs=tuple(Pair(one["local_entity_id"], int(one.get("remote_entity_id") or 0)) for one in row.get("entity_pairs") or ()),
        initial=bool(row.get("is_initial")),
        job_running=bool(running) or (not jobs and (row.get("job_state") or "").upper() in RUNNING),
        job_started=min((int(job.get("start_time") or 0) for job in running), default=0),
        pending=bool(row.get("pending_job_count")) or any(job_state.upper() == "PENDING" for job_state, _ in jobs),
        progress=int(row.get("progress") or 0),
        throughput=int(row.get("throughput") or 0),
        restore_point=int(row.get("restore_point") or 0),
        sync_interval_ms=int(row.get("sync_interval") or 0),
    )
