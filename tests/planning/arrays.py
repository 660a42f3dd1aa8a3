"""An array in memory: volumes with contents, consistency groups, replicas. It refuses what the real one refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from millpond.errors import Refused
from millpond.model.array import ArrayFacts, ArrayPool, ArrayVolume, ConsistencyGroup, Pair, Replica, ReplicaState, Role
from millpond.providers.ports import PairRequest

GIB = 1024**3


def refused(why: str, status: int = 409) -> Refused:
    return Refused(why, status=status)


@dataclass(frozen=True)
class LunMapping:
    """A volume made visible to a host. `host` is the array's host name, `openstack-host-<iqn or wwpn>` where Cinder made it."""

    host: str
    volume_id: int


@dataclass
class Array:
    """`contents`: volume id → number of the last write. `taken`: replica id → what its running job copies. `clock` in ms."""

    name: str
    clock_ms: Callable[[], int]
    pool: str = "pool-1"
    peers: dict[str, Array] = field(default_factory=dict)
    volumes_: dict[int, ArrayVolume] = field(default_factory=dict)
    groups_: dict[int, ConsistencyGroup] = field(default_factory=dict)
    replicas_: dict[int, Replica] = field(default_factory=dict)
    contents: dict[int, int] = field(default_factory=dict)
    taken: dict[int, dict[int, int]] = field(default_factory=dict)
    mappings: set[LunMapping] = field(default_factory=set)
    last: int = 100
    both_targets_allowed: bool = True
    link_up: bool = True

    def next_id(self) -> int:
        self.last += 1
        return self.last

    # Reading.

    def facts(self) -> ArrayFacts:
        links = {f"serial-{peer}": self.link_up for peer in self.peers}
        return ArrayFacts(self.name, self.name, f"serial-{self.name}", self.clock_ms(), links, replicas_total=len(self.replicas_))

    def pools(self) -> tuple[ArrayPool, ...]:
        return (ArrayPool(self.name, 1, self.pool, 10**6 * GIB, 10**6 * GIB),)

    def volumes(self, names: Sequence[str], ids: Sequence[int] = ()) -> tuple[ArrayVolume, ...]:
        return tuple(self._shown(v) for v in self.volumes_.values() if v.name in names or v.id in ids)

    def all_volumes(self) -> tuple[ArrayVolume, ...]:
        return tuple(self._shown(v) for v in self.volumes_.values())

    def _shown(self, volume: ArrayVolume) -> ArrayVolume:
        side = self.side_of(volume.id)
        group = next((g.id for g in self.groups_.values() if volume.id in g.members), 0)
        hosts = tuple(sorted(m.host for m in self.mappings if m.volume_id == volume.id))
        return replace(
            volume,
            cg_id=group,
            mapped_to=hosts,
            rmr_source=side is not None and side.role is Role.SOURCE,
            rmr_target=side is not None and side.role is Role.TARGET,
            write_protected=side is not None and side.role is Role.TARGET,
        )

    def replicas(self, entities: Sequence[int] | None = None) -> tuple[Replica, ...]:
        return tuple(r for r in self.replicas_.values() if entities is None or r.entity in entities)

    def groups(self) -> tuple[ConsistencyGroup, ...]:
        return tuple(self.groups_.values())

    def clock(self) -> int:
        return self.clock_ms()

    def side_of(self, volume: int) -> Replica | None:
        return next((r for r in self.replicas_.values() if volume in {p.local_id for p in r.pairs}), None)

    def other_ends(self, volume: int) -> list[tuple[Array, int]]:
        """Where the volume is replicated to, or from."""
        side = self.side_of(volume)
        ends = [pair.remote_id for pair in side.pairs if pair.local_id == volume] if side else []
        return [(self._peer(side)[0], remote) for remote in ends] if side else []

    def writable(self, volume: int) -> bool:
        side = self.side_of(volume)
        return side is None or side.role is Role.SOURCE

    def by_name(self, name: str) -> ArrayVolume:
        return next(v for v in self.volumes_.values() if v.name == name)

    # Writing.

    def make(self, name: str, size: int) -> int:
        id = self.next_id()
        self.volumes_[id] = ArrayVolume(self.name, id, name, self.pool, size, used=size // 2)
        self.contents[id] = 0
        return id

    def rename(self, id: int, name: str) -> None:
        self.volumes_[id] = replace(self.volumes_[id], name=name)

    def create_group(self, name: str, pool: str) -> int:
        if any(g.name == name for g in self.groups_.values()):
            raise refused(f"group {name} exists")
        id = self.next_id()
        self.groups_[id] = ConsistencyGroup(self.name, id, name, pool)
        return id

    def add_member(self, group: int, volume: int) -> None:
        if any(volume in g.members for g in self.groups_.values()):
            raise refused("the volume is in a group already")
        if self.side_of(volume):
            raise refused("the volume is replicated already")
        known = self.groups_[group]
        self.groups_[group] = replace(known, members=(*known.members, volume))

    def delete_group(self, group: int) -> None:
        if self.groups_[group].replicated:
            raise refused("the group is replicated")
        del self.groups_[group]

    def pair(self, request: PairRequest) -> int:
        peer = self.peers[request.remote_array]
        members = [(local, remote or peer.make(name, self.volumes_[local].size), name) for local, remote, name in request.members]
        remote_group = request.remote_group
        if request.group and not remote_group:
            remote_group = peer.create_group(self.groups_[request.group].name, request.remote_pool)
            peer.groups_[remote_group] = replace(peer.groups_[remote_group], members=tuple(remote for _, remote, _ in members))
        for local, remote, _ in members:
            if self.side_of(local) or peer.side_of(remote):
                raise refused("a volume has one replica at most")
            if self.volumes_[local].size != peer.volumes_[remote].size:
                raise refused("both ends must have the same size", 400)
        if request.group:
            self._whole(self.groups_[request.group], [local for local, _, _ in members])
            peer._whole(peer.groups_[remote_group], [remote for _, remote, _ in members])
        here, there = self.next_id(), peer.next_id()
        pairs = tuple(Pair(local, remote) for local, remote, _ in members)
        back = tuple(Pair(remote, local) for local, remote, _ in members)
        entity = request.group or pairs[0].local_id
        grouped = bool(request.group)
        self.replicas_[here] = Replica(
            self.name, here, there, Role.SOURCE, ReplicaState.ACTIVE, grouped, entity, pairs, initial=True, job_running=True,
            job_started=self.clock_ms(), sync_interval_ms=request.sync_interval * 1000,
        )  # fmt: skip
        peer.replicas_[there] = Replica(
            peer.name, there, here, Role.TARGET, ReplicaState.NONE, grouped, remote_group or back[0].local_id, back, initial=True
        )
        if grouped:
            self._replicated(request.group, on=True)
            peer._replicated(remote_group, on=True)
        self._take(here)
        return here

    def _whole(self, group: ConsistencyGroup, members: list[int]) -> None:
        if set(group.members) != set(members):
            raise refused("a group is replicated with all its members")

    def _replicated(self, group: int, *, on: bool) -> None:
        self.groups_[group] = replace(self.groups_[group], replicated=on)

    def _take(self, replica: int) -> None:
        self.taken[replica] = {pair.local_id: self.contents[pair.local_id] for pair in self.replicas_[replica].pairs}

    def _source(self, id: int) -> Replica:
        if id not in self.replicas_:
            raise refused("no such replica", 404)
        replica = self.replicas_[id]
        if replica.role is not Role.SOURCE:
            raise refused("only the source side does this")
        return replica

    def _peer(self, replica: Replica) -> tuple[Array, Replica]:
        return next((p, p.replicas_[replica.remote_id]) for p in self.peers.values() if replica.remote_id in p.replicas_)

    def _set(self, id: int, **values: object) -> None:
        self.replicas_[id] = replace(self.replicas_[id], **values)  # type: ignore[arg-type]

    def _begin(self, id: int) -> None:
        self._take(id)
        self._set(id, job_running=True, job_started=self.clock_ms())

    def sync(self, replica: int) -> None:
        known = self._source(replica)
        if known.state is not ReplicaState.ACTIVE:
            raise refused("a suspended replica is not synchronised")
        if known.job_running:
            self._set(replica, pending=True)
        else:
            self._begin(replica)

    def suspend(self, replica: int) -> None:
        if self._source(replica).state is not ReplicaState.ACTIVE:
            raise refused("suspended already")
        self.taken.pop(replica, None)
        self._set(replica, state=ReplicaState.SUSPENDED, job_running=False, job_started=0, pending=False)

    def resume(self, replica: int) -> None:
        known = self._source(replica)
        if known.state is ReplicaState.ACTIVE:
            raise refused("active already")
        if self._peer(known)[1].role is not Role.TARGET:
            raise refused("the remote side is not a target")
        self._set(replica, state=ReplicaState.ACTIVE)
        self._begin(replica)

    def change_role(self, replica: int) -> None:
        if replica not in self.replicas_:
            raise refused("no such replica", 404)
        known = self.replicas_[replica]
        peer = self._peer(known)[1]
        if known.role is Role.SOURCE:
            if known.state is ReplicaState.ACTIVE:
                raise refused("suspend it first")
            if peer.role is Role.TARGET and not self.both_targets_allowed:
                raise refused("the remote side is a target already")
            self._set(replica, role=Role.TARGET, state=ReplicaState.NONE)
        else:
            if peer.state is ReplicaState.ACTIVE:
                raise refused("suspend the source first")
            if known.initial:
                raise refused("the target has no consistent data yet")
            self._set(replica, role=Role.SOURCE, state=ReplicaState.SUSPENDED)

    def unpair(self, replica: int) -> None:
        known = self._source(replica)
        peer, twin = self._peer(known)
        for array, side in ((self, known), (peer, twin)):
            del array.replicas_[side.id]
            array.taken.pop(side.id, None)
            if side.grouped:
                array._replicated(side.entity, on=False)

    def snapshot(self, volume: int, name: str) -> int:
        id = self.make(name, self.volumes_[volume].size)
        self.contents[id] = self.contents[volume]
        known = self.volumes_[volume]
        self.volumes_[volume] = replace(known, snapshots=(*known.snapshots, name))
        return id

    def delete_volume(self, volume: int) -> None:
        if self.side_of(volume):
            raise refused("the volume is replicated")
        name = self.volumes_.pop(volume).name
        for id, known in list(self.volumes_.items()):
            if name in known.snapshots:
                self.volumes_[id] = replace(known, snapshots=tuple(s for s in known.snapshots if s != name))

    # Time.

    def work(self) -> None:
        """Every running job ends; one that waited for it begins."""
        for id, replica in list(self.replicas_.items()):
            if not replica.job_running:
                continue
            peer, twin = self._peer(replica)
            for pair in replica.pairs:
                peer.contents[pair.remote_id] = self.taken[id][pair.local_id]
            point = replica.job_started
            self._set(id, job_running=False, job_started=0, initial=False, restore_point=point, progress=100, pending=False)
            peer._set(twin.id, initial=False, restore_point=point)
            if replica.pending:
                self._begin(id)
