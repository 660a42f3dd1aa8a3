"""Disks of a cut that goes back, and that are in no replication group any more: renamed on the array, moved to a pool without a pair, or
excluded since. Nothing turns them, so nothing is started on them, and no record of their cut is removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from millpond.model.array import Replica, Role
from millpond.model.block_storage import Volume
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.storage.replication import ends, grouped, groups, local_volume
from millpond.reconcilers.twins import Same, by_id, marked, once_per
from millpond.reconcilers.usage import attached_to, detached_volumes, servers_of_volumes


def strayed(desired: Desired, snapshot: Snapshot, volumes: Iterable[str]) -> list[Volume]:
    """Of these the ones that may be away yet. An excluded one that no source array has lives elsewhere, and never moved."""
    known, own = by_id(desired.inventory.volumes), grouped(desired, snapshot)
    return [known[id] for id in volumes if id in known and id not in own and _may_be_away(desired, snapshot, known[id])]


def of_server(desired: Desired, snapshot: Snapshot, server: str) -> list[Volume]:
    """Its disks, and the detached ones that moved with it: one that was made after the cut did not."""
    return _by_server(Same(desired), Same(snapshot)).get(server, [])


@lru_cache(maxsize=16)
def _by_server(same_desired: Same, same_snapshot: Same) -> dict[str, list[Volume]]:
    """Of each, its disks first."""
    desired, snapshot, own = same_desired.item, same_snapshot.item, servers_of_volumes(same_desired.item)
    detached = (id for id in sorted(detached_volumes(desired)) if _has_moved(snapshot, id))
    index: dict[str, list[Volume]] = {}
    for volume in strayed(desired, snapshot, dict.fromkeys((*attached_to(desired), *detached))):
        for server in own.get(volume.id, ()):
            index.setdefault(server, []).append(volume)
    return index


def _has_moved(snapshot: Snapshot, id: str) -> bool:
    here = by_id(snapshot.source.volumes).get(id)
    return (here is not None and here.record is not None) or bool(marked(snapshot.target.volumes, id))


def _may_be_away(desired: Desired, snapshot: Snapshot, volume: Volume) -> bool:
    local = local_volume(desired, snapshot, volume)
    if local is None:
        return volume.id not in desired.excluded and not volume.encrypted
    return local.rmr_target or (local.array, local.id) in _targets(snapshot.storage.replicas)


@lru_cache(maxsize=16)
def _in_groups(desired: Same, snapshot: Same) -> frozenset[tuple[str, int]]:
    """The disks of the replicas that the groups have, whether or not a group has the disk itself."""
    found = (ends(group, snapshot.item).source for group in groups(desired.item, snapshot.item))
    return frozenset((one.array, pair.local_id) for one in found if one is not None for pair in one.pairs)


@once_per
def _targets(replicas: tuple[Replica, ...]) -> frozenset[tuple[str, int]]:
    return frozenset((one.array, pair.local_id) for one in replicas if one.role is Role.TARGET for pair in one.pairs)


def findings(desired: Desired, snapshot: Snapshot, disks: Sequence[Volume], wave: str) -> list[Finding]:
    """One for each, but where the replica is a group's that lacks the disk: the blocker of that group tells it."""
    known = _in_groups(Same(desired), Same(snapshot))
    local = {disk.id: local_volume(desired, snapshot, disk) for disk in disks}
    untold = (disk for disk in disks if (found := local[disk.id]) is None or (found.array, found.id) not in known)
    return [_not_given_back(desired, snapshot, disk, wave) for disk in untold]


def _not_given_back(desired: Desired, snapshot: Snapshot, volume: Volume, wave: str) -> Finding:
    local = local_volume(desired, snapshot, volume)
    where = f"no source array has a volume called {volume.backend_name}: what it was renamed to is not known"
    back = f"give it its name again on the array ({volume.backend_name})"
    if local is not None:
        where = f"{local.name} on {local.array} (pool {local.pool}) is the write-protected side of a replica"
        back = "move it back into its pool, or add a pool pair that leads from the one it is in"
    if volume.id in desired.excluded:
        back = "take it out of `exclude` until the wave has gone back"
    return Finding(
        "not_given_back",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        "the disk was cut over, is to go back, and is in no replication group any more",
        f"{where}; a server that is started on it could not write, and lacks what was written on the target",
        f"{back}; the next apply goes on",
        wave=wave,
    )
