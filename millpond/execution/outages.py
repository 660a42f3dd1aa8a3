"""Outages as the journal remembers them: from the stop that was sent to the handover, or to the start on the way back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from millpond.execution.journal import Entry
from millpond.model.cutover import Outage
from millpond.model.outcome import Result

_KINDS = {"source_server", "server"}


def outages_of(entries: Iterable[Entry], measured: Iterable[Outage] = ()) -> tuple[Outage, ...]:
    """Those that ended, oldest first: as runs `measured` them, and those of which only the steps are known.

    These last from the stop, the first time that it was tried, to the reply to the handover, or to the start on the way back.
    """
    found = list(measured)
    found += [outage for outage in _by_steps(entries) if not any(_same(outage, known) for known in found)]
    return tuple(sorted(found, key=lambda outage: (outage.ended, outage.server)))


def _same(one: Outage, other: Outage) -> bool:
    return one.server == other.server and one.began <= other.ended and other.began <= one.ended


def _by_steps(entries: Iterable[Entry]) -> list[Outage]:
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
            found.append(Outage(server, began.pop(server), entry.at + timedelta(seconds=entry.outcome.seconds), back=action == "start"))
    return found


_UP_OR_ELSEWHERE = {("source_server", "stop"), ("source_server", "verify"), ("source_server", "start"), ("server", "power_on")}
"""After one of these, a stop on the target is not what a server is down by."""


def stopped_on_target(entries: Iterable[Entry]) -> dict[str, datetime]:
    """Server address → when its copy on the target was first sent to stop, for those of which nothing on the source was stopped, handed
    over or started since, nor the copy started. A cut record has no time for that where what the target wrote is discarded."""
    began: dict[str, datetime] = {}
    for entry in entries:
        address, _, action = entry.step.partition("#")
        tenant, kind, name = [*address.split("/", 2), "", ""][:3]
        server = f"{tenant}/server/{name}"
        sent = entry.outcome is None or entry.outcome.result in (Result.DONE, Result.UNKNOWN)
        if kind == "server" and action == "stop" and sent:
            began.setdefault(server, entry.at)
        elif (kind, action) in _UP_OR_ELSEWHERE and sent:
            began.pop(server, None)
    return began
