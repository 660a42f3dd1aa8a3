"""What a wave under way was not admitted with: it is left as it is found, and the wave goes on without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from millpond.model.cut_record import CutRecord
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.plan import BACK, Stage
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.storage.moved_with import begun, moved_with
from millpond.reconcilers.storage.replication import ends, groups, local_volume
from millpond.reconcilers.twins import by_id, marked
from millpond.reconcilers.usage import attached_to

Records = Mapping[str, CutRecord]


@dataclass(frozen=True)
class Latecomers:
    """Source ids of servers and volumes: see `Goals.late` and `Goals.untouched`."""

    late: frozenset[str] = frozenset()
    untouched: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()


def is_admitted(snapshot: Snapshot, wave: DesiredWave, known: Records, stage: Stage) -> bool:
    """Whether the wave's cut is admitted: every carrier has its record, or more than records was written.

    The last record of a wave stands before its first lock, stop or time: one that is missing then belongs to what came later. Where
    nothing but records was written, the wave is judged again as a whole.
    """
    if stage is not Stage.CUT:
        return bool(known)
    running = {id: record for id, record in known.items() if record.wave in ("", wave.name) and not record.verified}
    return bool(running) and (not _without(snapshot, wave, known) or begun(snapshot, running))


def _without(snapshot: Snapshot, wave: DesiredWave, known: Records) -> set[str]:
    """Carriers of the wave that the source lists and that have no record of its cut."""
    present = by_id(snapshot.source.servers) if wave.servers else by_id(snapshot.source.volumes)
    return {id for id in (wave.servers or wave.volumes) if id in present and id not in known}


def latecomers(desired: Desired, snapshot: Snapshot, wave: DesiredWave, known: Records, stage: Stage, *, admitted: bool) -> Latecomers:
    foreign = _foreign(wave, known, stage)
    done = {id for id, record in known.items() if stage is Stage.CUT and record.verified and not wave.servers}
    untouched = foreign | done | _volumes_of(desired, wave, foreign)
    findings = [_another_wave(desired, wave, id, known[id]) for id in sorted(foreign)]
    if not admitted or (stage is not Stage.CUT and stage not in BACK):
        return Latecomers(frozenset(), frozenset(untouched), tuple(findings))
    joining = _without(snapshot, wave, known) - _bound(desired, snapshot, wave, known)
    late = joining | _volumes_of(desired, wave, joining)
    loose = _never_paired(desired, snapshot, wave)
    if stage is Stage.CUT:
        findings += [_joins_next(desired, wave, id) for id in sorted(joining)] + [_takes_no_part(desired, wave, id) for id in sorted(loose)]
    return Latecomers(frozenset(late), frozenset(untouched | loose), tuple(findings))


def _bound(desired: Desired, snapshot: Snapshot, wave: DesiredWave, known: Records) -> set[str]:
    """What shares a replica with servers, or volumes, that have the record: its volumes were paired with theirs."""
    own = [group for group in groups(desired, snapshot) if group.wave == wave.name and ends(group, snapshot).source]
    sets = [{*(moved_with(desired, snapshot, group) or (member.volume.id for member in group.members))} for group in own]
    return {id for members in sets if members & known.keys() for id in members}


def _volumes_of(desired: Desired, wave: DesiredWave, servers: set[str]) -> set[str]:
    """Volumes of the wave that are attached to none but these servers."""
    attached = attached_to(desired)
    return {id for id in wave.volumes if attached.get(id) and servers.issuperset(attached[id])}


def _foreign(wave: DesiredWave, known: Records, stage: Stage) -> set[str]:
    """What is in the middle of another wave's cut."""
    return {id for id, record in known.items() if stage is Stage.CUT and record.wave not in ("", wave.name) and not record.verified}


def _never_paired(desired: Desired, snapshot: Snapshot, wave: DesiredWave) -> set[str]:
    """Detached volumes, of a wave of servers, that have neither a replica nor a twin: a wave is admitted with both."""
    attached, volumes = attached_to(desired), by_id(desired.inventory.volumes)
    loose = [volumes[id] for id in wave.volumes if wave.servers and id in volumes and id not in attached]
    found = {volume.id: local_volume(desired, snapshot, volume) for volume in loose if not marked(snapshot.target.volumes, volume.id)}
    return {id for id, local in found.items() if local is not None and not (local.rmr_source or local.rmr_target)}


def _another_wave(desired: Desired, wave: DesiredWave, id: str, record: CutRecord) -> Finding:
    name = desired.names.get(id, id)
    return Finding(
        "cut_of_another_wave",
        Severity.BLOCKER,
        desired.address("server" if wave.servers else "volume", id),
        f"{name} is in the middle of cut {record.cut} of wave {record.wave}, and the manifest has it in wave {wave.name}",
        "a cut is finished, or goes back, in the wave that was admitted; this one's window and brakes were never asked about it",
        f"put {name} back into a wave of the name {record.wave} in tenants/{desired.tenant}.yaml until its cut is over",
        wave=wave.name,
    )


def _joins_next(desired: Desired, wave: DesiredWave, id: str) -> Finding:
    name = desired.names.get(id, id)
    return Finding(
        "joins_next_cut",
        Severity.WARNING,
        desired.address("server" if wave.servers else "volume", id),
        f"{name} came into wave {wave.name} after its cut had begun: it stays as it is found and joins the next cut",
        "the wave was admitted without it",
        "nothing to do: once the wave is handed over, the same flag cuts it, through the wave's gate",
        wave=wave.name,
    )


def _takes_no_part(desired: Desired, wave: DesiredWave, id: str) -> Finding:
    name = desired.names.get(id, id)
    return Finding(
        "not_in_this_cut",
        Severity.WARNING,
        desired.address("volume", id),
        f"volume {name} came into wave {wave.name} after its cut had begun: it is not moved with it",
        "it was never replicated, and the wave does not wait for a first copy in the middle of its outage",
        f"name it under the volumes of a later wave in tenants/{desired.tenant}.yaml",
        wave=wave.name,
    )
