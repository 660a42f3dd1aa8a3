"""Where each wave stands, in words: for status, plans and reports."""

from __future__ import annotations

from collections.abc import Mapping

from millpond.model.array import Replica
from millpond.model.cut_record import CutRecord
from millpond.model.desired import Desired, DesiredWave
from millpond.model.plan import DECOMMISSIONED, Stage, WaveStatus
from millpond.model.snapshot import Snapshot
from millpond.planning.brakes import wave_lag
from millpond.planning.downtime import since
from millpond.planning.stages import records
from millpond.reconcilers.base import Goals
from millpond.reconcilers.storage.replication import Ends, Group, ends, groups, seeded


def statuses(desired: Desired, snapshot: Snapshot, goals: Goals) -> tuple[WaveStatus, ...]:
    found = {wave.name: [(g, ends(g, snapshot)) for g in groups(desired, snapshot) if g.wave == wave.name] for wave in desired.waves}
    return tuple(_status(desired, snapshot, goals, wave, found[wave.name]) for wave in desired.waves)


def _status(desired: Desired, snapshot: Snapshot, goals: Goals, wave: DesiredWave, found: list[tuple[Group, Ends]]) -> WaveStatus:
    known = records(snapshot, wave)
    stage = goals.stages[wave.name]
    cut = next((record.cut for record in known.values()), "")
    down = _down(snapshot, wave, known)
    return WaveStatus(
        name=wave.name,
        stage=stage,
        phase=DECOMMISSIONED
        if _left_nothing(snapshot, stage, wave)
        else _phase(desired, snapshot, stage, bool(known), [pair for _, pair in found]),
        servers=tuple(str(desired.address("server", id)) for id in wave.servers),
        cut=cut,
        admitted=wave.name in goals.admitted,
        outage_since=since(snapshot, stage, {id: known[id] for id in down}),
        down=tuple(str(desired.address("server", id)) for id in down),
        lag_seconds=wave_lag(desired, snapshot, wave.name, recorded=bool(known)),
        verified=tuple(str(desired.address("server", id)) for id in wave.servers if id in goals.verified),
        bytes_left=sum(_left(group, pair.source) for group, pair in found if pair.source),
    )


def _down(snapshot: Snapshot, wave: DesiredWave, known: Mapping[str, CutRecord]) -> list[str]:
    """The servers of the wave that ran before its cut and run on neither side. One that was handed over is its tenant's to stop; the way
    back makes it ours again before it stops it."""
    running = {s.id for s in snapshot.source.servers if s.status == "ACTIVE"}
    running |= {s.marker for s in snapshot.target.servers if s.status == "ACTIVE"}
    ours = {id for id, r in known.items() if r.power == "active" and not r.verified}
    return [id for id in wave.servers if id in ours - running]


def _left_nothing(snapshot: Snapshot, stage: Stage, wave: DesiredWave) -> bool:
    """The source project itself may stay: for what the manifest excludes."""
    present = {item.id for items in (snapshot.source.servers, snapshot.source.volumes) for item in items}
    return stage is Stage.DECOMMISSION and not present & {*wave.servers, *wave.volumes}


def _phase(desired: Desired, snapshot: Snapshot, stage: Stage, recorded: bool, pairs: list[Ends]) -> str:
    """The source's project goes last: where it is gone nothing of a decommissioning is left to do."""
    if snapshot.source.project is None:
        return DECOMMISSIONED if desired.manifest.decommission else "gone from the source"
    match stage:
        case Stage.HANDED_OVER:
            return "handed over"
        case Stage.DECOMMISSION:
            return "decommissioning"
        case Stage.RETURN | Stage.DISCARD | Stage.CARRY_BACK:
            return "going back"
        case Stage.HELD:
            return "held: a person must decide"
        case Stage.CUT if recorded:
            return "cutting over"
    if not pairs or not all(pair.paired for pair in pairs):
        return "preparing"
    return "in sync" if all(pair.source and seeded(pair.source) for pair in pairs) else "seeding"


def _left(group: Group, replica: Replica) -> int:
    if seeded(replica):
        return 0
    total = sum(member.local.used or member.local.size for member in group.members)
    return int(total * (100 - replica.progress) / 100)
