"""At most one live gateway per segment: read again directly before an interface or an external gateway comes up."""

from __future__ import annotations

from millpond.errors import InvariantBroken
from millpond.model.address import Side
from millpond.model.change import Change
from millpond.providers.ports import Providers
from millpond.reconcilers.network.segments import router_interfaces

AGAIN = "look at the routers of both clouds, then run the plan again: nothing was sent"


def only_gateway(change: Change, providers: Providers) -> None:
    """`parameters["other"]` names the routers and networks of the side that must have let go."""
    other = change.parameters["other"]
    network = (providers.target if change.side is Side.SOURCE else providers.source).network
    if not other["project_id"]:
        return
    if change.action == "attach":
        legs = router_interfaces(network.ports(other["project_id"]), other["routers"])
        live = [leg.id for leg in legs if leg.network_id in other["networks"]]
        what = "router interfaces of the segment are still attached"
    else:
        live = [router.id for router in network.routers(other["project_id"]) if router.id in other["routers"] and router.gateway_network_id]
        what = "the external gateway is still set"
    if live:
        side = "target" if change.side is Side.SOURCE else "source"
        raise InvariantBroken(
            f"{what} on the {side}: {', '.join(sorted(live))}", where=str(change.address), fix=AGAIN, command="millpond plan"
        )
