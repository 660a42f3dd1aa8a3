"""On the way back of a cut no disk is given back to the source under a guest there: each of its servers is off before.

One that sleeps has a memory that is older than its disk once the target's writes are on it.
"""

from __future__ import annotations

from functools import lru_cache

from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers.base import Goals
from millpond.reconcilers.compute.server_back import GUEST_RUNS
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.storage.replication import Group
from millpond.reconcilers.storage.way_back import all_away
from millpond.reconcilers.twins import Same

ACTION = "stop"
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
    return _by_server(Same(desired), Same(snapshot)).get(server.id, [])


@lru_cache(maxsize=16)
def _by_server(desired: Same, snapshot: Same) -> dict[str, list[Group]]:
    index: dict[str, list[Group]] = {}
    for group in all_away(desired.item, snapshot.item):
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


def must_be_off(desired: Desired, goals: Goals, server: Server, here: Server) -> Finding:
    what = f"the server is {here.status} on the source, and its disks are to be given back to it"
    why = "they would change under its guest, or under the memory that is kept of it: that is only done to a server that is off"
    return _state(desired, goals, server, here, what, why)


def would_not_start(desired: Desired, goals: Goals, server: Server, here: Server) -> Finding:
    """It is off, and told while its copy runs: that would be down until somebody has mended it."""
    what = f"the server is {here.status} on the source, where it was SHUTOFF since its cut, and its wave goes back"
    why = "Nova starts only a server that is SHUTOFF; until then nothing that shares replicas with it is stopped on the target"
    return _state(desired, goals, server, here, what, why)


def _state(desired: Desired, goals: Goals, server: Server, here: Server, what: str, why: str) -> Finding:
    address, wave = desired.address("server", server.id), goals.wave(server.id)
    return Finding("server_state", Severity.BLOCKER, address, what, why, _put_to_rest(desired, here), wave=wave)


def _put_to_rest(desired: Desired, here: Server) -> str:
    verbs, cloud = PUT_TO_REST.get(here.status), desired.manifest.source.cloud
    if verbs is None:
        return "bring it to SHUTOFF as an administrator, and do not start it: both must not run at once; the next apply goes on"
    sentence = "as an administrator, and do not start it, since both must not run at once; the next apply goes on"
    return to_do(sentence, *(f"openstack --os-cloud {cloud} server {verb} {here.id}" for verb in verbs))
