"""Which servers a group of disks is cut with, and goes back with."""

from __future__ import annotations

from collections.abc import Mapping

from millpond.model.cut_record import CutRecord
from millpond.model.desired import Desired, DesiredWave
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.storage.replication import Group
from millpond.reconcilers.twins import by_id
from millpond.reconcilers.usage import attached_to


def moved_with(desired: Desired, snapshot: Snapshot, group: Group) -> tuple[str, ...]:
    """The servers that have one of the group's volumes, and, where one is detached, those of its wave.

    Once its cut has begun, of these only those that carry a record of a cut: one that came into the wave since is not cut with it.
    """
    own, attached = [member.volume.id for member in group.members], attached_to(desired)
    having = {id for volume in own for id in attached.get(volume, ())}
    if all(attached.get(volume) for volume in own):
        return tuple(sorted(having))
    wave = next(wave for wave in desired.waves if wave.name == group.wave)
    servers, live = by_id(snapshot.source.servers), by_id(snapshot.source.volumes)
    having |= {held.server_id for volume in own if volume in live for held in live[volume].attachments if held.server_id in wave.servers}
    records = {id: record for id in wave.servers if id in servers and (record := servers[id].record) and record.cut}
    return tuple(sorted(having | (records.keys() if _is_cut(snapshot, wave, records) else set(wave.servers))))


def recorded_on(desired: Desired, snapshot: Snapshot, group: Group) -> tuple[str, ...]:
    """Which of the source's servers carry the group's cut records; its volumes, in a wave that has no servers."""
    wave = next(wave for wave in desired.waves if wave.name == group.wave)
    return moved_with(desired, snapshot, group) if wave.servers else tuple(member.volume.id for member in group.members)


def _is_cut(snapshot: Snapshot, wave: DesiredWave, records: Mapping[str, CutRecord]) -> bool:
    """On the way back whatever is recorded. Where nothing but records was written, a wave is judged again as a whole."""
    if not wave.cutover:
        return bool(records)
    return begun(snapshot, {id: record for id, record in records.items() if record.wave in ("", wave.name) and not record.verified})


def begun(snapshot: Snapshot, running: Mapping[str, CutRecord]) -> bool:
    """Whether more than the records of a cut was written."""
    servers = by_id(snapshot.source.servers)
    locked = {id for id, record in running.items() if id in servers and servers[id].locked and record.locked == "no"}
    return bool(locked) or any(record.stopped or record.booting or record.locked == "retaken" for record in running.values())
