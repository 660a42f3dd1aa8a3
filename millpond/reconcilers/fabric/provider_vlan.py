"""Fabric driver `provider-vlan`: the target's network is made on the same VLAN, which the switches carry to both clouds.

The segment is joined by its creation; the tag `millpond:stretched` says for how long servers of both sides may be on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from millpond.model.address import Side
from millpond.model.change import UNKNOWN, AnyStep, Change, FieldChange
from millpond.model.marker import STRETCHED_TAG, own_tags, tag_for
from millpond.model.network import Network
from millpond.model.site import Fabric
from millpond.providers.ports import Providers
from millpond.reconcilers.base import KindPlan
from millpond.reconcilers.fabric import Stretch

STRETCHED = "stretched"


class ProviderVlan:
    carries = True

    def refusal(self, network: Network, fabric: Fabric) -> str:
        if network.network_type == "vlan":
            return ""
        return (
            f"its type is {network.network_type or 'not known'}: only a network that is a VLAN on the source can be made on the same VLAN"
        )

    def attributes(self, network: Network, fabric: Fabric) -> Mapping[str, Any]:
        return {
            "provider:network_type": "vlan",
            "provider:physical_network": fabric.physical_networks.get(network.physical_network, network.physical_network),
            "provider:segmentation_id": network.segmentation_id,
        }

    def observe(self, providers: Providers, networks: Sequence[Network]) -> Mapping[str, str]:
        return {network.id: STRETCHED for network in networks if STRETCHED_TAG in network.tags}

    def plan(self, stretches: Sequence[Stretch]) -> KindPlan:
        return KindPlan(tuple(step for stretch in stretches for step in _steps(stretch)))

    def perform(self, change: Change, providers: Providers) -> None:
        providers.target.network.set_tags("network", change.parameters["id"], change.parameters["tags"])


def _steps(stretch: Stretch) -> list[AnyStep]:
    stretched = stretch.state == STRETCHED
    steps: list[AnyStep] = []
    if stretch.wanted and not stretched:
        steps.append(_tag(stretch, "add", "servers may be on both sides of the network", (), on=True))
    if stretch.ends and (stretched or steps):
        after = tuple(step.id for step in steps)
        steps.append(_tag(stretch, "remove", "no server of the segment is left on the source", after, on=False))
    return steps


def _tag(stretch: Stretch, action: str, reason: str, after: tuple[str, ...], *, on: bool) -> Change:
    kept = set(stretch.twin.tags if stretch.twin else (*own_tags(stretch.network.tags), tag_for(stretch.network.id)))
    return Change(
        address=stretch.address,
        action=action,
        reason=reason,
        after=after,
        source_id=stretch.network.id,
        servers=stretch.servers,
        side=Side.FABRIC,
        fields=(FieldChange("stretched", not on, on),),
        destination=STRETCHED if on else "target alone",
        parameters={
            "id": stretch.twin.id if stretch.twin else UNKNOWN,
            "tags": sorted(kept | {STRETCHED_TAG} if on else kept - {STRETCHED_TAG}),
        },
    )
