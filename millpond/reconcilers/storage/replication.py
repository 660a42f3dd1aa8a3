"""Which volumes replicate together, and how a group stands on its two arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from millpond.model.address import Address
from millpond.model.array import ArrayVolume, ConsistencyGroup, Replica, ReplicaState, Role
from millpond.model.block_storage import Volume
from millpond.model.desired import Desired, DesiredWave
from millpond.model.site import PoolPair
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.storage import group_name
from millpond.reconcilers.twins import Same, by_id, once_per, twin
from millpond.reconcilers.usage import servers_of_volumes

GIB = 1024**3


@dataclass(frozen=True)
class Member:
    """One volume of a group: the source's Cinder volume, its object on the source array, and the name that people know it by."""

    volume: Volume
    local: ArrayVolume
    label: str

    @property
    def remote_name(self) -> str:
        return remote_name(self.volume)


@dataclass(frozen=True)
class Group:
    """`grouped`: one consistency group for all members; otherwise one member with its own replica. `name` is the array's name for it."""

    address: Address
    name: str
    wave: str
    pair: PoolPair
    adoption: str
    grouped: bool
    members: tuple[Member, ...]

    def servers(self, desired: Desired) -> tuple[str, ...]:
        known = servers_of_volumes(desired)
        return tuple(sorted({id for member in self.members for id in known.get(member.volume.id, ())}))


@dataclass(frozen=True)
class Ends:
    """Both ends of a group as observed. `ours` is false when a member replicates or groups elsewhere."""

    source: Replica | None
    target: Replica | None
    local_group: ConsistencyGroup | None
    remote_group: ConsistencyGroup | None

    @property
    def roles(self) -> tuple[Role | None, Role | None]:
        return (self.source.role if self.source else None, self.target.role if self.target else None)

    @property
    def paired(self) -> bool:
        return self.source is not None and self.target is not None

    @property
    def forward(self) -> bool:
        return self.roles == (Role.SOURCE, Role.TARGET)

    @property
    def fenced(self) -> bool:
        return self.roles == (Role.TARGET, Role.TARGET)

    @property
    def promoted(self) -> bool:
        return self.roles == (Role.TARGET, Role.SOURCE)

    @property
    def source_writable(self) -> bool:
        return self.source is not None and self.source.role is Role.SOURCE

    @property
    def both_writable(self) -> bool:
        return self.roles == (Role.SOURCE, Role.SOURCE)


def seeded(replica: Replica) -> bool:
    return replica.restore_point > 0 and not replica.initial


def suspended(replica: Replica) -> bool:
    return replica.state in (ReplicaState.SUSPENDED, ReplicaState.AUTO_SUSPENDED)


@lru_cache(maxsize=16)
def _locals_once(desired: Same, snapshot: Same) -> dict[str, ArrayVolume]:
    arrays = {pair.source.array for pair in desired.item.site.pool_pairs}
    return {volume.name: volume for volume in snapshot.item.storage.volumes if volume.array in arrays}


def local_volume(desired: Desired, snapshot: Snapshot, volume: Volume) -> ArrayVolume | None:
    """The volume's object on one of the site's source arrays, by the name that Cinder gives it."""
    return _locals(desired, snapshot).get(volume.backend_name)


def _locals(desired: Desired, snapshot: Snapshot) -> dict[str, ArrayVolume]:
    return _locals_once(Same(desired), Same(snapshot))


def adoption_stated(desired: Desired, volume: Volume, local: ArrayVolume) -> str:
    """`manage` where the array's size is no whole GiB: a precreated volume could never have the same size."""
    return "manage" if local.size % GIB else desired.adoption(volume.id)


def adoption_of(desired: Desired, snapshot: Snapshot, volume: Volume, local: ArrayVolume) -> str:
    """As stated until it is paired, or a volume is reserved for it, which Cinder would not let go of (api.API.delete); after that what is
    there says it, whatever the manifest has been changed to.
    """
    stated = adoption_stated(desired, volume, local)
    replica, pair = _by_volume(snapshot.storage.replicas).get((local.array, local.id)), pool_pair(desired, local)
    double = twin(snapshot, "volumes", volume.id)
    reserved = double is not None and double.status == "maintenance" and not local.size % GIB
    if replica is None or pair is None:
        return "precreate" if reserved else stated
    if replica.grouped:
        named = group_names(snapshot.storage.groups).get((local.array, replica.entity), "")
        return (group_name.is_of(desired.tenant, named) and group_name.adoption_in(named, pair.name)) or stated
    remote = volume_names(snapshot.storage.volumes).get((pair.target.array, _remote_ids(replica).get(local.id, 0)), "")
    if remote == remote_name(volume):
        return "manage"
    return "precreate" if reserved and double and double.backend_name == remote else stated


def remote_name(volume: Volume) -> str:
    """The name that a remote end made by the replication itself gets (adoption `manage`)."""
    return f"millpond-{volume.id}"


def pool_pair(desired: Desired, local: ArrayVolume) -> PoolPair | None:
    return next((p for p in desired.site.pool_pairs if (p.source.array, p.source.pool) == (local.array, local.pool)), None)


def groups(desired: Desired, snapshot: Snapshot) -> tuple[Group, ...]:
    """One group per wave, pool pair and adoption, or one per volume where the wave asks for it or has but one.

    Volumes without an object on a source array or without a pool pair are in none: preflight says so.
    """
    return _groups_once(Same(desired), Same(snapshot))


@lru_cache(maxsize=16)
def _groups_once(same_desired: Same, same_snapshot: Same) -> tuple[Group, ...]:
    desired, snapshot = same_desired.item, same_snapshot.item
    found = _locals(desired, snapshot)
    volumes = {volume.id: volume for volume in desired.inventory.volumes}
    result: list[Group] = []
    for wave in desired.waves:
        result += _of_wave(desired, snapshot, wave, [volumes[id] for id in wave.volumes if id in volumes], found)
    return tuple(result)


def _of_wave(
    desired: Desired, snapshot: Snapshot, wave: DesiredWave, volumes: Iterable[Volume], found: dict[str, ArrayVolume]
) -> list[Group]:
    sets: dict[tuple[str, str], list[Member]] = {}
    pairs = {pair.name: pair for pair in desired.site.pool_pairs}
    for volume in volumes:
        local = found.get(volume.backend_name)
        pair = pool_pair(desired, local) if local else None
        if local is None or pair is None or volume.encrypted:
            continue
        member = Member(volume, local, desired.names.get(volume.id, volume.id))
        sets.setdefault((pair.name, adoption_of(desired, snapshot, volume, local)), []).append(member)
    result: list[Group] = []
    for (pair_name, adoption), members in sorted(sets.items()):
        result += _split(desired, snapshot, wave, pairs[pair_name], adoption, members)
    return result


def _split(desired: Desired, snapshot: Snapshot, wave: DesiredWave, pair: PoolPair, adoption: str, members: list[Member]) -> list[Group]:
    """What replicates already keeps its group, or its own replica: a volume that comes late gets one of its own."""
    label = f"{wave.name}-{pair.name}{'-manage' if adoption == 'manage' else ''}"
    name = _name(desired, snapshot, wave, pair, adoption, members)
    replicas = _by_volume(snapshot.storage.replicas)
    own = {member.local.id: replicas.get((pair.source.array, member.local.id)) for member in members}
    named = _groups_by_name(snapshot.storage.groups).get((pair.source.array, name))
    joined = [m for m in members if (replica := own[m.local.id]) and named and replica.grouped and replica.entity == named.id]
    fresh = [member for member in members if own[member.local.id] is None]
    if not joined and wave.grouping == "consistency_group" and len(fresh) > 1:
        joined = fresh
    inside = {member.volume.id for member in joined}
    address = Address(desired.tenant, "replication_group", label)
    together = [Group(address, name, wave.name, pair, adoption, True, tuple(joined))] if joined else []
    alone = [
        Group(desired.address("replication_group", member.volume.id), member.local.name, wave.name, pair, adoption, False, (member,))
        for member in members
        if member.volume.id not in inside
    ]
    return [*together, *alone]


def _name(desired: Desired, snapshot: Snapshot, wave: DesiredWave, pair: PoolPair, adoption: str, members: list[Member]) -> str:
    """A group of the wave that has a former name keeps it, on either array."""
    words, known = (desired.tenant, wave.name, pair.name, adoption), _groups_by_name(snapshot.storage.groups)
    made, former = group_name.name(*words), group_name.former(*words)
    here, there = known.get((pair.source.array, former)), known.get((pair.target.array, former))
    if here is None and there is None:
        return made
    twins = [twin(snapshot, "volumes", member.volume.id) for member in members]
    names = {member.remote_name for member in members} | {double.backend_name for double in twins if double is not None}
    local = {member.local.id for member in members}
    remote = {volume.id for volume in snapshot.storage.volumes if volume.array == pair.target.array and volume.name in names}
    begun = known.get((pair.source.array, made))
    if begun is not None and not local.isdisjoint(begun.members):
        return made
    return former if group_name.is_kept([(here, local), (there, remote)]) else made


def grouped(desired: Desired, snapshot: Snapshot) -> frozenset[str]:
    """Source ids of the volumes that are in any of `groups`: of the others preflight says why not."""
    return _grouped_once(Same(desired), Same(snapshot))


@lru_cache(maxsize=16)
def _grouped_once(desired: Same, snapshot: Same) -> frozenset[str]:
    return frozenset(member.volume.id for group in groups(desired.item, snapshot.item) for member in group.members)


@once_per
def _by_volume(replicas: tuple[Replica, ...]) -> dict[tuple[str, int], Replica]:
    return {(replica.array, pair.local_id): replica for replica in replicas for pair in replica.pairs}


@once_per
def _by_number(replicas: tuple[Replica, ...]) -> dict[tuple[str, int], Replica]:
    return {(replica.array, replica.id): replica for replica in replicas}


@once_per
def group_names(groups: tuple[ConsistencyGroup, ...]) -> dict[tuple[str, int], str]:
    return {(group.array, group.id): group.name for group in groups}


@once_per
def volume_names(volumes: tuple[ArrayVolume, ...]) -> dict[tuple[str, int], str]:
    return {(volume.array, volume.id): volume.name for volume in volumes}


@once_per
def _groups_by_name(groups: tuple[ConsistencyGroup, ...]) -> dict[tuple[str, str], ConsistencyGroup]:
    return {(group.array, group.name): group for group in groups}


def ends(group: Group, snapshot: Snapshot) -> Ends:
    """The replica that holds any of the members, its other end, and the consistency groups of the group's name."""
    storage, here, there = snapshot.storage, group.pair.source.array, group.pair.target.array
    replicas = _by_volume(storage.replicas)
    source = next((found for member in group.members if (found := replicas.get((here, member.local.id)))), None)
    target = _by_number(storage.replicas).get((there, source.remote_id)) if source else None
    named = _groups_by_name(storage.groups) if group.grouped else {}
    return Ends(source, target, named.get((here, group.name)), named.get((there, group.name)))


def handed_over_by(desired: Desired, snapshot: Snapshot, goals: Goals, recorded: Iterable[str]) -> dict[str, Any]:
    """What `perform` reads again before the source's copy of a disk is given up. `arrived`: handed over, and gone from the source since."""
    present = {**by_id(snapshot.source.servers), **by_id(snapshot.source.volumes)}
    carriers = list(recorded)
    return {
        "decommission": goals.decommission,
        "recorded": carriers,
        "arrived": [id for id in carriers if id in goals.verified and id not in present],
        "source_project": desired.inventory.project.id,
    }


def away(desired: Desired, snapshot: Snapshot, wave: str) -> bool:
    """Whether any group of the wave still has its writable side on the target."""
    return wave in _away_once(Same(desired), Same(snapshot))


@lru_cache(maxsize=16)
def _away_once(desired: Same, snapshot: Same) -> frozenset[str]:
    return frozenset(group.wave for group in groups(desired.item, snapshot.item) if ends(group, snapshot.item).promoted)


def remote_of(group: Group, found: Ends, member: Member) -> int:
    """The array id of the member's remote end; 0 while unpaired."""
    return _remote_ids(found.source).get(member.local.id, 0) if found.source else 0


@once_per
def _remote_ids(replica: Replica) -> dict[int, int]:
    """Local id → remote id."""
    return {pair.local_id: pair.remote_id for pair in replica.pairs}


@dataclass(frozen=True)
class RemoteEnd:
    """Of one volume that is paired. `replica`: its id on the target's array. `writable`: that side is."""

    array: str
    id: int
    replica: int
    writable: bool


def remote_ends(desired: Desired, snapshot: Snapshot) -> dict[str, RemoteEnd]:
    """By the id of the source's volume; of those that are paired."""
    return _remote_ends_once(Same(desired), Same(snapshot))


@lru_cache(maxsize=16)
def _remote_ends_once(desired: Same, snapshot: Same) -> dict[str, RemoteEnd]:
    result = {}
    for group in groups(desired.item, snapshot.item):
        found = ends(group, snapshot.item)
        for member in group.members if found.target else ():
            if found.target and (remote := remote_of(group, found, member)):
                result[member.volume.id] = RemoteEnd(group.pair.target.array, remote, found.target.id, found.promoted)
    return result
