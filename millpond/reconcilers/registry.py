"""All resource kinds, in the order in which people read a plan."""

from __future__ import annotations

from collections.abc import Mapping

from millpond.reconcilers import (
    flavor,
    floating_ip,
    key_pair,
    network,
    port,
    project,
    quota,
    replication_group,
    role_assignment,
    router,
    security_group,
    segment,
    server,
    server_group,
    source_project,
    source_server,
    source_volume,
    stretch,
    subnet,
    user,
    volume,
)
from millpond.reconcilers.base import Reconciler

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
