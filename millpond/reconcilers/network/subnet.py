"""Subnets of the tenant's own networks: fenced while the network is stretched, with their real pools once the segment has settled."""

from __future__ import annotations

from typing import Any

from millpond.model.change import AnyStep
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.network import Subnet
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.network.fence import Fence, choose, pools, ranges
from millpond.reconcilers.network.fence import standing as standing_fence
from millpond.reconcilers.network.mapping import carried, is_derived, network_id, target_project
from millpond.reconcilers.network.network import is_tenants_network
from millpond.reconcilers.network.neutron import LEAVING, Wanted, climb, removal
from millpond.reconcilers.network.neutron_calls import perform
from millpond.reconcilers.network.segments import Direction, Standing, by_network
from millpond.reconcilers.network.subnet_pools import KIND, free, reservations, reserve, set_pools, switch_pools
from millpond.reconcilers.twins import by_id, ids, marked, only
from millpond.reconcilers.unlisted import late
from millpond.reconcilers.usage import leaving_networks

__all__ = ["KIND", "READS_AFTER", "observe", "perform", "plan"]

READS_AFTER: tuple[str, ...] = ("project", "network")


def observe(providers: Providers, scope: Scope) -> Facts:
    source, target = scope.seen.source, scope.seen.target
    return Facts(
        source={"subnets": providers.source.network.subnets(scope.source_project, ids(source.networks))} if scope.source else {},
        target={"subnets": providers.target.network.subnets(scope.target_project, ids(target.networks))} if scope.target else {},
    )


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    own, segment = carried(desired), by_network(desired, snapshot, goals)
    if goals.decommission:
        return _decommission(desired, snapshot)
    subnets = [s for s in desired.inventory.subnets if s.network_id in own and segment[s.network_id].direction is not Direction.HELD]
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    wanted: list[Wanted] = []
    fences: dict[str, Fence] = {}
    for subnet in subnets:
        standing = segment[subnet.network_id]
        fence = _fence(desired, snapshot, subnet, standing)
        if fence.short:
            findings.append(_no_room(desired, subnet, fence))
            continue
        fences[subnet.id] = fence
        steps += reserve(desired, subnet, fence, standing)
        if not is_tenants_network(desired, goals, segment, subnet.network_id):
            wanted.append(_wanted(desired, snapshot, subnet, fence, standing))
    ladders = climb(KIND, wanted, snapshot.target.subnets, lambda found: (found.network_id, found.cidr), _shown)
    steps += ladders.steps
    for subnet in subnets:
        if subnet.id in fences and not is_derived(subnet) and len(marked(snapshot.target.subnets, subnet.id)) < 2:
            steps += switch_pools(desired, snapshot, subnet, fences[subnet.id], segment[subnet.network_id])
    return KindPlan(tuple(steps), (*ladders.findings, *findings))


def _fence(desired: Desired, snapshot: Snapshot, subnet: Subnet, standing: Standing) -> Fence:
    """A settled segment gets no new fence; addresses that follow from the MAC need none."""
    if is_derived(subnet):
        return Fence({})
    if standing.settled:
        return Fence(standing_fence(subnet, snapshot.source.ports))
    twin = only(snapshot.target.subnets, subnet.id)
    return choose(subnet, snapshot.source.ports, twin, snapshot.target.ports, desired.site.fabric.fence_size)


def _routes(subnet: Subnet) -> list[dict[str, str]]:
    return [{"destination": route.destination, "nexthop": route.nexthop} for route in sorted(subnet.host_routes, key=str)]


def _shown(subnet: Subnet) -> dict[str, Any]:
    return {
        "name": subnet.name,
        "description": subnet.description,
        "gateway_ip": subnet.gateway_ip or None,
        "dns_nameservers": list(subnet.dns_nameservers),
        "host_routes": _routes(subnet),
        "enable_dhcp": subnet.enable_dhcp,
    }


def _wanted(desired: Desired, snapshot: Snapshot, subnet: Subnet, fence: Fence, standing: Standing) -> Wanted:
    network = network_id(desired, snapshot, subnet.network_id)
    fixed: dict[str, Any] = {
        "project_id": target_project(snapshot),
        "network_id": network,
        "cidr": subnet.cidr,
        "ip_version": subnet.ip_version,
        "allocation_pools": pools(subnet.allocation_pools) if is_derived(subnet) else ranges(fence.addresses),
    }
    fixed |= {name: value for name in ("ipv6_address_mode", "ipv6_ra_mode") if (value := getattr(subnet, name))}
    return Wanted(
        source_id=subnet.id,
        address=desired.address(KIND, subnet.id),
        key=(network, subnet.cidr),
        fields=_shown(subnet),
        fixed=fixed,
        tags=subnet.tags,
        servers=standing.servers,
        first=reservations(desired, subnet, fence),
    )


def _no_room(desired: Desired, subnet: Subnet, fence: Fence) -> Finding:
    size = desired.site.fabric.fence_size
    return Finding(
        "no_room_for_fence",
        Severity.BLOCKER,
        desired.address(KIND, subnet.id),
        f"the subnet {subnet.cidr} has {size - fence.short} free addresses in its pools, {size} are needed",
        "the DHCP or metadata ports of the target need addresses that nobody on the source takes",
        "widen the allocation pools on the source, free addresses there, or lower `fabric.fence_size`",
    )


def _decommission(desired: Desired, snapshot: Snapshot) -> KindPlan:
    """What is left of a fence goes with its subnet."""
    known, leaving = by_id(desired.inventory.subnets), leaving_networks(desired)
    here = [s for s in snapshot.source.subnets if s.project_id == desired.inventory.project.id]
    steps: list[AnyStep] = []
    for subnet in here:
        if subnet.id in known and subnet.network_id in leaving:
            opened = _open(desired, snapshot, known[subnet.id])
            first = tuple(step.id for step in opened)
            steps += [*opened, removal(KIND, desired.address(KIND, subnet.id), subnet.id, LEAVING, source_id=subnet.id, first=first)]
    unknown = [late(desired.address(KIND, s.id), KIND, s.id, s.name) for s in here if s.id not in known]
    return KindPlan(tuple(steps), tuple(unknown))


def _open(desired: Desired, snapshot: Snapshot, subnet: Subnet) -> list[AnyStep]:
    fence = Fence(standing_fence(subnet, snapshot.source.ports))
    twin = only(snapshot.target.subnets, subnet.id)
    ladder = Ladder(desired.address(KIND, subnet.id), source_id=subnet.id)
    has, real = pools(twin.allocation_pools) if twin else [], pools(subnet.allocation_pools)
    if fence.addresses and twin and has != real:
        set_pools(ladder, "open", "the source is going away", twin.id, has, real)
    return [*ladder.steps, *free(desired, subnet, fence, (), tuple(step.id for step in ladder.steps))]
