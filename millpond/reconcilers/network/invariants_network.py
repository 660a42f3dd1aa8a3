"""What is read again of Neutron directly before a call: one live gateway per segment at most, and only what is ours is deleted."""

from __future__ import annotations

from millpond.errors import InvariantBroken
from millpond.model.address import Side
from millpond.model.change import Change
from millpond.model.marker import FENCE_OWNER
from millpond.model.network import Port
from millpond.providers.ports import Networking, Providers
from millpond.reconcilers.network.segments import router_interfaces

AGAIN = "look at the routers of both clouds, then run the plan again: nothing was sent"


def only_gateway(change: Change, providers: Providers) -> None:
    """`parameters["other"]` names the source's routers, and the networks and addresses, of the side that must have let go."""
    other = change.parameters["other"]
    network = (providers.target if change.side is Side.SOURCE else providers.source).network
    if not other["project_id"]:
        return
    origins = set(other["routers"])
    routers = [router for router in network.routers(other["project_id"]) if origins & {router.id, router.marker}]
    if change.action == "attach":
        ids = sorted({*origins, *(router.id for router in routers)})
        legs = router_interfaces(network.ports(other["project_id"]), ids)
        live = [leg.id for leg in legs if leg.network_id in other["networks"] or _addresses(leg) & set(other["addresses"])]
        what = "router interfaces of the segment are still attached"
    else:
        live = [router.id for router in routers if router.gateway_network_id]
        what = "the external gateway is still set"
    if live:
        side = "target" if change.side is Side.SOURCE else "source"
        raise _refused(change, f"{what} on the {side}: {', '.join(sorted(live))}")


def _addresses(leg: Port) -> set[str]:
    return {address.ip_address for address in leg.fixed_ips}


def port_is_ours(change: Change, network: Networking) -> None:
    """Before a port is deleted outside of a decommissioning: it carries the marker, or was made by Millpond and not marked yet."""
    found = network.port(change.parameters["id"])
    if found is None:
        return
    unmarked = not found.marker and not found.device_id and found.mac_address == change.parameters.get("mac_address")
    if found.marker != change.source_id and found.device_owner != FENCE_OWNER and not unmarked:
        raise _refused(change, f"port {found.id} does not carry the marker of {change.source_id}: Millpond deletes only what it created")


def rule_is_ours(change: Change, network: Networking) -> None:
    """Before a rule is deleted on the target: the group that holds it carries the marker."""
    values = change.parameters
    holding = [group for group in network.security_groups(values["project_id"]) if values["id"] in {rule.id for rule in group.rules}]
    if strange := [group.id for group in holding if group.marker != change.source_id]:
        raise _refused(
            change, f"rule {values['id']} is in security group {strange[0]}, which does not carry the marker of {change.source_id}"
        )


def twin_stands(change: Change, other: Networking) -> None:
    """Before a router's gateway, a floating IP's port or an interface (and its port with it) goes: what takes its place is on the other
    side, a port with its address."""
    twin, what = change.parameters["twin"], change.parameters.get("resource", "port")
    found = {"port": other.port, "router": other.router, "floatingip": other.floating_ip}[what](twin["id"])
    if found is None:
        raise _refused(change, f"{what} {twin['id']}, which is to take its place, is gone from the other side")
    if isinstance(found, Port) and not _addresses(found) & set(twin["addresses"]):
        raise _refused(change, f"port {found.id}, which is to take its place, has none of its addresses: {', '.join(twin['addresses'])}")


def is_parked(change: Change, network: Networking) -> None:
    """Before a floating IP is deleted on the source: it is one that Millpond made to keep an address."""
    found = change.parameters["id"]
    if found not in {one.id for one in network.parked_floating_ips()}:
        raise _refused(change, f"floating IP {found} is not one that Millpond parked")


def _refused(change: Change, why: str) -> InvariantBroken:
    return InvariantBroken(why, where=str(change.address), fix=AGAIN, command="millpond plan")
