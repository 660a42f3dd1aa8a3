"""The site file `millpond.yaml`: clouds, arrays and pool pairs, fabric, maps, limits, brakes. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ArraySystem:
    """One array. The password comes from `password_env` or `password_file` at the moment of login; no document holds it. A user in the
    variable `username_env` logs in instead of `username`: pipelines that only read take one that may do no more.

    `ca_file` verifies the array's certificate; `verify` false turns verification off and is reported as a warning in every plan.
    """

    name: str
    address: str
    username: str
    driver: str = "infinibox"
    port: int = 0
    tls: bool = True
    verify: bool = True
    ca_file: str = ""
    username_env: str = ""
    password_env: str = ""
    password_file: str = ""


@dataclass(frozen=True)
class PoolEnd:
    array: str
    pool: str


@dataclass(frozen=True)
class PoolPair:
    """Where volumes of a source pool go.

    `cinder_host` (`host@backend#pool`) is needed by `manage` when it cannot be told from the volume type.
    """

    name: str
    source: PoolEnd
    target: PoolEnd
    cinder_host: str = ""


@dataclass(frozen=True)
class Fabric:
    """`driver` is an entry point of group `millpond.fabric`. `fence_size` addresses per subnet are reserved on the source."""

    driver: str = "none"
    physical_networks: Mapping[str, str] = field(default_factory=dict)
    fence_size: int = 4
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Maps:
    """Source name → target name, per kind. What is not named keeps its name."""

    flavors: Mapping[str, str] = field(default_factory=dict)
    volume_types: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    availability_zones: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Replication:
    """`fence_first` false is for firmware that refuses to let both sides of a replica be targets: the target is then promoted first and
    the source fenced at once after, while its servers are proven stopped and locked.
    """

    adoption: str = "precreate"
    grouping: str = "consistency_group"
    sync_interval: int = 300
    rpo: int = 600
    fence_first: bool = True


@dataclass(frozen=True)
class Limits:
    """`requests` in flight per cloud, `builds` servers booting at once, `attempts` boots before giving up. The rest are seconds."""

    requests: int = 8
    builds: int = 10
    attempts: int = 3
    request_timeout: int = 60
    stop_timeout: int = 600
    boot_timeout: int = 900
    mac_move: int = 180
    poll: float = 1.0
    replicas: int = 250


@dataclass(frozen=True)
class Brakes:
    """Held at admission when exceeded; 0 = no brake. `lag_at_cutover` and `outage_budget` in seconds."""

    servers_stopped: int = 0
    cutovers: int = 0
    volumes_deleted: int = 0
    lag_at_cutover: int = 0
    outage_budget: int = 0


@dataclass(frozen=True)
class PlanExpiry:
    plan: int = 86400
    cutover: int = 3600


@dataclass(frozen=True)
class Hook:
    """`command` is a list of arguments, run without a shell; `timeout` in seconds."""

    command: tuple[str, ...]
    timeout: int = 300


@dataclass(frozen=True)
class Hooks:
    """What apply runs around a phase. A rollback has none before it: nothing may hold it back."""

    before_cutover: tuple[Hook, ...] = ()
    after_cutover: tuple[Hook, ...] = ()
    after_rollback: tuple[Hook, ...] = ()
    before_decommission: tuple[Hook, ...] = ()
    after_decommission: tuple[Hook, ...] = ()


@dataclass(frozen=True)
class Approvers:
    """Who must approve what a phase stops, promotes or deletes, as the repository's host calls them. Plans name them and hold nothing:
    that they did approve is the host's to see to.
    """

    cutover: tuple[str, ...] = ()
    rollback: tuple[str, ...] = ()
    decommission: tuple[str, ...] = ()


@dataclass(frozen=True)
class Site:
    """`directory` is where millpond.yaml lies: relative paths start there. `journal` is an SQLAlchemy URL; empty = .millpond/journal.db."""

    name: str
    arrays: tuple[ArraySystem, ...] = ()
    pool_pairs: tuple[PoolPair, ...] = ()
    fabric: Fabric = field(default_factory=Fabric)
    maps: Maps = field(default_factory=Maps)
    replication: Replication = field(default_factory=Replication)
    image_metadata: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    brakes: Brakes = field(default_factory=Brakes)
    expiry: PlanExpiry = field(default_factory=PlanExpiry)
    hooks: Hooks = field(default_factory=Hooks)
    approvers: Approvers = field(default_factory=Approvers)
    journal: str = ""
    directory: str = "."
