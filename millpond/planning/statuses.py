"""Where each wave stands, in words: for status, plans and reports."""

from __future__ import annotations

from millpond.model.array import Replica
from millpond.model.desired import Desired, DesiredWave
from millpond.model.plan import Stage, WaveStatus
from millpond.model.snapshot import Snapshot
from millpond.planning.gates import wave_lag
from millpond.planning.stages import records
from millpond.reconcilers.base import Goals
from millpond.reconcilers.replication import Ends, Group, ends, groups, seeded


def statuses(desired: Desired, snapshot: Snapshot, goals: Goals) -> tuple[WaveStatus, ...]:
    found = {wave.name: [(g, ends(g, snapshot)) for g in groups(desired, snapshot) if g.wave == wave.name] for wave in desired.waves}
    return tuple(_status(desired, snapshot, goals, wave, found[wave.name]) for wave in desired.waves)


def _status(desired: Desired, snapshot: Snapshot, goals: Goals, wave: DesiredWave, found: list[tuple[Group, Ends]]) -> WaveStatus:
    known = records(snapshot, wave)
    stage = goals.stages[wave.name]
    cut = next((record.cut for record in known.values()), "")
    return WaveStatus(
        name=wave.name,
        stage=stage,
        phase=_phase(stage, bool(known), [pair for _, pair in found]),
        servers=tuple(str(desired.address("server", id)) for id in wave.servers),
        cut=cut,
        admitted=wave.name in goals.admitted,
        outage_since=cut if known and stage not in (Stage.HANDED_OVER, Stage.DECOMMISSION) else "",
        lag_seconds=wave_lag(desired, snapshot, wave.name),
        bytes_left=sum(_left(group, pair.source) for group, pair in found if pair.source),
    )


def _phase(stage: Stage, recorded: bool, pairs: list[Ends]) -> str:
    match stage:
        case Stage.HANDED_OVER:
            return "handed over"
        case Stage.DECOMMISSION:
            return "decommissioning"
        case Stage.RETURN | Stage.DISCARD | Stage.CARRY_BACK:
            return "going back"
        case Stage.HELD:
            return "held: cutover is false, rollback is undecided"
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
