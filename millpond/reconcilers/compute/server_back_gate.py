"""On the way back of a wave nothing is stopped on the target for disks that cannot change hands: it would be down meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from millpond.model.change import Waiting
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.plan import AFTER_A_BOOT, GATE
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.compute.server_back import is_stuck
from millpond.reconcilers.compute.source_at_rest import PUT_TO_REST, would_not_start
from millpond.reconcilers.few import few
from millpond.reconcilers.storage.way_back import all_away
from millpond.reconcilers.twins import by_id, marked

ACTION = "stops"
ON_ITS_WAY_DOWN = ("powering-off", "deleting")
"""Tasks of Nova that end with a server that is at rest."""


@dataclass(frozen=True)
class Returning:
    """A server that goes back: as the inventory has it, `here` on the source, and all that stand for it on the target."""

    server: Server
    here: Server
    copies: tuple[Server, ...]
    away: bool
    """Whether any of its disks is still to be given back to the source."""

    @property
    def up(self) -> bool:
        return any(not copy.never_ran and (copy.status != "SHUTOFF" or copy.guest_runs) for copy in self.copies)

    @property
    def stuck(self) -> bool:
        """Whether a person is needed before its copy is stopped. Which one of two copies is meant nobody knows."""
        return (len(self.copies) > 1 and self.up) or any(map(is_stuck, self.copies))

    @property
    def cannot_start(self) -> bool:
        """Its disks are given back to a server that is off, and Nova starts only one that is SHUTOFF, as the cut has left it. Once its copy
        is down, or where it need not start, one of which nothing is up is in nobody's way. What is offloaded cannot be brought to SHUTOFF
        beside its copy: that goes back, and is told once it is to be started."""
        here, record = self.here, self.here.record
        if not (self.away and here.idle and record and record.cut) or here.status == "SHUTOFF":
            return False
        return not here.at_rest or (here.status in PUT_TO_REST and self.up and record.power == "active")

    @property
    def changing(self) -> bool:
        """Whether it leads by itself to where it can be told whether it may be stopped, or started."""
        at_source = self.away and (bool(self.here.task_state) or self.here.guest_runs)
        return at_source or any(map(_is_changing, self.copies))

    @property
    def down(self) -> bool:
        """By its cut, or by its way back: not by the tenant, whose server it is no longer."""
        record = self.here.record
        return record is not None and bool(record.cut) and record.power == "active" and not record.verified and not self.up


def _is_changing(copy: Server) -> bool:
    """What is being built has a gate of its own."""
    if copy.status in ("BUILD", "DELETED"):
        return False
    return copy.guest_runs or not (copy.idle or copy.task_state in ON_ITS_WAY_DOWN)


def gates(desired: Desired, snapshot: Snapshot, goals: Goals) -> tuple[list[Waiting], list[Finding]]:
    """One for each set of servers whose disks change hands together, where one of them is in their way; and what is told of sources.

    While a person is needed, it holds those that are up, also where others of them are down already: their disks cannot change hands
    either before that one is out of the way, so that no stop would end their outage sooner. What only changes its state may be done any
    moment: the sooner the others are stopped then, the shorter is the outage of what is down, so that it holds nobody beside such a one.
    """
    back = _returning(desired, snapshot, goals)
    if not any(one.stuck or one.cannot_start or one.changing for one in back.values()):
        return [], []
    steps: list[Waiting] = []
    findings: list[Finding] = []
    for own in _together(desired, snapshot, back):
        found = _gate(desired, goals, own)
        steps += found
        off = [one for one in own if one.cannot_start and one.here.at_rest] if found else []  # of the others `source_server` tells
        findings += [would_not_start(desired, goals, one.server, one.here) for one in off]
    return steps, findings


def _gate(desired: Desired, goals: Goals, own: list[Returning]) -> list[Waiting]:
    blocked = [one for one in own if one.stuck or one.cannot_start]
    changing = [] if any(one.down for one in own) else [one for one in own if one.changing]
    held = [one for one in own if _is_held(one, own) and (blocked or one not in changing)]
    if not held or not (blocked or changing):
        return []
    names = few(_told(desired, one) for one in blocked or changing)
    reason = f"held by what blocks {names}" if blocked else f"{names}: changing by other hands; until then nothing beside it is stopped"
    address, wave = desired.address(GATE, held[0].server.id), goals.wave(held[0].server.id)
    return [Waiting(address, ACTION, reason, wave=wave, servers=tuple(one.server.id for one in held), long=bool(blocked))]


def _told(desired: Desired, one: Returning) -> str:
    """With the tasks of Nova that it is waited for, on either cloud."""
    tasks = dict.fromkeys(server.task_state for server in (*(one.copies), *((one.here,) if one.away else ())) if server.task_state)
    name = desired.names.get(one.server.id, one.server.id)
    return f"{name} (task {', '.join(tasks)})" if tasks else name


def _is_held(one: Returning, own: Iterable[Returning]) -> bool:
    """One that the tenant has stopped stays the tenant's, to be started again, unless others that are down wait for it alone."""
    record = one.here.record
    return one.up or (record is not None and bool(record.verified) and not any(other.down for other in own))


def _returning(desired: Desired, snapshot: Snapshot, goals: Goals) -> Mapping[str, Returning]:
    here = by_id(snapshot.source.servers)
    back = [server for server in desired.inventory.servers if server.id in here and goals.stage(server.id) in AFTER_A_BOOT]
    away = {id for group in all_away(desired, snapshot) for id in group.servers(desired)} if back else set()
    return {one.id: Returning(one, here[one.id], marked(snapshot.target.servers, one.id), one.id in away) for one in back}


def _together(desired: Desired, snapshot: Snapshot, back: Mapping[str, Returning]) -> list[list[Returning]]:
    """Whose disks change hands with each other's, directly or by a server that has disks of two groups."""
    sets = {id: {id} for id in back}
    for group in all_away(desired, snapshot):
        joined = {other for id in group.servers(desired) if id in sets for other in sets[id]}
        sets |= dict.fromkeys(joined, joined)
    distinct = {id(found): found for found in sets.values()}
    return [[one for key, one in back.items() if key in found] for found in distinct.values()]
