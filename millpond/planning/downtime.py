"""Since when the servers of a wave are down: since their stop on the source or, where their copies ran, since that on the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from types import MappingProxyType

from millpond.model.address import Side
from millpond.model.cut_record import CutRecord
from millpond.model.cutover import Stop
from millpond.model.desired import Desired
from millpond.model.plan import AFTER_A_BOOT, BACK, NOT_KNOWN, Stage, TenantPlan, WaveStatus
from millpond.model.snapshot import Snapshot
from millpond.planning.stages import records
from millpond.reconcilers.record import times
from millpond.reconcilers.twins import marked

Stops = Mapping[str, Stop]
"""What servers are down by, as a journal remembers it."""
NONE: Stops = MappingProxyType({})
_SKEW = timedelta(minutes=1)
"""Between the clocks of two machines that run Millpond."""


class Copy(Enum):
    """What became of the copy of a server that was booted, or was to be. GONE: it may have run, or may never have been there."""

    NEVER_RAN = auto()
    RAN = auto()
    RUNS = auto()
    GONE = auto()


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


def copy_of(snapshot: Snapshot, stage: Stage, id: str, record: CutRecord) -> Copy:
    copies = marked(snapshot.target.servers, id)
    ran = [copy for copy in copies if copy.launched_at]
    if ran:
        return Copy.RUNS if any(copy.status == "ACTIVE" for copy in ran) else Copy.RAN
    return Copy.GONE if not copies and record.booting and stage in AFTER_A_BOOT else Copy.NEVER_RAN


def remembered(record: CutRecord, stage: Stage, copy: Copy, stop: Stop | None) -> datetime | None:
    """When the server went down, where `stop` can be what it is down by: a later run of another machine has its own journal.

    One whose copy ran is not down by the stop on the source, unless that copy is still to be handed over.
    """
    if stop is None or stop.at < _moment(record.cut) - _SKEW:
        return None
    ran = copy in (Copy.RAN, Copy.RUNS)
    if stop.side is Side.TARGET:
        return None if copy is Copy.RUNS and stage in BACK else stop.at
    return stop.at if stage is Stage.CUT or not ran else None


def _stopped(snapshot: Snapshot, stage: Stage, id: str, record: CutRecord, stop: Stop | None) -> str:
    """Of one server, empty where nobody knows. A copy that never ran was not stopped: its server is down since the cut."""
    copy = copy_of(snapshot, stage, id, record)
    if told := remembered(record, stage, copy, stop):
        return told.isoformat(timespec="seconds")
    if copy is Copy.NEVER_RAN:
        return record.cut
    ran = [copy for copy in marked(snapshot.target.servers, id) if copy.launched_at]
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
