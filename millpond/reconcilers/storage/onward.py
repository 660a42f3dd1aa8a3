"""A cut that cannot be finished stops nothing more: what still runs on the source goes on running until the blocker is gone.

Servers that are down already are not held by it: after its admission a wave is held by invariants alone.
"""

from __future__ import annotations

from millpond.model.change import Waiting
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.plan import Stage
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.compute.source_state import STOPPED_FROM, is_stuck
from millpond.reconcilers.storage.replication import Ends, Group
from millpond.reconcilers.twins import by_id, twin


def gate(desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends, *, blocked: bool) -> list[Waiting]:
    """Of a group that cannot change hands: it is `blocked`, or one of its servers cannot be stopped. And while none of its servers is
    down, of one whose arrays have lost their link, or of whose disks Cinder cannot use one: the others' cut goes on without it."""
    live = by_id(snapshot.source.servers)
    own = [live[id] for id in group.servers(desired) if id in live and goals.stage(id) is Stage.CUT and id not in goals.verified]
    up = tuple(server.id for server in own if server.idle and server.status in STOPPED_FROM)
    if not up or group.wave not in goals.admitted or found.fenced or found.promoted:
        return []
    if blocked:
        reason = "held by the blocker of its replica"
    elif any(is_stuck(server) for server in own):
        reason = "held by the blocker of a server that it shares a replica with"
    elif any(_is_down(server) for server in own if server.id not in up):
        return []
    elif _cut_off(snapshot, group):
        reason = "held by the blocker of its arrays"
    elif _is_in_error(snapshot, group):
        reason = "held by the blocker of a volume on the target"
    else:
        return []
    return [Waiting(desired.address("gate", group.members[0].volume.id), "cut", reason, wave=group.wave, servers=up, long=True)]


def _is_down(server: Server) -> bool:
    """By its cut: a link may come back any moment, and the sooner the others are stopped then, the shorter is its outage."""
    return server.record is not None and server.record.power == "active"


def _is_in_error(snapshot: Snapshot, group: Group) -> bool:
    twins = (twin(snapshot, "volumes", member.volume.id) for member in group.members)
    return any(one is not None and one.status.startswith("error") for one in twins)


def _cut_off(snapshot: Snapshot, group: Group) -> bool:
    known = {fact.array: fact for fact in snapshot.storage.arrays}
    here, there = known.get(group.pair.source.array), known.get(group.pair.target.array)
    if here is None or there is None:
        return False
    return not (here.links.get(there.serial) and there.links.get(here.serial))
