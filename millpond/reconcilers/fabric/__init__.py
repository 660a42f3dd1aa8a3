"""What joins a network of the source with its twin on the target. Drivers are entry points of the group `millpond.fabric`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from millpond.errors import InvalidDocument, Problem
from millpond.model.address import Address
from millpond.model.change import Change
from millpond.model.network import Network
from millpond.model.site import Fabric
from millpond.providers.ports import Providers
from millpond.reconcilers.base import KindPlan

GROUP = "millpond.fabric"


@dataclass(frozen=True)
class Stretch:
    """One network to join. `state`: what the driver observed of it, empty where it saw none. `wanted`: both sides are in use; `ends`: the
    goal is the target alone. `servers` are source ids.
    """

    address: Address
    network: Network
    twin: Network | None
    state: str
    wanted: bool
    ends: bool
    servers: tuple[str, ...] = ()


class Driver(Protocol):
    """A way to stretch networks. `carries` false: the tenant's networks exist on the target already and are found by name."""

    carries: bool

    def refusal(self, network: Network, fabric: Fabric) -> str:
        """Why this source network cannot be stretched; empty if it can."""
        ...

    def attributes(self, network: Network, fabric: Fabric) -> Mapping[str, Any]:
        """What its twin is created with, in the words of Neutron's provider extension."""
        ...

    def observe(self, providers: Providers, networks: Sequence[Network]) -> Mapping[str, str]:
        """How the stretches of the tenant's networks on the target stand, by reading alone: network id → state, in its own words.

        It is asked in every look at a tenant whose steps may have moved a stretch: in bulk, and never one request per network.
        """
        ...

    def plan(self, stretches: Sequence[Stretch]) -> KindPlan:
        """Pure: the steps that begin and end the stretches."""
        ...

    def perform(self, change: Change, providers: Providers) -> None:
        """One mutating call."""
        ...


def driver_names() -> tuple[str, ...]:
    """The drivers that installed packages provide."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


@cache
def _load(name: str) -> Driver:
    found = [point for point in entry_points(group=GROUP) if point.name == name]
    if not found:
        known = ", ".join(driver_names())
        problem = Problem("millpond.yaml", f"no fabric driver is named {name!r}", "no installed package provides it", f"one of: {known}")
        raise InvalidDocument((problem,))
    return cast("Driver", found[0].load()())


def driver(fabric: Fabric) -> Driver:
    """The driver that the site names. Raises InvalidDocument for a name that no installed package provides."""
    return _load(fabric.driver)
