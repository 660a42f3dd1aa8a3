"""Routers: their twins stand ready without gateway and interfaces, which the switch of the segment brings."""

from __future__ import annotations

from typing import Any

from millpond.model.address import Side
from millpond.model.change import AnyStep, Change, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.network import Port, Router
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.network.mapping import target_project
from millpond.reconcilers.network.neutron import LEAVING, Wanted, climb, removal
from millpond.reconcilers.network.neutron_calls import perform
from millpond.reconcilers.network.segments import Phase, router_interfaces, standings
from millpond.reconcilers.twins import by_id
from millpond.reconcilers.unlisted import late

__all__ = ["KIND", "READS_AFTER", "observe", "perform", "plan"]

KIND = "router"
READS_AFTER: tuple[str, ...] = ("project",)


def observe(providers: Providers, scope: Scope) -> Facts:
    source, target = providers.source.network, providers.target.network
    return Facts(
        source={"routers": source.routers(scope.source_project)} if scope.source else {},
        target={"routers": target.routers(scope.target_project) if scope.target_project else ()} if scope.target else {},
    )


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    """From the switch on, the twin is the tenant's."""
    if goals.decommission:
        return _decommission(desired, snapshot)
    servers = {
        id: standing.servers
        for standing in standings(desired, snapshot, goals)
        if standing.phase is not Phase.SWITCHED
        for id in standing.segment.routers
    }
    project = target_project(snapshot)
    wanted = [
        Wanted(
            source_id=router.id,
            address=desired.address(KIND, router.id),
            key=(project, router.name),
            fields=_shown(router),
            fixed={"project_id": project},
            tags=router.tags,
            servers=servers[router.id],
        )
        for router in desired.inventory.routers
        if router.id in servers
    ]
    return climb(KIND, wanted, snapshot.target.routers, lambda found: (found.project_id, found.name), _shown)


def _shown(router: Router) -> dict[str, Any]:
    return {"name": router.name, "description": router.description, "admin_state_up": router.admin_state_up}


def _decommission(desired: Desired, snapshot: Snapshot) -> KindPlan:
    """A router goes when the switch has left nothing on it but what an excluded network needs; then it stays."""
    known = by_id(desired.inventory.routers)
    interfaces = {port.network_id for port in desired.inventory.router_ports}
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    for router in snapshot.source.routers:
        if router.project_id != desired.inventory.project.id:
            continue
        address = desired.address(KIND, router.id)
        legs = router_interfaces(snapshot.source.ports, [router.id])
        if router.id not in known:
            findings.append(late(address, KIND, router.id, router.name))
        elif any(leg.network_id in desired.excluded for leg in legs):
            continue
        else:
            findings += [late(address, "router_interface", leg.id, leg.name) for leg in legs if leg.network_id not in interfaces]
            detached = [_detach(desired, router, leg) for leg in legs if leg.network_id in interfaces]
            first = tuple(step.id for step in detached)
            steps += [*detached, removal(KIND, address, router.id, LEAVING, source_id=router.id, first=first)]
    return KindPlan(tuple(steps), tuple(findings))


def _detach(desired: Desired, router: Router, leg: Port) -> Change:
    at = desired.address(KIND, router.id)
    return Change(
        address=type(at)(at.tenant, at.kind, f"{at.name}/{leg.fixed_ips[0].ip_address if leg.fixed_ips else leg.id}"),
        action="detach",
        reason=LEAVING,
        source_id=router.id,
        side=Side.SOURCE,
        effect=Effect.DELETE,
        fields=(FieldChange("port_id", leg.id, None),),
        destination="absent",
        reversible=False,
        danger=True,
        parameters={"call": "detach", "id": router.id, "port_id": leg.id},
    )
