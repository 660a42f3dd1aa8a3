"""A cutover of one wave, and the shortest time in which the simulated services allow it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measure import Cost, VerbFailed, run
from benchmarks.site import PAIRS, TENANT, SiteDirectory
from millpond.execution.journal import Journal
from millpond.execution.outages import outages_of

NAME = "measured"
WORK_REMAINS = 2
FAST = {"speed": 200, "latency": 0, "rates": {"seed": 1e12}}
"""While all is prepared: what is measured then is the product, not the link."""


@dataclass(frozen=True)
class Chain:
    """Virtual seconds of the longest chain of service times in an outage; `attachments` are those of the busiest back end.

    The servers stop side by side, their groups sync side by side; Cinder's driver maps the volumes of one back end one after the other
    (it holds a lock); the server whose volume comes last is then spawned, and its ports come up.
    """

    stop: float
    sync: float
    boot: float
    attach: float
    attachments: int
    port_up: float

    @property
    def seconds(self) -> float:
        return self.stop + self.sync + self.boot + self.attach * self.attachments + self.port_up


@dataclass(frozen=True)
class Cut:
    """`outages` in virtual seconds, shortest first."""

    cost: Cost
    chain: Chain
    outages: tuple[float, ...]

    @property
    def ratio(self) -> float:
        return self.outages[-1] / self.chain.seconds


def prepare(site: SiteDirectory, wave: Sequence[str]) -> Cost:
    """Applies until the tenant is prepared and in sync."""
    site.write(waves=[{"name": NAME, "servers": list(wave), "cutover": False}])
    site.sandbox.control.settings(**FAST)
    costs = []
    for _ in range(10):
        costs.append(run(site, "apply", "--detailed-exitcode", allowed=(0, WORK_REMAINS)))
        site.sandbox.control.advance(60)
        if not costs[-1].mutating:
            return Cost.of(costs)
    raise VerbFailed("the tenant is not prepared after ten applies")


def cut_over(site: SiteDirectory, wave: Sequence[str], speed: float, latency: float) -> Cut:
    site.sandbox.control.settings(speed=speed, latency=latency)
    site.write(waves=[{"name": NAME, "servers": list(wave), "cutover": True}])
    cost = run(site, "apply")
    found = outages_of(Journal.open("", site.path).entries(TENANT))
    outages = sorted(one.seconds * speed for one in found)
    if len(outages) != len(wave):
        raise VerbFailed(f"{len(outages)} of {len(wave)} servers were handed over")
    return Cut(cost, _chain(site, wave), tuple(outages))


def _chain(site: SiteDirectory, wave: Sequence[str]) -> Chain:
    delays = site.sandbox.control.call("GET", "/settings")["delays"]
    types = {volume.id: volume.volume_type for volume in site.inventory.volumes}
    moved = [server for server in site.inventory.servers if server.name in wave]
    lanes = Counter(PAIRS[types[volume.volume_id]] for server in moved for volume in server.volumes)
    return Chain(delays["server_stop"], delays["sync_min"], delays["server_boot"], delays["attach"], max(lanes.values()), delays["port_up"])
