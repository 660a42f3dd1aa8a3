"""The state of a Neutron without what differs from run to run: revisions, times, what agents choose by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.neutron.collection import SERVICE

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

UNSTABLE = ("revision_number", "created_at", "updated_at")
AUTOMATIC = ("network:dhcp", "network:distributed", "network:floatingip", "network:router_gateway")


def digest(service: NeutronService) -> Row:
    kinds = (service.networks, service.subnets, service.ports, service.routers, service.floatingips, service.security_groups)
    found: Row = {kind.plural: [] for kind in kinds}
    for kind in kinds:
        for row in kind.table:
            if row.get("device_owner") not in AUTOMATIC:
                found[kind.plural].append({name: _plain(value) for name, value in kind.view(SERVICE, row).items() if name not in UNSTABLE})
    return {**found, "quotas": {row["id"]: row["limits"] for row in service.quotas.table}}


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if name not in UNSTABLE}
    return value
