"""The one call of a Neutron change, by its parameters."""

from __future__ import annotations

from collections.abc import Callable

from millpond.errors import NotFound
from millpond.model.address import Side
from millpond.model.change import Change
from millpond.providers.ports import Networking, Providers
from millpond.reconcilers.invariants import everything_is_known
from millpond.reconcilers.invariants_decommission import decommission_admitted
from millpond.reconcilers.network.invariants_network import is_parked, port_is_ours, rule_is_ours, twin_stands


def network_api(change: Change, providers: Providers) -> Networking:
    return (providers.source if change.side is Side.SOURCE else providers.target).network


def perform(change: Change, providers: Providers) -> None:
    """The call that `parameters` describe. What is to be deleted and is gone counts as deleted.

    Raises InvariantBroken, before anything is sent, while an id is not known yet.
    """
    values = change.parameters
    everything_is_known(change)
    network = network_api(change, providers)
    match values["call"]:
        case "create":
            network.create(values["resource"], values["body"])
        case "update":
            if "twin" in values:
                twin_stands(change, _other(change, providers))
            network.update(values["resource"], values["id"], values["body"])
        case "tag":
            network.set_tags(values["resource"], values["id"], values["tags"])
        case "attach":
            network.add_router_interface(values["id"], values["port_id"])
        case "detach":
            if change.kind == "router":
                decommission_admitted(change, providers)
            else:
                twin_stands(change, _other(change, providers))
            _absent(lambda: network.remove_router_interface(values["id"], values["port_id"]))
        case "delete":
            _may_go(change, providers)
            _absent(lambda: network.delete(values["resource"], values["id"]))


def _other(change: Change, providers: Providers) -> Networking:
    return (providers.target if change.side is Side.SOURCE else providers.source).network


def _may_go(change: Change, providers: Providers) -> None:
    if change.side is Side.SOURCE and change.danger:
        decommission_admitted(change, providers)
    elif change.parameters["resource"] == "port":
        port_is_ours(change, network_api(change, providers))
    elif change.parameters["resource"] == "security_group_rule":
        rule_is_ours(change, network_api(change, providers))
    elif change.parameters["resource"] == "floatingip":
        is_parked(change, network_api(change, providers))


def _absent(call: Callable[[], None]) -> None:
    try:
        call()
    except NotFound:
        return
