"""Two clouds and two arrays in memory, which a plan is carried out on by the reconcilers' own `perform`.

After every call it is checked that no copy of a server runs twice, that no replica is writable on both sides, that no guest runs on a
read-only disk, that a guest starts on the disk that holds the last writes it is owed, and that no segment has two gateways.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from millpond.errors import InvariantBroken, Refused
from millpond.model.array import Replica, Role
from millpond.model.change import Change
from millpond.model.desired import Desired
from millpond.model.joining import join_servers
from millpond.model.plan import TenantPlan
from millpond.model.site import Site
from millpond.model.snapshot import CloudState, FabricState, Snapshot, StorageState
from millpond.planning.build import build
from millpond.reconcilers.base import Scope
from millpond.reconcilers.fabric import driver
from millpond.reconcilers.invariants import everything_is_known
from millpond.reconcilers.mappings import wwpn
from millpond.reconcilers.registry import BY_KIND
from millpond.reconcilers.storage.reservation import RESERVATIONS
from tests.planning.arrays import Array
from tests.planning.clouds import Cloud
from tests.planning.networking import LEG

EPOCH = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)


class Unsafe(AssertionError):
    """A rule that must hold after every single call did not."""


@dataclass
class World:
    site: Site
    now: datetime = EPOCH
    numbers: dict[str, int] = field(default_factory=dict)
    written: int = 0
    owed: dict[str, int] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    run: str = "run-1"
    tried: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)
    brought_up: set[str] = field(default_factory=set)
    backwards: bool = False
    """Performs what is ready at once in reverse: an executor performs it in any order."""

    def __post_init__(self) -> None:
        pairs = self.site.pool_pairs
        names = sorted({end.array for pair in pairs for end in (pair.source, pair.target)})
        self.arrays = {name: Array(name, self.clock) for name in names}
        for array in self.arrays.values():
            array.peers = {name: peer for name, peer in self.arrays.items() if name != array.name}
        self.source = Cloud("source", self, pairs[0].source.array)
        self.target = Cloud("target", self, pairs[0].target.array)

    def copy(self) -> World:
        return copy.deepcopy(self)

    def clock(self) -> int:
        return int(self.now.timestamp() * 1000)

    def stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%S+00:00")

    def new_id(self, kind: str) -> str:
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        return f"{self.numbers[kind]:08x}-{kind}"  # unique in its first eight digits, as real ones are

    def array(self, name: str) -> Array:
        return self.arrays[name]

    # Observing.

    def snapshot(self) -> Snapshot:
        source, target = self._cloud(self.source), self._cloud(self.target)
        if not target.projects:
            target = replace(
                target, quotas=(), server_groups=(), servers=(), volumes=(), security_groups=(), ports=(), routers=(), floating_ips=()
            )
        arrays = self.arrays.values()
        storage = StorageState(
            tuple(a.facts() for a in arrays),
            tuple(p for a in arrays for p in a.pools()),
            tuple(v for a in arrays for v in a.all_volumes()),
            tuple(r for a in arrays for r in a.replicas()),
            tuple(g for a in arrays for g in a.groups()),
            self._initiators(),
        )
        fabric = FabricState(driver(self.site.fabric).observe(self, target.networks))
        made = Snapshot(self.now, source, target, storage, fabric)
        project = target.project.id if target.project else ""
        return made.with_facts(RESERVATIONS.observe(self, Scope("acme", "", project, made)), self.now)

    def _initiators(self) -> Mapping[tuple[str, str], frozenset[str]] | None:
        fibre = any(wwpn(mapping.host) for array in self.arrays.values() for mapping in array.mappings)
        return self.source.block_storage.initiators("") if fibre else None

    def _cloud(self, cloud: Cloud) -> CloudState:
        compute, storage, network, identity = cloud.compute, cloud.block_storage, cloud.network, cloud.identity
        volumes, ports, groups = storage.volumes(""), network.ports(""), compute.server_groups("")
        quotas = (compute.quota(""), storage.quota(""), network.quota(""))
        return CloudState(
            cloud=cloud.name, user_id=cloud.user_id, projects=tuple(identity.rows.values()), users=identity.users(()),
            roles=identity.roles(), domains=identity.domains(), role_assignments=identity.role_assignments(""),
            quotas=quotas, key_pairs=compute.key_pairs({}), flavors=compute.flavors(), server_groups=groups,
            servers=join_servers(compute.servers(""), ports, volumes, groups), volumes=volumes,
            volume_snapshots=storage.snapshots(""), volume_backups=storage.backups(""), images=cloud.image.images(""), volume_types=storage.volume_types(), storage_pools=storage.storage_pools(),
            security_groups=network.security_groups(""), networks=network.networks(""), subnets=network.subnets(""), ports=ports,
            routers=network.routers(""), floating_ips=network.floating_ips(""), parked=network.parked_floating_ips(),
            agents=network.agents(), extensions=network.extensions(),
        )  # fmt: skip

    def plan(self, desired: Desired, wave: str = "") -> TenantPlan:
        return build(desired, self.snapshot(), run=self.run, tried=frozenset(self.tried), wave=wave)

    # Acting.

    def perform(self, change: Change) -> None:
        """As the executor: a refusal by an invariant or by a service leaves the world as it was, and is told."""
        if change.kind == "server" and change.action == "create":
            booting = self.source.compute.shown(change.source_id).record
            self.tried.add(f"{change.source_id}@{booting.booting if booting else ''}")
        self.now += timedelta(milliseconds=20)
        try:
            everything_is_known(change)
            BY_KIND[change.kind].perform(change, self)
        except (InvariantBroken, Refused) as error:
            error.add_note(f"at {change.id}")
            raise
        self.sent.append(change.id)
        self.check()

    def tick(self, seconds: float = 30.0, *, jobs: bool = True) -> None:
        """Time passes: guests write, and what is under way on clouds and (with `jobs`) arrays ends."""
        self._guests()
        self.now += timedelta(seconds=seconds)
        starting = {id for cloud in (self.source, self.target) for id, s in cloud.compute.rows.items() if self._comes_up(s)}
        self.source.work()
        self.target.work()
        for cloud in (self.source, self.target):
            for id in starting & cloud.compute.rows.keys():
                self._started(cloud, id)
        for array in self.arrays.values() if jobs else ():
            array.work()
        self.check()

    def _comes_up(self, server: object) -> bool:
        return getattr(server, "status", "") == "BUILD" or getattr(server, "task_state", "") == "powering-on"

    def disks(self, cloud: Cloud, server: str) -> Iterable[tuple[str, Array, int]]:
        """(source volume id, array, array volume) of each disk."""
        for attached in cloud.compute.rows[server].volumes:
            volume = cloud.block_storage.shown(attached.volume_id)
            array = self.arrays[cloud.array]
            yield volume.marker or volume.id, array, array.by_name(volume.backend_name).id

    def _running(self, cloud: Cloud) -> list[str]:
        return [id for id, s in cloud.compute.rows.items() if s.status == "ACTIVE"]

    def _guests(self) -> None:
        for cloud in (self.source, self.target):
            for server in self._running(cloud):
                lost = cloud is self.target and self.target.compute.shown(server).marker in self.discarded
                for origin, array, volume in self.disks(cloud, server):
                    self.written += 1
                    array.contents[volume] = self.written
                    if not lost:
                        self.owed[origin] = self.written

    def _started(self, cloud: Cloud, server: str) -> None:
        if cloud.compute.rows[server].status != "ACTIVE":
            return
        for origin, array, volume in self.disks(cloud, server):
            if array.contents[volume] < self.owed.get(origin, 0):
                raise Unsafe(f"{server} starts on {cloud.name} with {origin} at {array.contents[volume]}, owed {self.owed.get(origin)}")

    def discard(self, servers: Iterable[str]) -> None:
        """A person decides that what these servers wrote and will write on the target is lost: what the source holds is what is owed."""
        for server in servers:
            self.discarded.add(server)
            for origin, array, volume in self.disks(self.source, server):
                self.owed[origin] = array.contents[volume]

    def keep(self, servers: Iterable[str]) -> None:
        """A person decides otherwise: what these servers wrote on the target is owed again, wherever it still is."""
        for server in servers:
            self.discarded.discard(server)
            for origin, array, volume in self.disks(self.source, server):
                held = [array.contents[volume], *(peer.contents[remote] for peer, remote in array.other_ends(volume))]
                self.owed[origin] = max(self.owed.get(origin, 0), *held)

    def host_brings_up(self, server: str) -> None:
        """Not our doing, whatever it leads to: until it is stopped, it writes to its disks on the source."""
        self.brought_up.add(server)
        self.source.compute.put(server, status="ACTIVE")

    def check(self) -> None:
        self.brought_up &= set(self._running(self.source))
        self._one_copy()
        for array in self.arrays.values():
            for replica in array.replicas_.values():
                if self._two_sources(replica, array):
                    self._nobody_writes(replica, array)
        for cloud in (self.source, self.target):
            for server in self._running(cloud):
                for origin, array, volume in self.disks(cloud, server):
                    if not array.writable(volume):
                        raise Unsafe(f"{server} runs on {cloud.name} while its disk {origin} is read-only")
        live = {a.ip_address for p in self.source.network.rows["port"].values() if p.device_owner == LEG for a in p.fixed_ips}
        both = live & {a.ip_address for p in self.target.network.rows["port"].values() if p.device_owner == LEG for a in p.fixed_ips}
        if both:
            raise Unsafe(f"two live gateways: {both}")

    def _two_sources(self, replica: Replica, array: Array) -> bool:
        peer = next((p.replicas_.get(replica.remote_id) for p in array.peers.values()), None)
        return replica.role is Role.SOURCE and peer is not None and peer.role is Role.SOURCE

    def _nobody_writes(self, replica: Replica, array: Array) -> None:
        """Both sides are writable: only where the arrays refuse two targets, and while no guest has a disk of the replica."""
        if self.site.replication.fence_first:
            raise Unsafe("both sides of a replica are writable")
        own = {pair.local_id for pair in replica.pairs}
        for cloud in (self.source, self.target):
            for server in set(self._running(cloud)) - self.brought_up:
                if any(array is holder and disk in own for _, holder, disk in self.disks(cloud, server)):
                    raise Unsafe(f"{server} runs on {cloud.name} while both sides of its disks are writable")

    def _one_copy(self) -> None:
        markers = {self.target.compute.shown(id).marker for id in self._running(self.target)}
        twice = markers & set(self._running(self.source))
        if twice:
            raise Unsafe(f"runs on both clouds: {twice}")

    # Running.

    def advance(
        self, desired: Desired, until: Callable[[TenantPlan], bool] | None = None, *, ticks: int = 120, wave: str = "", jobs: bool = True
    ) -> TenantPlan:
        """Carries out all that is ready, tick after tick, until nothing is left (or `until` holds before anything is done)."""
        for _ in range(ticks):
            plan = self.plan(desired, wave)
            if until is not None and until(plan):
                return plan
            ready = [change for change in plan.changes if not change.after]
            for change in reversed(ready) if self.backwards else ready:
                self.perform(change)
            if ready:
                continue
            if not [w for w in plan.waiting if not w.after]:
                return plan
            if all(w.long for w in plan.waiting if not w.after) and not (jobs and self.at_work()):
                return plan
            self.tick(jobs=jobs)
        raise AssertionError(f"no rest after {ticks} ticks: {[step.id for step in plan.steps]}")

    def at_work(self) -> bool:
        return any(r.job_running for a in self.arrays.values() for r in a.replicas_.values())

    def crash(self) -> None:
        """Another run goes on, with every local file lost."""
        self.run = f"run-{int(self.run.partition('-')[2]) + 1}"
        self.tried = set()
        self.now += timedelta(seconds=1)


def at(*ids: str) -> Callable[[TenantPlan], bool]:
    """Whether one of these steps (without the tenant's name) is ready."""
    wanted = {f"acme/{id}" for id in ids}
    return lambda plan: any(change.id in wanted and not change.after for change in plan.changes)


def flagged(desired: Desired, **flags: object) -> Desired:
    """The desired state with other values for waves, by name (a mapping), or for the manifest."""
    waves = tuple(replace(wave, **flags.get(wave.name, {})) for wave in desired.waves)  # type: ignore[arg-type, call-overload]
    rest = {key: value for key, value in flags.items() if key not in {wave.name for wave in desired.waves}}
    return replace(desired, waves=waves, manifest=replace(desired.manifest, **rest))  # type: ignore[arg-type]
