"""A cut that cannot be finished stops nothing more: what still runs on the source goes on running until the blocker is gone.

Servers that are down already are not held by it: after its admission a wave is held by invariants alone. What still runs, and has disks
that change hands together with those of one that is down and could be booted, is stopped for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from millpond.model.change import Waiting
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.plan import GATE, Stage
from millpond.model.snapshot import Snapshot
from millpond.reconcilers import boot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.compute.server_lacking import never_there
from millpond.reconcilers.compute.source_state import STOPPED_FROM, is_stuck
from millpond.reconcilers.storage.replication import Ends, Group
from millpond.reconcilers.twins import ambiguous, by_id, twin

SHARES = "held by the blocker of a server that it shares a replica with"


@dataclass(frozen=True)
class Judged:
    """A group of a cut, how it stands, whether it has a blocker, and its servers that are still to be verified, as they are now."""

    group: Group
    found: Ends
    blocked: bool
    own: Mapping[str, Server]

    @property
    def turned(self) -> bool:
        return self.found.fenced or self.found.promoted


def gates(desired: Desired, snapshot: Snapshot, goals: Goals, groups: Sequence[tuple[Group, Ends, bool]]) -> list[Waiting]:
    """Of groups that cannot change hands: they are blocked (the third of each), one of their servers cannot be stopped, or goes on running
    for a blocker of its own. While none of its servers is down, also of one whose arrays have lost their link, or of whose disks Cinder
    cannot use one. And of servers that could not be booted on the target.
    """
    servers = _under_way(desired, snapshot, goals)
    up = {id for id, server in servers.items() if _is_up(server)}
    if not up:
        return []
    judged = [_judged(desired, servers, one) for one in groups if one[0].wave in goals.admitted]
    unbootable = {id for id, server in servers.items() if _is_unbootable(desired, snapshot, goals, id, server)}
    up -= _needed(snapshot, judged, servers, unbootable)
    held = _held([one for one in judged if not one.turned], snapshot, up, unbootable & up)
    return [
        *(
            Waiting(desired.address(GATE, one.group.members[0].volume.id), "cut", reason, wave=one.group.wave, servers=ids, long=True)
            for one, reason in held
            if (ids := tuple(id for id in one.own if id in up))
        ),
        *(
            Waiting(desired.address(GATE, id), "cut:boot", "held by the blocker of its boot", wave=goals.wave(id), servers=(id,), long=True)
            for id in sorted(unbootable & up)
        ),
    ]


def _under_way(desired: Desired, snapshot: Snapshot, goals: Goals) -> dict[str, Server]:
    live = by_id(snapshot.source.servers)
    cut = (s.id for s in desired.inventory.servers if goals.stage(s.id) is Stage.CUT and goals.wave(s.id) in goals.admitted)
    return {id: live[id] for id in cut if id in live and id not in goals.verified}


def _judged(desired: Desired, servers: Mapping[str, Server], one: tuple[Group, Ends, bool]) -> Judged:
    group, found, blocked = one
    return Judged(group, found, blocked, {id: servers[id] for id in group.servers(desired) if id in servers})


def _held(groups: Sequence[Judged], snapshot: Snapshot, up: Collection[str], first: Collection[str]) -> Iterator[tuple[Judged, str]]:
    """The groups that stop nothing of what is `up`, and why. `first` are held already: no group of theirs changes hands, nor any that has
    a server with one of those."""
    held, left = set(first), []
    for one in groups:
        if reason := _reason(snapshot, one):
            held.update(id for id in one.own if id in up)
            yield one, reason
        else:
            left.append(one)
    while spread := [one for one in left if not held.isdisjoint(one.own)]:
        left = [one for one in left if one not in spread]
        for one in spread:
            held.update(id for id in one.own if id in up)
            yield one, SHARES


def _reason(snapshot: Snapshot, one: Judged) -> str:
    if one.blocked:
        return "held by the blocker of its replica"
    if any(is_stuck(server) for server in one.own.values()):
        return SHARES
    if any(_is_down(server) for server in one.own.values()):
        return ""
    if _cut_off(snapshot, one.group):
        return "held by the blocker of its arrays"
    return "held by the blocker of a volume on the target" if _in_error(snapshot, one.group) else ""


def _needed(snapshot: Snapshot, judged: Sequence[Judged], servers: Mapping[str, Server], unbootable: Collection[str]) -> set[str]:
    """What has to be stopped for those that are down and wait for nothing else."""
    of: dict[str, list[Judged]] = {}
    for one in judged:
        for id in one.own:
            of.setdefault(id, []).append(one)
    down = [id for id, server in servers.items() if _is_down(server) and id not in unbootable]
    free = [id for id in down if not any(_holds(snapshot, one, id) for one in of.get(id, ()))]
    return {other for id in free for one in of.get(id, ()) if not one.turned for other in one.own}


def _holds(snapshot: Snapshot, one: Judged, server: str) -> bool:
    """Whether a group keeps a server from being booted, whoever else is stopped."""
    if one.blocked or any(disk.volume_id in _in_error(snapshot, one.group) for disk in one.own[server].volumes):
        return True
    return not one.turned and (any(is_stuck(other) for other in one.own.values()) or _cut_off(snapshot, one.group))


def _is_unbootable(desired: Desired, snapshot: Snapshot, goals: Goals, id: str, here: Server) -> bool:
    """A blocker of its own keeps it from being booted, and no stop cures that."""
    if ambiguous(snapshot, "servers", id):
        return True
    if twin(snapshot, "servers", id) is not None:
        return False
    given_up = boot.failures(here.record)[0] >= desired.site.limits.attempts
    return given_up or bool(never_there(desired, snapshot, goals, by_id(desired.inventory.servers)[id]))


def _is_up(server: Server) -> bool:
    return server.idle and server.status in STOPPED_FROM


def _is_down(server: Server) -> bool:
    """By its cut: a link may come back any moment, and the sooner the others are stopped then, the shorter is its outage."""
    return server.record is not None and server.record.power == "active" and not _is_up(server) and not is_stuck(server)


def _in_error(snapshot: Snapshot, group: Group) -> list[str]:
    """The volumes that Cinder cannot use on the target."""
    ids = (member.volume.id for member in group.members)
    return [id for id in ids if (one := twin(snapshot, "volumes", id)) is not None and one.status.startswith("error")]


def _cut_off(snapshot: Snapshot, group: Group) -> bool:
    known = {fact.array: fact for fact in snapshot.storage.arrays}
    here, there = known.get(group.pair.source.array), known.get(group.pair.target.array)
    if here is None or there is None:
        return False
    return not (here.links.get(there.serial) and there.links.get(here.serial))
