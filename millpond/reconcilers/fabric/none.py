"""Fabric driver `none`: one shared provider network reaches both clouds, so that there is nothing to create and nothing to stretch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from millpond.errors import InvariantBroken
from millpond.model.change import Change
from millpond.model.network import Network
from millpond.model.site import Fabric
from millpond.providers.ports import Providers
from millpond.reconcilers.base import KindPlan
from millpond.reconcilers.fabric import Stretch


class Shared:
    carries = False

    def refusal(self, network: Network, fabric: Fabric) -> str:
        return ""

    def attributes(self, network: Network, fabric: Fabric) -> Mapping[str, Any]:
        return {}

    def observe(self, providers: Providers, networks: Sequence[Network]) -> Mapping[str, str]:
        return {}

    def plan(self, stretches: Sequence[Stretch]) -> KindPlan:
        return KindPlan()

    def perform(self, change: Change, providers: Providers) -> None:
        raise InvariantBroken("the fabric driver `none` changes nothing", where=str(change.address))
