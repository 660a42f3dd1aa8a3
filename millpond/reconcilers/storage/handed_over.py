"""Whether a disk is the tenant's by now, in a wave of servers of which others are still to be cut."""

from __future__ import annotations

from millpond.model.block_storage import Volume
from millpond.model.desired import Desired
from millpond.reconcilers.base import Goals
from millpond.reconcilers.invariants_decommission import stands_for
from millpond.reconcilers.storage.replication import Ends, Group, RemoteEnd
from millpond.reconcilers.usage import attached_to, detached_volumes, is_handed_over, servers_of_volumes


def of_volume(desired: Desired, goals: Goals, volume: Volume, target: Volume | None, remote: RemoteEnd | None) -> list[bool]:
    """Of each server of the volume. A detached one came with the first cut of its wave: a server that joins later has no say in it."""
    moved = [is_handed_over(goals, server) for server in servers_of_volumes(desired).get(volume.id, ())]
    if volume.id not in detached_volumes(desired) or not any(moved):
        return moved
    out = target is not None and stands_for(target, volume.id)
    arrived = out if remote is None else remote.writable and (out or target is None)
    return [True] if arrived else moved


def of_group(desired: Desired, goals: Goals, group: Group, found: Ends) -> list[bool]:
    """Of each server of the group; where its detached volumes have come to the target, of those that its other volumes are attached to."""
    moved = [is_handed_over(goals, server) for server in group.servers(desired)]
    if not (found.promoted and any(moved)):
        return moved
    attached = attached_to(desired)
    own = {server for member in group.members for server in attached.get(member.volume.id, ())}
    return [is_handed_over(goals, server) for server in sorted(own)] or [True]
