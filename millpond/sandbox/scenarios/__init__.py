"""Worlds to begin with: two clouds, their arrays, and a tenant on the source."""

from collections.abc import Callable

from millpond.sandbox.scenarios import generated, shop, small
from millpond.sandbox.scenarios.foundation import lay
from millpond.sandbox.simulation import Simulation

SCENARIOS: dict[str, Callable[[Simulation], None]] = {"small": small.seed, "shop": shop.seed}


def seed(world: Simulation, scenario: str, servers: int | None = None) -> None:
    """Fills a new world; a world that was seeded before is left as it is.

    With `servers` the tenant is a generated one of that many servers, whatever the scenario. KeyError: no such scenario.
    """
    marker = world.store.table("world/scenario")
    if len(marker):
        return
    marker.insert({"id": scenario if servers is None else f"generated-{servers}"})
    lay(world)
    if servers is None:
        SCENARIOS[scenario](world)
    else:
        generated.seed(world, servers)
    world.settle()
