"""What is simulated, put together: two clouds with their services, and the arrays behind them, in one world."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from millpond.sandbox.clouds import SimulatedCloud
from millpond.sandbox.core.releases import ANTELOPE, QUEENS, Release
from millpond.sandbox.core.releases import RELEASES as KNOWN
from millpond.sandbox.core.world import World
from millpond.sandbox.infinibox.array import InfiniBox
from millpond.sandbox.neutron.service import NeutronService
from millpond.sandbox.running_twice import check_running_twice
from millpond.sandbox.settings import Settings

RELEASES: dict[str, Release] = {"source": QUEENS, "target": ANTELOPE}
ARRAYS = ("ibox-a", "ibox-b")


HOSTS = {
    "control": "127.0.0.10",
    "source": "127.0.0.11",
    "target": "127.0.0.12",
    "ibox-a": "127.0.0.21",
    "ibox-b": "127.0.0.22",
}


class Simulation(World):
    def __init__(self, path: Path | None, settings: Settings | None, releases: Mapping[str, Release], port: int) -> None:
        super().__init__(path, settings)
        self.arrays: dict[str, InfiniBox] = {}
        for name in ARRAYS:
            self.arrays[name] = InfiniBox(self, name, self.arrays)
        neutron: dict[str, NeutronService] = {}
        self.clouds = {
            name: SimulatedCloud(name, release, f"http://{HOSTS[name]}:{port}", self, self.arrays, neutron)
            for name, release in self._remembered(releases).items()
        }
        self.watches.append(partial(check_running_twice, self, self.clouds))

    def _remembered(self, releases: Mapping[str, Release]) -> dict[str, Release]:
        """A state file keeps the releases it was begun with."""
        table = self.store.table("world/releases")
        for cloud, release in releases.items():
            if cloud not in table:
                table.insert({"id": cloud, "name": release.name, "ml2": release.ml2})
        return {row["id"]: KNOWN[row["name"]].with_ml2(row["ml2"]) for row in table}


def assemble(
    path: Path | None = None,
    settings: Settings | None = None,
    releases: Mapping[str, Release] = RELEASES,
    port: int = 8180,
) -> Simulation:
    """As the state file `path` has it; empty when that is new or None."""
    return Simulation(path, settings, releases, port)
