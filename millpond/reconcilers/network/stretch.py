"""Stretched networks, by the fabric's driver: joined while servers of both sides may be on them."""

from __future__ import annotations

from millpond.model.change import Change
from millpond.model.desired import Desired
from millpond.model.network import Network
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.fabric import Stretch, driver
from millpond.reconcilers.network.mapping import carried
from millpond.reconcilers.network.segments import Direction, Standing, by_network
from millpond.reconcilers.twins import ambiguous, only

KIND = "stretch"
READS_AFTER: tuple[str, ...] = ("network",)


def observe(providers: Providers, scope: Scope) -> Facts:
    """By the driver, of the target's networks, which the kind `network` has read."""
    if not scope.target:
        return Facts()
    return Facts(fabric={"stretches": driver(providers.site.fabric).observe(providers, scope.seen.target.networks)})


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    """The network of a held segment, or one that cannot be stretched at all, stays as it is."""
    fabric = desired.site.fabric
    own = carried(desired)
    standing = by_network(desired, snapshot, goals)
    return driver(fabric).plan(
        [
            _stretch(desired, snapshot, goals, standing[network.id], network)
            for network in desired.inventory.networks
            if network.id in own
            and standing[network.id].direction is not Direction.HELD
            and not driver(fabric).refusal(network, fabric)
            and not ambiguous(snapshot, "networks", network.id)
        ]
    )


def _stretch(desired: Desired, snapshot: Snapshot, goals: Goals, standing: Standing, network: Network) -> Stretch:
    twin = only(snapshot.target.networks, network.id)
    return Stretch(
        address=desired.address(KIND, network.id),
        network=network,
        twin=twin,
        state=snapshot.fabric.stretches.get(twin.id, "") if twin else "",
        wanted=not standing.settled and not goals.decommission,
        ends=standing.direction is Direction.ONWARD,
        servers=standing.servers,
    )


def perform(change: Change, providers: Providers) -> None:
    driver(providers.site.fabric).perform(change, providers)
