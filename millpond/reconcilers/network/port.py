"""Ports of servers, and unbound ports that hold an address for them: same MAC, addresses, groups and options as on the source.

On an ML2/OVN target an unbound port draws its MAC's traffic into nowhere: there a port lives only from the cut of its server on.
"""

from __future__ import annotations

from dataclasses import replace

from millpond.model.change import AnyStep, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.marker import ADMIN_DOWN_TAG, FENCE_OWNER
from millpond.model.network import Port
from millpond.model.plan import BACK, Stage
from millpond.model.snapshot import CloudState, Facts, Snapshot
from millpond.providers.ports import Cloud, Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.network import service_ports
from millpond.reconcilers.network.bearers import Bearer, bearers
from millpond.reconcilers.network.neutron import LEAVING, climb, removal
from millpond.reconcilers.network.neutron_calls import perform
from millpond.reconcilers.network.port_body import shown, wanted
from millpond.reconcilers.twins import by_id, ids, only
from millpond.reconcilers.unlisted import late
from millpond.reconcilers.usage import ONWARD, is_handed_over, kept_ports, usage

__all__ = ["KIND", "READS_AFTER", "observe", "perform", "plan"]

KIND = "port"
READS_AFTER: tuple[str, ...] = ("project", "network")


def observe(providers: Providers, scope: Scope) -> Facts:
    return Facts(
        source={"ports": _read(providers.source, scope.source_project, scope.seen.source)} if scope.source else {},
        target={"ports": _read(providers.target, scope.target_project, scope.seen.target)} if scope.target else {},
    )


def _read(cloud: Cloud, project: str, seen: CloudState) -> tuple[Port, ...]:
    return cloud.network.ports(project, ids(n for n in seen.networks if n.project_id == project)) if project else ()


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    if goals.decommission:
        return _decommission(desired, snapshot)
    ovn = snapshot.target.mechanism == "ovn"
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    present: list[Bearer] = []
    for bearer in bearers(desired):
        stages = {goals.stage(server) for server in bearer.servers}
        handed_over = bool(bearer.servers) and all(is_handed_over(goals, server) for server in bearer.servers)
        if Stage.HELD in stages:
            continue
        if handed_over:
            steps += _lower(desired, snapshot, bearer)
        elif stages <= ONWARD or not ovn:
            present.append(bearer)
            findings += _refusals(desired, snapshot, bearer, _wave(goals, bearer))
        else:
            steps += _withdraw(desired, snapshot, bearer, returning=stages <= BACK)
    ladders = climb(
        KIND,
        [replace(wanted(desired, snapshot, bearer), outage=ovn, wave=_wave(goals, bearer)) for bearer in present],
        snapshot.target.ports,
        lambda found: (found.network_id, found.mac_address.lower()),
        lambda found: shown(snapshot, found),
    )
    return KindPlan((*ladders.steps, *steps), (*ladders.findings, *findings))


def _wave(goals: Goals, bearer: Bearer) -> str:
    return goals.wave(bearer.servers[0]) if bearer.servers else ""


def _refusals(desired: Desired, snapshot: Snapshot, bearer: Bearer, wave: str) -> list[Finding]:
    port, twin = bearer.port, only(snapshot.target.ports, bearer.port.id)
    groups = by_id(desired.inventory.security_groups)
    address = desired.address(KIND, port.id)
    found = []
    if twin and twin.mac_address.lower() != port.mac_address.lower():
        what = f"the port on the target has the MAC address {twin.mac_address}, the source has {port.mac_address}"
        fix = f"delete the port {twin.id} on the target: it is made again with the right address"
        why = "a guest knows its network interfaces by their MAC addresses"
        found.append(Finding("mac_differs", Severity.BLOCKER, address, what, why, fix, wave))
    foreign = sorted(id for id in port.security_groups if id not in groups)
    if foreign:
        what = f"the port is in security groups that are not the tenant's: {', '.join(foreign)}"
        why = "a group of another project has no twin on the target"
        found.append(Finding("foreign_security_group", Severity.BLOCKER, address, what, why, "use a group of the tenant instead", wave))
    if not port.admin_state_up:
        what = "the port is administratively down on the source; on the target it is up until its server was verified"
        why = "Nova waits for every port to become active and gives the boot up otherwise"
        found.append(Finding("port_admin_down", Severity.WARNING, address, what, why, wave=wave))
    return found


def _lower(desired: Desired, snapshot: Snapshot, bearer: Bearer) -> list[AnyStep]:
    """What was admin-down on the source goes down after the handover, once: the tag says that it is still to be done."""
    twin = only(snapshot.target.ports, bearer.port.id)
    if twin is None or ADMIN_DOWN_TAG not in twin.tags:
        return []
    ladder = Ladder(desired.address(KIND, bearer.port.id), source_id=bearer.port.id, servers=bearer.servers)
    if twin.admin_state_up:
        ladder.change(
            "lower",
            "the port is administratively down on the source",
            fields=(FieldChange("admin_state_up", True, False),),
            call="update",
            resource=KIND,
            id=twin.id,
            body={"admin_state_up": False},
        )
    tags = [tag for tag in twin.tags if tag != ADMIN_DOWN_TAG]
    ladder.change(
        "unmark",
        "it has been put down",
        fields=(FieldChange("tags", list(twin.tags), tags),),
        call="tag",
        resource=KIND,
        id=twin.id,
        tags=tags,
    )
    return ladder.steps


def _withdraw(desired: Desired, snapshot: Snapshot, bearer: Bearer, *, returning: bool) -> list[AnyStep]:
    """On OVN. A bound one goes too where its server is about to go."""
    twin = only(snapshot.target.ports, bearer.port.id)
    if twin is None or (twin.device_id and not returning):
        return []
    ladder = Ladder(desired.address(KIND, bearer.port.id), source_id=bearer.port.id, servers=bearer.servers)
    ladder.change(
        "withdraw",
        "an unbound port on OVN draws the traffic of the server on the source",
        effect=Effect.DELETE,
        fields=(FieldChange("id", twin.id, None),),
        destination="absent",
        outage=returning,
        call="delete",
        resource=KIND,
        id=twin.id,
    )
    return ladder.steps


def _decommission(desired: Desired, snapshot: Snapshot) -> KindPlan:
    """Ports of routers and agents go with those; those of other services are not the tenant's to delete."""
    known, kept = by_id(desired.inventory.ports), kept_ports(desired)
    server_of = usage(desired.inventory).server_of
    own = [
        p
        for p in snapshot.source.ports
        if p.project_id == desired.inventory.project.id
        and not p.device_owner.startswith("network:")
        and p.device_owner != FENCE_OWNER
        and not service_ports.of_a_service(p)
    ]
    steps = [
        removal(KIND, desired.address(KIND, p.id), p.id, LEAVING, source_id=p.id, servers=(server_of[p.id],) if p.id in server_of else ())
        for p in own
        if p.id in known and p.id not in kept
    ]
    unknown = [late(desired.address(KIND, p.id), KIND, p.id, p.name) for p in own if p.id not in known]
    return KindPlan(tuple(steps), (*unknown, *service_ports.findings(desired, snapshot)))
