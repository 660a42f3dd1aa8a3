"""Collects a tenant from the source: its inventory, and the first time a manifest for people to review."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from millpond.model.compute import Server
from millpond.model.inventory import Inventory
from millpond.model.manifest import ProjectRef
from millpond.model.marker import PARKED, SWITCHED_TAG, SWITCHING_TAG
from millpond.model.site import Site
from millpond.model.snapshot import CloudState
from millpond.providers.access import Access
from millpond.providers.open import open_providers
from millpond.reconcilers.network.segments import INTERFACE_OWNERS
from millpond.runs.observe import observe_source, one_project

_SKIPPED_OWNERS = ("network:", "millpond:")


def discover(site: Site, tenant: str, source: ProjectRef, former: Inventory | None = None) -> Inventory:
    """Everything to carry, read in bulk through a login that cannot write.

    What the migration itself has altered is taken from where it was remembered: power and lock from the cut record, the routers and
    floating IPs of a segment whose gateway moves from the `former` inventory.
    """
    with open_providers(site, source.cloud, source.cloud, Access.READ) as providers:
        project = one_project(providers.source, source)
        state = observe_source(providers, tenant, project).source
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = _inventory(tenant, stamp, state)
    switched = any({SWITCHING_TAG, SWITCHED_TAG} & set(router.tags) for router in state.routers)
    if former is None or not switched:
        return found
    return replace(found, routers=former.routers, router_ports=former.router_ports, floating_ips=former.floating_ips)


def _inventory(tenant: str, stamp: str, state: CloudState) -> Inventory:
    project = state.projects[0]
    assigned = {assignment.user_id for assignment in state.role_assignments if not assignment.group}
    ports = [port for port in state.ports if port.project_id == project.id and not port.device_owner.startswith(_SKIPPED_OWNERS)]
    used = {port.network_id for port in state.ports if port.project_id == project.id}
    used |= {router.gateway_network_id for router in state.routers} | {fip.floating_network_id for fip in state.floating_ips}
    networks = [network for network in state.networks if network.project_id == project.id or network.id in used]
    kept = {network.id for network in networks}
    routers = {router.id for router in state.routers}
    return Inventory(
        tenant=tenant,
        discovered_at=stamp,
        project=replace(project, tags=tuple(tag for tag in project.tags if not tag.startswith("millpond"))),
        quotas=state.quotas,
        users=tuple(user for user in state.users if user.id in assigned),
        role_assignments=state.role_assignments,
        key_pairs=state.key_pairs,
        security_groups=state.security_groups,
        networks=tuple(networks),
        subnets=tuple(subnet for subnet in state.subnets if subnet.network_id in kept),
        routers=state.routers,
        router_ports=tuple(port for port in state.ports if port.device_owner in INTERFACE_OWNERS and port.device_id in routers),
        floating_ips=tuple(one for one in state.floating_ips if one.description != PARKED),
        ports=tuple(ports),
        server_groups=state.server_groups,
        volumes=state.volumes,
        snapshots=state.volume_snapshots,
        servers=tuple(map(_as_found, state.servers)),
    )


def _as_found(server: Server) -> Server:
    record = server.record
    if record is None or not record.cut:
        return replace(server, user_data=None, record=None)
    status = "SHUTOFF" if record.power == "shutoff" else "ACTIVE"
    return replace(server, user_data=None, record=None, status=status, locked=record.locked != "no")
