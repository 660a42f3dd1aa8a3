"""Networks: the tenant's own are made anew, with what the fabric needs; shared and external ones must exist and are found by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.network import Network
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Cloud, Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.fabric import driver
from millpond.reconcilers.network.mapping import carried, named, target_project
from millpond.reconcilers.network.neutron import LEAVING, Wanted, climb, removal
from millpond.reconcilers.network.neutron_calls import perform
from millpond.reconcilers.network.segments import Standing, by_network
from millpond.reconcilers.twins import by_id
from millpond.reconcilers.unlisted import late
from millpond.reconcilers.usage import is_handed_over, is_tenants, leaving_networks, usage

__all__ = ["KIND", "READS_AFTER", "observe", "perform", "plan"]

KIND = "network"
READS_AFTER: tuple[str, ...] = ("project",)


def observe(providers: Providers, scope: Scope) -> Facts:
    """Agents and extensions come along: both say what a network of this cloud can be."""
    return Facts(
        source=_read(providers.source, scope.source_project, scope.again) if scope.source else {},
        target=_read(providers.target, scope.target_project, scope.again) if scope.target else {},
    )


def _read(cloud: Cloud, project: str, again: bool) -> Mapping[str, object]:
    network = cloud.network
    if again:
        return {"networks": network.networks(project)}
    return {"networks": network.networks(project), "agents": network.agents(), "extensions": network.extensions()}


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    if goals.decommission:
        return _decommission(desired, snapshot)
    own = carried(desired)
    standing = by_network(desired, snapshot, goals)
    networks = [n for n in desired.inventory.networks if n.id in own and not is_tenants_network(desired, goals, standing, n.id)]
    refused = {n.id: why for n in networks if (why := driver(desired.site.fabric).refusal(n, desired.site.fabric))}
    wanted = [_wanted(desired, snapshot, n, standing[n.id].servers) for n in networks if n.id not in refused]
    project = target_project(snapshot)
    ladders = climb(KIND, wanted, snapshot.target.networks, _key, lambda found: _fields(found, snapshot.target.extensions))
    findings = [
        *ladders.findings,
        *(_refused(desired, n, refused[n.id]) for n in networks if n.id in refused),
        *(_taken(desired, n, other) for n in networks for other in _occupants(desired, snapshot, n, project)),
        *(_unmapped(desired, snapshot, n) for n in _mapped(desired, goals) if len(named(desired, snapshot, n)) != 1),
    ]
    return KindPlan(ladders.steps, tuple(findings))


def is_tenants_network(desired: Desired, goals: Goals, standing: Mapping[str, Standing], id: str) -> bool:
    """From the first server on it that was handed over, or when its segment has settled on the target."""
    users = usage(desired.inventory).on_network.get(id, ())
    return standing[id].settled or any(is_handed_over(goals, server) for server in users)


def _fields(network: Network, extensions: frozenset[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": network.name,
        "description": network.description,
        "admin_state_up": network.admin_state_up,
        "mtu": network.mtu,
        "port_security_enabled": network.port_security_enabled,
    }
    if "dns-integration" in extensions:
        fields["dns_domain"] = network.dns_domain
    return fields


def _key(network: Network) -> tuple[object, ...]:
    return (network.project_id, network.name, network.segmentation_id)


def _wanted(desired: Desired, snapshot: Snapshot, network: Network, servers: tuple[str, ...]) -> Wanted:
    project = target_project(snapshot)
    fields = _fields(network, snapshot.target.extensions)
    if not network.mtu:
        del fields["mtu"]
    return Wanted(
        source_id=network.id,
        address=desired.address(KIND, network.id),
        key=(project, network.name, network.segmentation_id),
        fields=fields,
        fixed={"project_id": project, **driver(desired.site.fabric).attributes(network, desired.site.fabric)},
        tags=network.tags,
        servers=servers,
    )


def _mapped(desired: Desired, goals: Goals) -> list[Network]:
    own, users = carried(desired), usage(desired.inventory).on_network
    others = [n for n in desired.inventory.networks if n.id not in own and n.id not in desired.excluded]
    return [n for n in others if not is_tenants(goals, users.get(n.id, ()))]


def _occupants(desired: Desired, snapshot: Snapshot, network: Network, project: str) -> list[Network]:
    """Networks of the target that sit on the wanted segment and neither are its twin nor can be adopted as such."""
    attributes = driver(desired.site.fabric).attributes(network, desired.site.fabric)
    place = (attributes["provider:network_type"], attributes["provider:physical_network"], attributes["provider:segmentation_id"])
    return [
        found
        for found in snapshot.target.networks
        if (found.network_type, found.physical_network, found.segmentation_id) == place
        and found.marker != network.id
        and (found.marker or _key(found) != (project, network.name, network.segmentation_id))
    ]


def _refused(desired: Desired, network: Network, why: str) -> Finding:
    return Finding(
        "network_not_stretchable",
        Severity.BLOCKER,
        desired.address(KIND, network.id),
        f"the network {network.name or network.id} cannot be stretched by the fabric driver {desired.site.fabric.driver}",
        why,
        "exclude the network, move its servers to a network that can be stretched, or use another fabric driver",
    )


def _taken(desired: Desired, network: Network, other: Network) -> Finding:
    return Finding(
        "vlan_in_use",
        Severity.BLOCKER,
        desired.address(KIND, network.id),
        f"VLAN {network.segmentation_id} belongs to another network of the target: {other.name or other.id} ({other.id})",
        "the twin must be on the same VLAN as the network on the source",
        "free the VLAN on the target, or map the physical network to another one in `fabric.physical_networks`",
    )


def _unmapped(desired: Desired, snapshot: Snapshot, network: Network) -> Finding:
    name = desired.site.maps.networks.get(network.name, network.name)
    ids = ", ".join(sorted(found.id for found in named(desired, snapshot, network)))
    return Finding(
        "ambiguous_network" if ids else "network_missing",
        Severity.BLOCKER,
        desired.address(KIND, network.id),
        f"more than one network of the target is named {name}: {ids}" if ids else f"the target has no network named {name}",
        f"the tenant uses the {'external' if network.external else 'shared'} network {network.name}, which is not the tenant's own",
        "create it on the target, or name its counterpart under `maps.networks`",
    )


def _decommission(desired: Desired, snapshot: Snapshot) -> KindPlan:
    known, leaving = by_id(desired.inventory.networks), leaving_networks(desired)
    own = [n for n in snapshot.source.networks if n.project_id == desired.inventory.project.id]
    steps = [removal(KIND, desired.address(KIND, n.id), n.id, LEAVING, source_id=n.id) for n in own if n.id in leaving]
    unknown = [late(desired.address(KIND, n.id), KIND, n.id, n.name) for n in own if n.id not in known]
    return KindPlan(tuple(steps), tuple(unknown))
