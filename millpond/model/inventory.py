"""The inventory `tenants/<name>.inventory.yaml`, written by discover alone: ids and every value to carry, no secrets."""

from __future__ import annotations

from dataclasses import dataclass

from millpond.model.block_storage import Volume, VolumeSnapshot
from millpond.model.compute import Server, ServerGroup
from millpond.model.identity import KeyPair, Project, Quota, RoleAssignment, User
from millpond.model.network import FloatingIP, Network, Port, Router, SecurityGroup, Subnet


@dataclass(frozen=True)
class Inventory:
    """`networks` holds the tenant's own and the shared or external ones that it uses. `router_ports` are its routers' interfaces."""

    tenant: str
    discovered_at: str
    project: Project
    quotas: tuple[Quota, ...] = ()
    users: tuple[User, ...] = ()
    role_assignments: tuple[RoleAssignment, ...] = ()
    key_pairs: tuple[KeyPair, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    networks: tuple[Network, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    routers: tuple[Router, ...] = ()
    router_ports: tuple[Port, ...] = ()
    floating_ips: tuple[FloatingIP, ...] = ()
    ports: tuple[Port, ...] = ()
    server_groups: tuple[ServerGroup, ...] = ()
    volumes: tuple[Volume, ...] = ()
    snapshots: tuple[VolumeSnapshot, ...] = ()
    servers: tuple[Server, ...] = ()
