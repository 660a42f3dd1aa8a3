"""Outages as the journal remembers them: from the stop that was sent to the handover, or to the start on the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from millpond.execution.journal import Entry
from millpond.model.outcome import Result

_KINDS = {"source_server", "server"}


@dataclass(frozen=True)
class Outage:
    """`server` is its address, such as `acme/server/web-1`."""

    server: str
    began: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        return (self.ended - self.began).total_seconds()


def outages_of(entries: Iterable[Entry]) -> tuple[Outage, ...]:
    """Those that ended, oldest first. A stop that was tried again counts from the first time."""
    began: dict[str, datetime] = {}
    found: list[Outage] = []
    for entry in entries:
        address, _, action = entry.step.partition("#")
        tenant, kind, name = [*address.split("/", 2), "", ""][:3]
        if kind not in _KINDS or entry.outcome is None or entry.outcome.result is Result.FAILED:
            continue
        server = f"{tenant}/server/{name}"
        if action == "stop":
            began.setdefault(server, entry.at)
        elif kind == "source_server" and action in ("verify", "start") and entry.outcome.result is Result.DONE and server in began:
            found.append(Outage(server, began.pop(server), entry.at + timedelta(seconds=entry.outcome.seconds)))
    return tuple(found)


def stopped_on_target(entries: Iterable[Entry]) -> dict[str, datetime]:
    """Server address → when its copy on the target was first sent to stop, for those of which nothing on the source was stopped, handed
    over or started since. A cut record has no time for that where what the target wrote is discarded."""
    began: dict[str, datetime] = {}
    for entry in entries:
        address, _, action = entry.step.partition("#")
        tenant, kind, name = [*address.split("/", 2), "", ""][:3]
        server = f"{tenant}/server/{name}"
        sent = entry.outcome is None or entry.outcome.result in (Result.DONE, Result.UNKNOWN)
        if kind == "server" and action == "stop" and sent:
            began.setdefault(server, entry.at)
        elif kind == "source_server" and action in ("stop", "verify", "start") and sent:
            began.pop(server, None)
    return began
