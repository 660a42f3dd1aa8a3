"""Outages as the journal remembers them: from the stop that was sent to the handover, or to the start on the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from millpond.execution.journal import Entry
from millpond.model.address import Side
from millpond.model.cutover import Outage, Stop
from millpond.model.outcome import Result

_SENT = (Result.DONE, Result.UNKNOWN)
_SIDES = {"source_server": Side.SOURCE, "server": Side.TARGET}


def outages_of(entries: Iterable[Entry], measured: Iterable[Outage] = ()) -> tuple[Outage, ...]:
    """Those that ended, oldest first: as runs `measured` them, and those of which only the steps are known.

    These last from the stop, the first time that it was sent, to the reply to the handover, or to the start on the way back.
    """
    return _all(_Steps().read(entries).ended, measured)


def outages_and_stops(entries: Iterable[Entry], measured: Iterable[Outage] = ()) -> tuple[tuple[Outage, ...], dict[str, Stop]]:
    """Those that ended, as `outages_of` tells them, and what the servers that are still down are down by."""
    steps = _Steps().read(entries)
    found = _all(steps.ended, measured)
    over = {(outage.server, outage.ended) for outage in found}
    return found, {server: stop for server, stop in steps.down.items() if not any(one == server and end >= stop.at for one, end in over)}


def stops_of(entries: Iterable[Entry]) -> dict[str, Stop]:
    """Server address → what it is down by, where nothing that ends an outage was sent since, with or without a reply.

    A copy that was stopped on the target had come to run: its server is down by that stop, no longer by the one on the source.
    """
    return _Steps(doubtful=True).read(entries).down


def _all(told: Iterable[Outage], measured: Iterable[Outage]) -> tuple[Outage, ...]:
    found = list(measured)
    found += [outage for outage in told if not any(_same(outage, known) for known in found)]
    return tuple(sorted(found, key=lambda outage: (outage.ended, outage.server)))


def _same(one: Outage, other: Outage) -> bool:
    return one.server == other.server and one.began <= other.ended and other.began <= one.ended


@dataclass
class _Steps:
    """`doubtful`: what nobody knows the outcome of counts as done. Otherwise a stop counts that may have been, and an end that was."""

    doubtful: bool = False
    down: dict[str, Stop] = field(default_factory=dict)
    ended: list[Outage] = field(default_factory=list)

    def read(self, entries: Iterable[Entry]) -> _Steps:
        for entry in entries:
            address, _, action = entry.step.partition("#")
            tenant, kind, name = [*address.split("/", 2), "", ""][:3]
            if kind in _SIDES and (entry.outcome.result in _SENT if entry.outcome else self.doubtful):
                self._step(entry, f"{tenant}/server/{name}", _SIDES[kind], action)
        return self

    def _step(self, entry: Entry, server: str, side: Side, action: str) -> None:
        by = self.down.get(server)
        match side, action:
            case _, "stop":
                if by is None or by.side is not side:
                    self.down[server] = Stop(entry.at, side)
            case Side.SOURCE, "verify" | "start":
                self._end(entry, server, back=action == "start")
            case Side.SOURCE, "record" | "forget:millpond.cut":  # whatever it was down by is of no cut any more
                self.down.pop(server, None)
            case Side.TARGET, "power_on" | "delete":  # the copy runs again; or the source does, and this goes last
                if by and by.side is Side.TARGET:
                    del self.down[server]

    def _end(self, entry: Entry, server: str, *, back: bool) -> None:
        """A copy whose stop was followed by its handover was to be off: its server was when it was found."""
        if not self.doubtful and (entry.outcome is None or entry.outcome.result is not Result.DONE):
            return
        by = self.down.pop(server, None)
        if by and entry.outcome and (back or by.side is Side.SOURCE):
            self.ended.append(Outage(server, by.at, entry.at + timedelta(seconds=entry.outcome.seconds), back))
