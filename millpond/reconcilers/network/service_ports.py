"""Ports that hold the end of a source because they are not the tenant's to delete: those of other services, Octavia's above all.

Octavia keeps the address of a load balancer on a port of the tenant's project (device_owner `Octavia`), and the ports of its amphorae on
the tenant's network in a project of its own (octavia/network/drivers/neutron/allowed_address_pairs.py). Neither is migrated.
"""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.counting import told_of
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.marker import FENCE_OWNER
from millpond.model.network import Port
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers.few import few
from millpond.reconcilers.twins import ids
from millpond.reconcilers.usage import kept_ports, leaving_networks

KIND = "port"
OF_SERVERS = ("compute:", "baremetal:")
OF_NEUTRON = "network:"
GO_WITH_THE_NETWORK = frozenset(("network:dhcp", "network:distributed", "network:floatingip_agent_gateway"))
"""Neutron deletes them itself (neutron/common/_constants.py, AUTO_DELETE_PORT_OWNERS)."""


def of_a_service(port: Port) -> bool:
    """Another than Nova, Ironic and Neutron made it, whose device it serves."""
    owner = port.device_owner
    return bool(owner) and owner != FENCE_OWNER and not owner.startswith((*OF_SERVERS, OF_NEUTRON))


def findings(desired: Desired, snapshot: Snapshot) -> list[Finding]:
    project, kept, leaving = desired.inventory.project.id, kept_ports(desired), leaving_networks(desired)
    routers = ids(snapshot.source.routers)
    own = [
        p
        for p in snapshot.source.ports
        if p.project_id == project and of_a_service(p) and p.id not in kept and p.network_id not in desired.excluded
    ]
    foreign = [
        p
        for p in snapshot.source.ports
        if p.network_id in leaving
        and p.project_id not in ("", project)
        and p.device_owner not in (*GO_WITH_THE_NETWORK, FENCE_OWNER)
        and p.device_id not in routers
    ]
    return [*([_own(desired, own)] if own else []), *([_foreign(desired, foreign)] if foreign else [])]


def _named(ports: Iterable[Port]) -> str:
    return few(f"{port.name or port.id} ({port.device_owner or 'no device'})" for port in ports)


def _own(desired: Desired, ports: list[Port]) -> Finding:
    return Finding(
        "service_port",
        Severity.BLOCKER,
        desired.address(KIND, ""),
        f"{told_of(len(ports), 'port', 'in the source project belongs', 'in the source project belong')} to other services: "
        f"{_named(ports)}",
        "load balancers, and what else other services made, are not migrated: what stands behind these ports would lose its address",
        to_do(
            "exclude a network that no server uses in the manifest; else make anew on the target what they belong to and delete it on the "
            "source",
            "openstack loadbalancer delete LOADBALANCER",
        ),
    )


def _foreign(desired: Desired, ports: list[Port]) -> Finding:
    return Finding(
        "foreign_port",
        Severity.BLOCKER,
        desired.address(KIND, "foreign"),
        f"{told_of(len(ports), 'port', 'of another project is', 'of other projects are')} on networks that are to go: {_named(ports)}",
        "Neutron deletes no network with such a port, and Millpond no port of another project; Octavia has its own for each load balancer",
        "delete what they belong to (a load balancer takes its ports along); a network that no server uses may be excluded in the manifest "
        "instead",
    )
