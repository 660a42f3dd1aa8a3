"""On the way back of a cut no disk is given back to the source under a guest there: each of its servers is off before.

One that sleeps has a memory that is older than its disk once the target's writes are on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from millpond.model.change import Waiting
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import GATE, Stage
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers.base import Goals
from millpond.reconcilers.compute.server_back import GUEST_RUNS
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.storage import strayed
from millpond.reconcilers.storage.replication import Group, ends, groups
from millpond.reconcilers.twins import Same, by_id, twin

ACTION = "stop"
ROLLBACKS = (Stage.DISCARD, Stage.CARRY_BACK)
STOP = "stop"
ENDED = ("set --state active", STOP)
PUT_TO_REST = {
    "ACTIVE": (STOP,),
    "ERROR": (STOP,),
    "VERIFY_RESIZE": ("resize confirm",),
    **dict.fromkeys(("PAUSED", "SUSPENDED", "RESCUE", "SHELVED"), ENDED),
}
"""Status → the client's verbs that lead from it to SHUTOFF with no guest of it up beside its copy: Nova stops what is ACTIVE or in ERROR;
a start from SHUTOFF boots anew, without the memory that was kept of a suspended one. What is offloaded has no host: only unshelving leads
out of it, which brings it up."""


def away(desired: Desired, snapshot: Snapshot, server: Server) -> list[Group]:
    """Its groups of which the source's side is to be given back yet."""
    return _away(Same(desired), Same(snapshot)).get(server.id, [])


@lru_cache(maxsize=16)
def _away(desired: Same, snapshot: Same) -> dict[str, list[Group]]:
    index: dict[str, list[Group]] = {}
    for group in groups(desired.item, snapshot.item):
        if (found := ends(group, snapshot.item)).paired and not found.source_writable:
            for id in group.servers(desired.item):
                index.setdefault(id, []).append(group)
    return index


def come_to_rest(ladder: Ladder, desired: Desired, snapshot: Snapshot, server: Server, here: Server) -> None:
    """What is waited for before its disks are given back to it."""
    if here.at_rest or not away(desired, snapshot, server):
        return
    if here.task_state:
        ladder.wait(ACTION, f"the server is changing its state on the source (task {here.task_state})")
    elif here.guest_runs:
        ladder.wait(ACTION, GUEST_RUNS)
    else:
        ladder.wait(ACTION, f"the server is {here.status} on the source: held by its blocker", long=True)


def be_given_back(ladder: Ladder, desired: Desired, snapshot: Snapshot, server: Server) -> None:
    """What is waited for before it starts, or its record is removed."""
    if strayed.of_server(desired, snapshot, server.id):
        ladder.wait("give_back", "held by the blocker of its disk: nothing gives it back", long=True)


def must_be_off(desired: Desired, goals: Goals, server: Server, here: Server) -> Finding:
    return Finding(
        "server_state",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"the server is {here.status} on the source, and its disks are to be given back to it",
        "they would change under its guest, or under the memory that is kept of it: that is only done to a server that is off",
        _put_to_rest(desired, here),
        wave=goals.wave(server.id),
    )


def would_not_start(desired: Desired, goals: Goals, server: Server, here: Server) -> Finding:
    """It is off, and told while its copy runs: that would be down until somebody has mended it."""
    return Finding(
        "server_state",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"the server is {here.status} on the source, where it was SHUTOFF since its cut, and its wave goes back",
        "Nova starts only a server that is SHUTOFF; until then nothing that shares replicas with it is stopped on the target",
        _put_to_rest(desired, here),
        wave=goals.wave(server.id),
    )


def _put_to_rest(desired: Desired, here: Server) -> str:
    verbs, cloud = PUT_TO_REST.get(here.status), desired.manifest.source.cloud
    if verbs is None:
        return "bring it to SHUTOFF as an administrator, and do not start it: both must not run at once; the next apply goes on"
    sentence = "as an administrator, and do not start it, since both must not run at once; the next apply goes on"
    return to_do(sentence, *(f"openstack --os-cloud {cloud} server {verb} {here.id}" for verb in verbs))


def gates(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterable[Waiting]:
    """What runs on the target is not stopped for disks that nothing gives back: it would be down meanwhile."""
    here = by_id(snapshot.source.servers)
    for server in desired.inventory.servers:
        found = here.get(server.id)
        if found is None or found.record is None or not found.record.cut or goals.stage(server.id) not in ROLLBACKS:
            continue
        if not strayed.of_server(desired, snapshot, server.id):
            continue
        beside = {server.id: None} | {id: None for group in away(desired, snapshot, server) for id in group.servers(desired)}
        if up := tuple(id for id in beside if _is_up(twin(snapshot, "servers", id))):
            reason = f"nothing gives a disk of {server.name} back to the source"
            address, wave = desired.address(GATE, server.id), goals.wave(server.id)
            yield Waiting(address, "way_back:source", reason, wave=wave, servers=up, long=True)


def _is_up(copy: Server | None) -> bool:
    return copy is not None and not copy.never_ran and not copy.stopped
