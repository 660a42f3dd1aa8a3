"""Floating IPs: the same addresses are reserved on the target early, and associated by the switch of the segment.

What is given up on the source is parked there, in the login's own project, so that nobody else gets an address that lives on the target.
"""

from __future__ import annotations

from millpond.model.address import Address, Side
from millpond.model.change import AnyStep, Change, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.marker import PARKED
from millpond.model.network import FloatingIP
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.network.mapping import network_id, target_project
from millpond.reconcilers.network.neutron import LEAVING, Wanted, climb, removal
from millpond.reconcilers.network.neutron_calls import perform
from millpond.reconcilers.network.segments import Phase, Standing, standings
from millpond.reconcilers.twins import by_id
from millpond.reconcilers.unlisted import late
from millpond.reconcilers.usage import is_tenants, kept_ports

__all__ = ["KIND", "READS_AFTER", "observe", "park", "perform", "plan", "segment_of"]

KIND = "floating_ip"
RESOURCE = "floatingip"
READS_AFTER: tuple[str, ...] = ("project",)


def observe(providers: Providers, scope: Scope) -> Facts:
    source, target = providers.source.network, providers.target.network
    return Facts(
        source={"floating_ips": source.floating_ips(scope.source_project), "parked": source.parked_floating_ips()} if scope.source else {},
        target={"floating_ips": target.floating_ips(scope.target_project) if scope.target_project else ()} if scope.target else {},
    )


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    """An associated one is the tenant's from the switch of its segment on, another when every wave has arrived."""
    if goals.decommission:
        return _decommission(desired, snapshot)
    places = segment_of(desired, standings(desired, snapshot, goals))
    wanted = []
    for address in desired.inventory.floating_ips:
        place = places.get(address.id)
        if place.phase is Phase.SWITCHED if place else is_tenants(goals, ()):
            continue
        wanted.append(_wanted(desired, snapshot, address, place.servers if place else ()))
    return climb(
        RESOURCE,
        wanted,
        snapshot.target.floating_ips,
        lambda found: (found.project_id, found.floating_ip_address),
        lambda found: {"description": found.description},
    )


def segment_of(desired: Desired, all_standings: tuple[Standing, ...]) -> dict[str, Standing]:
    """Floating IP → the standing of the segment that its port or its router is in; unassociated ones are in none."""
    networks = {id: standing for standing in all_standings for id in standing.segment.networks}
    routers = {id: standing for standing in all_standings for id in standing.segment.routers}
    ports = by_id(desired.inventory.ports)
    places = {}
    for address in desired.inventory.floating_ips:
        port = ports.get(address.port_id)
        place = networks.get(port.network_id) if port else None
        if place or address.router_id in routers:
            places[address.id] = place or routers[address.router_id]
    return places


def _wanted(desired: Desired, snapshot: Snapshot, address: FloatingIP, servers: tuple[str, ...]) -> Wanted:
    project = target_project(snapshot)
    return Wanted(
        source_id=address.id,
        address=desired.address(KIND, address.id),
        key=(project, address.floating_ip_address),
        fields={"description": address.description},
        fixed={
            "project_id": project,
            "floating_network_id": network_id(desired, snapshot, address.floating_network_id),
            "floating_ip_address": address.floating_ip_address,
        },
        tags=address.tags,
        reason="the address is reserved, not associated yet",
        servers=servers,
    )


def park(at: Address, network: str, address: str, *, source_id: str, servers: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Change:
    """Takes an address of the source's external network into the login's own project."""
    return Change(
        address=at,
        action="park",
        reason="the address lives on the target now: the source must not give it to anybody",
        after=after,
        source_id=source_id,
        servers=servers,
        side=Side.SOURCE,
        effect=Effect.CREATE,
        fields=(FieldChange("floating_ip_address", None, address),),
        destination="parked",
        parameters={
            "call": "create",
            "resource": RESOURCE,
            "body": {"floating_network_id": network, "floating_ip_address": address, "description": PARKED},
        },
    )


def is_parked(snapshot: Snapshot, network: str, address: str) -> str:
    """The id of the floating IP that keeps the address on the source, or an empty string."""
    kept = (one for one in snapshot.source.parked if one.floating_network_id == network and one.floating_ip_address == address)
    return next((one.id for one in kept), "")


def _decommission(desired: Desired, snapshot: Snapshot) -> KindPlan:
    """What the inventory names and is gone is only parked."""
    live, known, kept = by_id(snapshot.source.floating_ips), by_id(desired.inventory.floating_ips), kept_ports(desired)
    steps: list[AnyStep] = []
    for one in known.values():
        if one.port_id in kept:
            continue
        at = desired.address(KIND, one.id)
        gone = [removal(RESOURCE, at, one.id, LEAVING, source_id=one.id)] if one.id in live else []
        steps += gone
        if not is_parked(snapshot, one.floating_network_id, one.floating_ip_address):
            after = tuple(step.id for step in gone)
            steps.append(park(at, one.floating_network_id, one.floating_ip_address, source_id=one.id, after=after))
    unknown = [late(desired.address(KIND, id), KIND, id, live[id].floating_ip_address) for id in live if id not in known]
    return KindPlan(tuple(steps), tuple(unknown))
