"""All resource kinds, in the order in which people read a plan."""

from __future__ import annotations

from collections.abc import Mapping

from millpond.reconcilers.base import Reconciler
from millpond.reconcilers.compute import flavor, server, server_group, source_server
from millpond.reconcilers.identity import key_pair, project, quota, role_assignment, source_project, user
from millpond.reconcilers.network import floating_ip, network, port, router, security_group, segment, stretch, subnet
from millpond.reconcilers.storage import replication_group, source_volume, volume

RECONCILERS: tuple[Reconciler, ...] = (
    source_project,
    project,
    quota,
    user,
    role_assignment,
    key_pair,
    flavor,
    server_group,
    security_group,
    network,
    stretch,
    subnet,
    router,
    floating_ip,
    volume,
    replication_group,
    source_server,
    source_volume,
    port,
    server,
    segment,
)

BY_KIND: Mapping[str, Reconciler] = {reconciler.KIND: reconciler for reconciler in RECONCILERS}
