"""A server on the source whose wave goes back, and of which nothing gives a disk back: nothing is stopped for it, nothing started on it."""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.change import Waiting
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.plan import AFTER_A_BOOT, GATE
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.storage import strayed
from millpond.reconcilers.storage.way_back import beside, copy_may_be_up
from millpond.reconcilers.twins import by_id


def be_given_back(ladder: Ladder, desired: Desired, snapshot: Snapshot, server: Server) -> None:
    """What is waited for before it starts, or its record is removed."""
    if strayed.of_server(desired, snapshot, server.id):
        ladder.wait("give_back", "held by the blocker of its disk: nothing gives it back", long=True)


def gates(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterable[Waiting]:
    """What runs on the target is not stopped for such disks: it would be down meanwhile."""
    here = by_id(snapshot.source.servers)
    for server in desired.inventory.servers:
        found = here.get(server.id)
        if found is None or found.record is None or not found.record.cut or goals.stage(server.id) not in AFTER_A_BOOT:
            continue
        if not strayed.of_server(desired, snapshot, server.id):
            continue
        if up := tuple(id for id in beside(desired, snapshot, [server.id]) if copy_may_be_up(snapshot, id)):
            reason = f"nothing gives a disk of {server.name} back to the source"
            address, wave = desired.address(GATE, server.id), goals.wave(server.id)
            yield Waiting(address, "way_back:source", reason, wave=wave, servers=up, long=True)
