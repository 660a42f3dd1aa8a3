"""A port in Neutron's words, as it must be on the target and as it is there."""

from __future__ import annotations

from typing import Any

from millpond.model.change import UNKNOWN
from millpond.model.desired import Desired
from millpond.model.marker import ADMIN_DOWN_TAG
from millpond.model.network import Port
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.network.bearers import Bearer
from millpond.reconcilers.network.mapping import fixed_ips, network_id, shown_fixed_ips, target_project
from millpond.reconcilers.network.neutron import Wanted
from millpond.reconcilers.twins import by_id, only

DEFAULT = "default"


def wanted(desired: Desired, snapshot: Snapshot, bearer: Bearer) -> Wanted:
    """Admin-up whatever the source has: Nova waits for the port to become active. No device fields: Nova sets them at the boot."""
    port = bearer.port
    network = network_id(desired, snapshot, port.network_id)
    fields = {
        "name": port.name,
        "description": port.description,
        "admin_state_up": True,
        "fixed_ips": fixed_ips(desired, snapshot, port.fixed_ips),
        "port_security_enabled": port.port_security_enabled,
        "allowed_address_pairs": _pairs(port),
        "extra_dhcp_opts": _options(port),
        "binding:vnic_type": port.vnic_type,
    }
    groups = {"security_groups": [_group(snapshot, id) for id in sorted(port.security_groups)]}
    of_itself = _gets_default(desired, snapshot, port)
    return Wanted(
        source_id=port.id,
        address=desired.address("port", port.id),
        key=(network, port.mac_address.lower()),
        fields=fields if of_itself else fields | groups,
        given=groups if of_itself else {},
        fixed={"project_id": target_project(snapshot), "network_id": network, "mac_address": port.mac_address},
        tags=port.tags,
        marks=() if port.admin_state_up else (ADMIN_DOWN_TAG,),
        servers=bearer.servers,
    )


def shown(snapshot: Snapshot, port: Port) -> dict[str, Any]:
    """`port` is the target's. Its groups are in the order of the source's: a saved plan names some that are not there yet."""
    groups = by_id(snapshot.target.security_groups)
    return {
        "name": port.name,
        "description": port.description,
        "admin_state_up": port.admin_state_up,
        "fixed_ips": shown_fixed_ips(snapshot, port.fixed_ips),
        "port_security_enabled": port.port_security_enabled,
        "allowed_address_pairs": _pairs(port),
        "extra_dhcp_opts": _options(port),
        "binding:vnic_type": port.vnic_type,
        "security_groups": sorted(port.security_groups, key=lambda own: groups[own].marker if own in groups else own),
    }


def _pairs(port: Port) -> list[dict[str, str]]:
    """A pair without a MAC address has the port's own."""
    rows = [
        {"ip_address": pair.ip_address, "mac_address": (pair.mac_address or port.mac_address).lower()}
        for pair in port.allowed_address_pairs
    ]
    return sorted(rows, key=lambda row: (row["ip_address"], row["mac_address"]))


def _options(port: Port) -> list[dict[str, Any]]:
    rows = [{"opt_name": o.opt_name, "opt_value": o.opt_value, "ip_version": o.ip_version} for o in port.extra_dhcp_opts]
    return sorted(rows, key=str)


def _group(snapshot: Snapshot, id: str) -> str:
    found = only(snapshot.target.security_groups, id)
    return found.id if found else UNKNOWN


def _gets_default(desired: Desired, snapshot: Snapshot, port: Port) -> bool:
    """A port in `default` alone, in a project that nothing has touched yet, is made without naming groups: Neutron then makes that one."""
    if any(group.name == DEFAULT for group in snapshot.target.security_groups):
        return False
    groups = by_id(desired.inventory.security_groups)
    return [groups[id].name for id in port.security_groups if id in groups] == [DEFAULT]
