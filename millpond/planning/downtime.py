"""Since when the servers of a wave are down: since the stop of its cut or, on the way back, since that on the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from millpond.model.cut_record import CutRecord
from millpond.model.desired import Desired
from millpond.model.plan import NOT_KNOWN, Stage, TenantPlan, WaveStatus
from millpond.model.snapshot import Snapshot
from millpond.planning.stages import records
from millpond.reconcilers.record import times
from millpond.reconcilers.twins import marked

Stops = Mapping[str, datetime]
"""When copies on the target were sent to stop, as a journal remembers it."""
NONE: Stops = MappingProxyType({})
_SKEW = timedelta(minutes=1)
"""Between the clocks of two machines that run Millpond."""


def dated(desired: Desired, snapshot: Snapshot, plan: TenantPlan, stopped: Stops) -> TenantPlan:
    """The plan, its outages dated by the journal where that knows more. `stopped`: by server address."""
    waves = {wave.name: wave for wave in desired.waves}
    ids = {str(desired.address("server", id)): id for wave in desired.waves for id in wave.servers}
    told = {ids[address]: at for address, at in stopped.items() if address in ids}

    def anew(status: WaveStatus) -> WaveStatus:
        known = records(snapshot, waves[status.name])
        down = {ids[address]: known[ids[address]] for address in status.down}
        return replace(status, outage_since=since(snapshot, status.stage, down, told))

    return replace(plan, waves=tuple(anew(status) if status.down else status for status in plan.waves))


def since(snapshot: Snapshot, stage: Stage, down: Mapping[str, CutRecord], stopped: Stops = NONE) -> str:
    """ISO 8601, of the first of them that is known; NOT_KNOWN where none is. Empty where no server is down.

    `down` and `stopped` by the id on the source.
    """
    if not down:
        return ""
    found = (_stopped(snapshot, stage, id, record, stopped.get(id)) for id, record in down.items())
    return min((text for text in found if text), key=_moment, default=NOT_KNOWN)


def of_this_cut(record: CutRecord, at: datetime) -> bool:
    """Whether a stop that a journal remembers can be one of this cut's servers: a later run of another machine has its own journal."""
    return at >= _moment(record.cut) - _SKEW


def _stopped(snapshot: Snapshot, stage: Stage, id: str, record: CutRecord, told: datetime | None) -> str:
    """Of one server, empty where nobody knows. A copy that never ran was not stopped: its server is down since the cut."""
    if told and of_this_cut(record, told):
        return told.isoformat(timespec="seconds")
    copies = marked(snapshot.target.servers, id)
    ran = [copy for copy in copies if copy.launched_at]
    gone = not copies and bool(record.booting) and stage in (Stage.DISCARD, Stage.CARRY_BACK)
    if not ran and not gone:
        return record.cut
    seen = [_moment(copy.updated_at) for copy in ran if copy.status == "SHUTOFF" and copy.updated_at]
    seen += _returned(snapshot, record)
    return min(*seen, snapshot.now).isoformat(timespec="seconds") if seen else ""


def _returned(snapshot: Snapshot, record: CutRecord) -> list[datetime]:
    """As long ago as the clocks of the arrays that gave the time say."""
    clocks = {fact.array: fact.now_ms for fact in snapshot.storage.arrays}
    read = times(record.returned)
    return [snapshot.now - timedelta(milliseconds=clocks[array] - ms) for array, ms in read.items() if array in clocks]


def _moment(text: str) -> datetime:
    """The earliest there is for text that is no time: somebody else wrote it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC) + _SKEW
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
