"""On the way back of a wave, what may still come of its boots is waited for before anything that runs on the target is stopped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from millpond.model.change import Waiting
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.plan import AFTER_A_BOOT, GATE
from millpond.model.snapshot import Snapshot
from millpond.reconcilers import boot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.compute.boot_sent import lost_at, may_come
from millpond.reconcilers.few import few
from millpond.reconcilers.storage.replication import ends, groups
from millpond.reconcilers.twins import ambiguous, by_id, twin

ACTION = "boots"


def gates(desired: Desired, snapshot: Snapshot, goals: Goals) -> list[Waiting]:
    """One for each wave with such boots. All of its disks change hands together, so that whoever is stopped before that waits as well,
    and is down meanwhile."""
    here = by_id(snapshot.source.servers)
    back = [s for s in desired.inventory.servers if s.id in here and goals.stage(s.id) in AFTER_A_BOOT]
    waves: dict[str, list[Server]] = {}
    for server in back:
        waves.setdefault(goals.wave(server.id), []).append(server)
    return [gate for name, servers in waves.items() for gate in _gate(desired, snapshot, name, servers)]


def _gate(desired: Desired, snapshot: Snapshot, wave: str, servers: Iterable[Server]) -> Iterable[Waiting]:
    here = by_id(snapshot.source.servers)
    declared = {server.id: boot.declared(here[server.id].record) for server in servers}
    coming = [server for server in servers if _is_coming(desired, snapshot, server, declared[server.id])]
    if not coming:
        return
    known = [lost_at(desired, found) - snapshot.now for server in coming if (found := declared[server.id])]
    names = few(desired.names.get(server.id, server.id) for server in coming)
    yield Waiting(
        desired.address(GATE, wave),
        ACTION,
        f"boots were declared of which a server may still come ({names}); until then nothing of the wave is stopped on the target",
        wave=wave,
        servers=tuple(server.id for server in servers),
        seconds=max((*known, timedelta(0))).total_seconds(),
    )


def _is_coming(desired: Desired, snapshot: Snapshot, server: Server, declared: boot.Boot | None) -> bool:
    target = twin(snapshot, "servers", server.id)
    if target is not None:
        return bool(target.status == "BUILD")
    if ambiguous(snapshot, "servers", server.id) or not may_come(desired, snapshot, server, declared):
        return False
    return not disks_have_gone_back(desired, snapshot, server)


def disks_have_gone_back(desired: Desired, snapshot: Snapshot, server: Server) -> bool:
    """Then no boot can be under way: they change hands only once a server that came was stopped, or none could come any more."""
    own = [ends(group, snapshot) for group in groups(desired, snapshot) if server.id in group.servers(desired)]
    return bool(own) and not any(found.promoted for found in own)
