"""How long each server was down, as a run measures it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from millpond.model.change import Change
from millpond.model.compute import Server
from millpond.model.cutover import Outage
from millpond.model.desired import Desired
from millpond.model.outcome import Outcome, Result
from millpond.model.plan import Stage, TenantPlan, WaveStatus
from millpond.model.snapshot import Snapshot
from millpond.planning.downtime import of_this_cut
from millpond.reconcilers.record import times

GOING_BACK = (Stage.RETURN, Stage.DISCARD, Stage.CARRY_BACK)


@dataclass
class Outages:
    """From the moment a stop is sent to the handover; on the way back until the source server is seen ACTIVE again.

    A stop that has no answer yet counts. An outage that a former run began on the way back counts from the stop on the target that the
    journal remembers (`stopped`), which was timed by the clock that times its end. Without that, and on the way over, it counts from the
    time in its cut record. There is none where what the target wrote is discarded: that is told as not measured.
    """

    desired: Desired
    stopped: Mapping[str, datetime] = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)
    _back: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)
    _sent: dict[str, float] = field(default_factory=dict)
    _down: set[str] = field(default_factory=set)
    _halted: dict[str, float] = field(default_factory=dict)
    _unmeasured: set[str] = field(default_factory=set)

    def sending(self, change: Change) -> None:
        """From any thread, just before the call."""
        if _stops(change):
            self._sent[str(self.desired.address("server", change.source_id))] = time.time()

    def stopped_on_target(self) -> dict[str, datetime]:
        """Server address → when its copy was sent to stop, by this run or a former one, where it is still down."""
        own = {address: datetime.fromtimestamp(at, UTC) for address, at in self._halted.items()}
        return {**own, **self.stopped}

    def all_told(self) -> None:
        """What was to be sent and has no outcome was not sent."""
        self._sent.clear()

    def settled(self, change: Change, outcome: Outcome) -> None:
        address = str(self.desired.address("server", change.source_id))
        if _stops(change):
            sent = self._sent.pop(address, time.time() - outcome.seconds)
            if outcome.result in (Result.DONE, Result.UNKNOWN):
                self._began.setdefault(address, sent)
                if change.kind == "server":
                    self._halted.setdefault(address, sent)
        if change.kind == "source_server" and change.action == "verify" and outcome.result is Result.DONE:
            self._end(address, back=False)

    def seen(self, plan: TenantPlan, snapshot: Snapshot) -> None:
        """To be told of every plan and what it was made of."""
        stages = {address: wave.stage for wave in plan.waves for address in wave.servers}
        for server in snapshot.source.servers:
            address = str(self.desired.address("server", server.id))
            stage = stages.get(address)
            if address not in self._began and stage and _is_down(server):
                told = self.stopped.get(address)
                if told and server.record and of_this_cut(server.record, told):
                    self._began[address] = told.timestamp()
                elif (elapsed := _down_for(server, stage, snapshot)) is not None:
                    self._began[address] = time.time() - elapsed
                self._down.add(address)
            back = stage in GOING_BACK
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


def _down_for(server: Server, stage: Stage, snapshot: Snapshot) -> float | None:
    """Seconds since the recorded stop, by the clock of the array that gave it. None where nobody knows."""
    record = server.record
    if record is None:
        return None
    stamp = {Stage.CUT: record.stopped, Stage.RETURN: record.stopped, Stage.CARRY_BACK: record.returned}.get(stage, "")
    clocks = {fact.array: fact.now_ms for fact in snapshot.storage.arrays}
    since = [(clocks[array] - ms) / 1000 for array, ms in times(stamp).items() if array in clocks]
    return max(0.0, *since) if since else None


def _down(wave: WaveStatus, down: Mapping[str, float]) -> WaveStatus:
    begun = [down[address] for address in wave.servers if address in down]
    if not begun or wave.outage_since:
        return wave
    servers = tuple(address for address in wave.servers if address in down)
    return replace(wave, outage_since=datetime.fromtimestamp(min(begun), UTC).isoformat(timespec="seconds"), down=servers)
