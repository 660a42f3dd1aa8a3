"""The array's nouns: volumes, replicas and consistency groups of a pair of InfiniBoxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """UNKNOWN: the array said something else, which stands in `Replica.unknown`."""

    SOURCE = "SOURCE"
    TARGET = "TARGET"
    UNKNOWN = "UNKNOWN"


class ReplicaState(StrEnum):
    """`state` of a replica's source side; a target side has none. UNKNOWN as with roles."""

    NONE = ""
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    AUTO_SUSPENDED = "AUTO_SUSPENDED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class ArrayVolume:
    """`size` and `used` in bytes. `cg_id` is 0 outside a consistency group."""

    array: str
    id: int
    name: str
    pool: str
    size: int
    used: int = 0
    write_protected: bool = False
    rmr_source: bool = False
    rmr_target: bool = False
    cg_id: int = 0
    snapshots: tuple[str, ...] = ()
    mapped_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArrayPool:
    array: str
    id: int
    name: str
    free_physical: int
    free_virtual: int


@dataclass(frozen=True)
class ConsistencyGroup:
    array: str
    id: int
    name: str
    pool: str
    members: tuple[int, ...] = ()
    replicated: bool = False


@dataclass(frozen=True)
class Pair:
    local_id: int
    remote_id: int


@dataclass(frozen=True)
class Replica:
    """One side of a replication, as its own array shows it. Times are ms since epoch on that array's clock; `restore_point` 0 = none yet.

    `entity` is the local consistency group's or volume's id. `job_running` covers initialising and incremental jobs; `job_started` is the
    start of the running job or 0. `progress` in percent, `throughput` in bytes per second. `unknown` quotes the role or state that the
    array gives it and that Millpond does not know: nothing is done to such a replica.
    """

    array: str
    id: int
    remote_id: int
    role: Role
    state: ReplicaState
    grouped: bool
    entity: int
    pairs: tuple[Pair, ...] = ()
    initial: bool = False
    job_running: bool = False
    job_started: int = 0
    pending: bool = False
    progress: int = 0
    throughput: int = 0
    restore_point: int = 0
    sync_interval_ms: int = 0
    unknown: str = ""


@dataclass(frozen=True)
class ArrayFacts:
    """Facts of one array that are not per object. `now_ms` is its own clock at the moment of reading.

    `links`: serial number of the array at the other end → whether this array calls their link up. There is one at most between two.
    """

    array: str
    name: str
    serial: str
    now_ms: int
    links: Mapping[str, bool]
    replicas_total: int
    replicas_limit: int = 250
