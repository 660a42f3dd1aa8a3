"""What was observed at one moment on source, target, storage and fabric. Made by reading alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from millpond.model.array import ArrayFacts, ArrayPool, ArrayVolume, ConsistencyGroup, Replica
from millpond.model.block_storage import StoragePool, Volume, VolumeAttachment, VolumeBackup, VolumeSnapshot, VolumeType
from millpond.model.compute import Flavor, Server, ServerGroup
from millpond.model.identity import Group, KeyPair, Project, Quota, RoleAssignment, User
from millpond.model.image import Image
from millpond.model.network import Agent, FloatingIP, Network, Port, Router, SecurityGroup, Subnet


@dataclass(frozen=True)
class CloudState:
    """One tenant on one cloud, as far as it was read. `ports` holds all ports of the tenant and those of its networks, fences included.

    `parked` are the floating IPs of the login's own project that keep addresses of the tenant.
    `volume_attachments` are read only if a volume is reserved for a server that should be there and is not; None where they were not.
    `volume_backups` and `images` are the project's, and read on a source that is to be decommissioned alone.
    `user_id` is the one Millpond is logged in as; `own_key_pairs` are that user's. `release` names what the API offers.
    `verified`: certificates of its services are verified.
    """

    cloud: str = ""
    user_id: str = ""
    verified: bool = True
    projects: tuple[Project, ...] = ()
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)
    role_assignments: tuple[RoleAssignment, ...] = ()
    quotas: tuple[Quota, ...] = ()
    key_pairs: tuple[KeyPair, ...] = ()
    flavors: tuple[Flavor, ...] = ()
    server_groups: tuple[ServerGroup, ...] = ()
    servers: tuple[Server, ...] = ()
    volumes: tuple[Volume, ...] = ()
    volume_attachments: tuple[VolumeAttachment, ...] | None = None
    volume_snapshots: tuple[VolumeSnapshot, ...] = ()
    volume_backups: tuple[VolumeBackup, ...] = ()
    images: tuple[Image, ...] = ()
    volume_types: tuple[VolumeType, ...] = ()
    storage_pools: tuple[StoragePool, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    networks: tuple[Network, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    ports: tuple[Port, ...] = ()
    routers: tuple[Router, ...] = ()
    floating_ips: tuple[FloatingIP, ...] = ()
    parked: tuple[FloatingIP, ...] = ()
    agents: tuple[Agent, ...] = ()
    extensions: frozenset[str] = frozenset()

    @property
    def project(self) -> Project | None:
        """The one project; None where there is none, or more than one could be it."""
        return self.projects[0] if len(self.projects) == 1 else None

    @property
    def mechanism(self) -> str:
        """`ovn` or `ovs`, told apart by the agents."""
        return "ovn" if any(agent.agent_type.startswith("OVN") for agent in self.agents) else "ovs"


@dataclass(frozen=True)
class StorageState:
    """`initiators`: (source volume, server) → the ports of its hypervisor, where the source array is reached over Fibre Channel; None
    where that was not asked for, or this login may not know it."""

    arrays: tuple[ArrayFacts, ...] = ()
    pools: tuple[ArrayPool, ...] = ()
    volumes: tuple[ArrayVolume, ...] = ()
    replicas: tuple[Replica, ...] = ()
    groups: tuple[ConsistencyGroup, ...] = ()
    initiators: Mapping[tuple[str, str], frozenset[str]] | None = None

    def array(self, name: str) -> ArrayFacts | None:
        return next((a for a in self.arrays if a.array == name), None)


@dataclass(frozen=True)
class FabricState:
    """`stretches`: id of the network on the target → how its stretch stands, in the driver's own words; nothing where none was begun."""

    stretches: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """A part of a snapshot: for each side, for storage and fabric, the collections that were read, by the field names of the states."""

    source: Mapping[str, object] = field(default_factory=dict)
    target: Mapping[str, object] = field(default_factory=dict)
    storage: Mapping[str, object] = field(default_factory=dict)
    fabric: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    source: CloudState = field(default_factory=CloudState)
    target: CloudState = field(default_factory=CloudState)
    storage: StorageState = field(default_factory=StorageState)
    fabric: FabricState = field(default_factory=FabricState)

    def with_facts(self, facts: Facts, now: datetime) -> Snapshot:
        """This snapshot with the collections of `facts` in place of its own; unknown collection names raise TypeError."""
        return Snapshot(
            now,
            replace(self.source, **facts.source),  # type: ignore[arg-type]
            replace(self.target, **facts.target),  # type: ignore[arg-type]
            replace(self.storage, **facts.storage),  # type: ignore[arg-type]
            replace(self.fabric, **facts.fabric),  # type: ignore[arg-type]
        )
