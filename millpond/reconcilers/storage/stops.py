"""When the writers to a group of disks were stopped, and whether that still holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from millpond.model.block_storage import Volume
from millpond.model.cut_record import CutRecord
from millpond.model.desired import Desired
from millpond.model.plan import Stage
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.record import times
from millpond.reconcilers.storage.moved_with import recorded_on
from millpond.reconcilers.storage.replication import Ends, Group, away, ends, groups, remote_ends
from millpond.reconcilers.twins import Same, by_id, twin
from millpond.reconcilers.usage import servers_of_volumes


def doubtful(desired: Desired, snapshot: Snapshot, wave: str, key: str) -> bool:
    """Whether what another run knew of a stop in this wave (`stopped`, or `returned`) is void: the side that is to give way is writable.

    Between two runs a host may bring a locked server up and down again.
    """
    return wave in _source_writable_once(Same(desired), Same(snapshot)) if key == "stopped" else away(desired, snapshot, wave)


@lru_cache(maxsize=16)
def _source_writable_once(desired: Same, snapshot: Same) -> frozenset[str]:
    return frozenset(group.wave for group in groups(desired.item, snapshot.item) if ends(group, snapshot.item).source_writable)


def is_stale(desired: Desired, snapshot: Snapshot, goals: Goals, id: str, record: CutRecord, key: str = "stopped") -> bool:
    """Whether the disks of this server, or this volume, may have been written after the stop was timed, which is timed anew: by a run that
    is no longer, or unguarded since. Disks of others void nothing: `stopped_at` has none for their groups, and what has them is timed anew.
    """
    if not getattr(record, key):
        return False
    if record.run != goals.run and doubtful(desired, snapshot, goals.wave(id), key):
        return True
    cut, own = Stage.CUT if key == "stopped" else Stage.CARRY_BACK, servers_of_volumes(desired)
    return any(goals.stage(disk) is cut and id in (disk, *own.get(disk, ())) for disk in unguarded(desired, snapshot, key))


def strangers(desired: Desired, volume: Volume) -> list[str]:
    """Servers of the source that have the volume attached, and neither had it when the inventory was made nor move with it."""
    own = servers_of_volumes(desired).get(volume.id, ())
    return [attachment.server_id for attachment in volume.attachments if attachment.server_id not in own]


def unguarded(desired: Desired, snapshot: Snapshot, key: str = "stopped") -> frozenset[str]:
    """Source ids of volumes that anybody may be writing to, on the side that is to give way and still is writable."""
    return (_unheld_once if key == "stopped" else _in_use_once)(Same(desired), Same(snapshot))


@lru_cache(maxsize=16)
def _unheld_once(desired: Same, snapshot: Same) -> frozenset[str]:
    live = by_id(snapshot.item.source.volumes)
    own = [group for group in groups(desired.item, snapshot.item) if ends(group, snapshot.item).source_writable]
    found = [live[member.volume.id] for group in own for member in group.members if member.volume.id in live]
    return frozenset(v.id for v in found if (v.attachable and not v.held) or strangers(desired.item, v))


@lru_cache(maxsize=16)
def _in_use_once(desired: Same, snapshot: Same) -> frozenset[str]:
    """A volume of the target that is free, or used by a server that stands for none of its own; or in no list, and mapped to a host."""
    own, copies = servers_of_volumes(desired.item), {copy.id: copy.marker for copy in snapshot.item.target.servers}
    backed = {volume.backend_name: volume for volume in snapshot.item.target.volumes}
    disks = {(disk.array, disk.id): disk for disk in snapshot.item.storage.volumes}
    result = []
    for id, end in remote_ends(desired.item, snapshot.item).items():
        disk = disks.get((end.array, end.id))
        volume = twin(snapshot.item, "volumes", id) or (backed.get(disk.name) if disk else None)
        used = _is_in_use(volume, copies, own.get(id, ())) if volume else bool(disk and disk.mapped_to)
        result += [id] if end.writable and used else []
    return frozenset(result)


def _is_in_use(double: Volume, copies: Mapping[str, str], own: tuple[str, ...]) -> bool:
    if not double.attachments:
        return double.status == "available"
    return any(copies.get(attachment.server_id, "") not in own for attachment in double.attachments)


def stopped_at(desired: Desired, snapshot: Snapshot, group: Group, key: str, run: str) -> int:
    """The latest `stopped` (or `returned`) of the group's servers, or of its volumes where it has none: ms on its array's clock.

    0 while one of them is not known, or not by this run where another's word is void.
    """
    array = group.pair.source.array if key == "stopped" else group.pair.target.array
    records = _records(desired, snapshot, group)
    if doubtful(desired, snapshot, group.wave, key) and any(record.run != run for record in records):
        return 0
    if any(member.volume.id in unguarded(desired, snapshot, key) for member in group.members):
        return 0
    values = [times(getattr(record, key)) for record in records]
    known = [value.get(array, 0) for value in values]
    return max(known) if known and all(known) else 0


def covered(found: Ends, stopped: int) -> bool:
    """Whether a sync that began after the stop is complete."""
    return found.source is not None and stopped > 0 and found.source.restore_point >= stopped


def boot_declared(desired: Desired, snapshot: Snapshot, group: Group) -> bool:
    """Whether anything may have been booted on the target since its cut began."""
    return any(record.booting for record in _records(desired, snapshot, group))


def _records(desired: Desired, snapshot: Snapshot, group: Group) -> list[CutRecord]:
    servers, volumes = by_id(snapshot.source.servers), by_id(snapshot.source.volumes)
    carriers = recorded_on(desired, snapshot, group)
    found = [servers[id].record for id in carriers if id in servers] + [volumes[id].record for id in carriers if id in volumes]
    return [record or CutRecord() for record in found]
