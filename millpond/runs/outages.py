"""How long each server was down, as a run measures it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from millpond.model.address import Side
from millpond.model.change import Change
from millpond.model.compute import Server
from millpond.model.cut_record import CutRecord
from millpond.model.cutover import Outage, Stop
from millpond.model.desired import Desired
from millpond.model.outcome import Outcome, Result
from millpond.model.plan import BACK, Stage, TenantPlan, WaveStatus
from millpond.model.snapshot import Snapshot
from millpond.planning.downtime import Copy, Stops, copy_of, remembered
from millpond.reconcilers.record import times


@dataclass
class Outages:
    """From the moment a stop is sent to the handover; on the way back until the source server is seen ACTIVE again.

    A stop that has no answer yet counts. An outage that a former run began counts from the stop that the journal remembers (`stopped`),
    which was timed by the clock that times its end. Without that it counts from the time in its cut record, as long ago as the clock of
    the array that gave it says. Where that is none of this stop, as where what the target wrote is discarded, it is not measured.
    """

    desired: Desired
    stopped: Stops = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)
    _back: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)
    _sent: dict[str, float] = field(default_factory=dict)
    _down: set[str] = field(default_factory=set)
    _stops: dict[str, Stop] = field(default_factory=dict)
    _unmeasured: set[str] = field(default_factory=set)

    def sending(self, change: Change) -> None:
        """From any thread, just before the call."""
        if _stops(change):
            self._sent[str(self.desired.address("server", change.source_id))] = time.time()

    def stops(self) -> dict[str, Stop]:
        """Server address → what it is down by, sent by this run or a former one. What this run stopped ran until then."""
        return {**self.stopped, **self._stops}

    def all_told(self) -> None:
        """What was to be sent and has no outcome was not sent."""
        self._sent.clear()

    def settled(self, change: Change, outcome: Outcome) -> None:
        address = str(self.desired.address("server", change.source_id))
        if _stops(change):
            sent = self._sent.pop(address, time.time() - outcome.seconds)
            if outcome.result in (Result.DONE, Result.UNKNOWN):
                self._began.setdefault(address, sent)
                side = Side.TARGET if change.kind == "server" else Side.SOURCE
                self._stops.setdefault(address, Stop(datetime.fromtimestamp(sent, UTC), side))
        if change.kind == "source_server" and change.action == "verify" and outcome.result is Result.DONE:
            self._end(address, back=False)

    def seen(self, plan: TenantPlan, snapshot: Snapshot) -> None:
        """To be told of every plan and what it was made of. A record counts as it is first seen: this run may write it anew."""
        stages = {address: wave.stage for wave in plan.waves for address in wave.servers}
        for server in snapshot.source.servers:
            address = str(self.desired.address("server", server.id))
            stage = stages.get(address)
            if stage and address not in self._down and _is_down(server):
                self._down.add(address)
                if address not in self._began and (began := _since(server, stage, snapshot, self.stopped.get(address))) is not None:
                    self._began[address] = began
            back = stage in BACK
            if _is_back(server) if back else _is_over(server):
                self._end(address, back=back)

    def measured(self) -> tuple[tuple[str, float], ...]:
        """Seconds per server address whose outage ended in this run."""
        return tuple(sorted((address, end - self._began[address]) for address, end in self._ended.items()))

    def unmeasured(self) -> tuple[str, ...]:
        """The addresses of servers whose outage ended in this run, and nobody knows when it began."""
        return tuple(sorted(self._unmeasured))

    def just_ended(self) -> Iterator[Outage]:
        """Those that were not asked for yet."""
        for address in sorted(self._ended.keys() - self._told):
            self._told.add(address)
            began, ended = (datetime.fromtimestamp(at, UTC) for at in (self._began[address], self._ended[address]))
            yield Outage(address, began, ended, address in self._back)

    def still(self, waves: Iterable[WaveStatus]) -> tuple[WaveStatus, ...]:
        """The waves with the servers that are down by our doing, seen or not."""
        down = {address: began for address, began in {**self._sent, **self._began}.items() if address not in self._ended}
        return tuple(_down(wave, down) for wave in waves)

    def _end(self, address: str, *, back: bool) -> None:
        if address in self._began and address not in self._ended:
            self._ended[address] = time.time()
            self._back |= {address} if back else set()
        elif address in self._down and address not in self._began:
            self._unmeasured.add(address)


def _stops(change: Change) -> bool:
    return change.action == "stop" and change.kind in ("source_server", "server")


def _is_back(server: Server) -> bool:
    return server.status == "ACTIVE" and server.idle


def _is_over(server: Server) -> bool:
    """The reply to its handover may have been lost."""
    return server.record is not None and bool(server.record.cut and server.record.verified)


def _is_down(server: Server) -> bool:
    """It ran before its cut, was not handed over (or that was taken back), and is not up on the source."""
    record = server.record
    return record is not None and bool(record.cut) and not record.verified and record.power == "active" and server.status != "ACTIVE"


def _since(server: Server, stage: Stage, snapshot: Snapshot, stop: Stop | None) -> float | None:
    """By our clock. None where nobody knows."""
    record = server.record
    if record is None:
        return None
    copy = copy_of(snapshot, stage, server.id, record)
    if told := remembered(record, stage, copy, stop):
        return told.timestamp()
    elapsed = _elapsed(_stamp(record, stage, copy), snapshot)
    return None if elapsed is None else time.time() - elapsed


def _stamp(record: CutRecord, stage: Stage, copy: Copy) -> str:
    """The time in the record that is of the stop by which the server is down, or empty."""
    if stage is Stage.CUT or (stage in BACK and copy is Copy.NEVER_RAN):
        return record.stopped
    return record.returned if stage is Stage.CARRY_BACK and copy is Copy.RAN else ""


def _elapsed(stamp: str, snapshot: Snapshot) -> float | None:
    """Seconds since, by the clock of the array that gave it: how far that is from ours does not matter."""
    clocks = {fact.array: fact.now_ms for fact in snapshot.storage.arrays}
    since = [(clocks[array] - ms) / 1000 for array, ms in times(stamp).items() if array in clocks]
    return max(0.0, *since) if since else None


def _down(wave: WaveStatus, down: Mapping[str, float]) -> WaveStatus:
    begun = [down[address] for address in wave.servers if address in down]
    if not begun or wave.outage_since:
        return wave
    servers = tuple(address for address in wave.servers if address in down)
    return replace(wave, outage_since=datetime.fromtimestamp(min(begun), UTC).isoformat(timespec="seconds"), down=servers)
