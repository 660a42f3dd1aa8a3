"""The snapshots that a way back takes of the source's disks before it writes to them: how they are named, and where they are looked for."""

from __future__ import annotations

from typing import Any

from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.storage.replication import Ends, Group, Member
from millpond.reconcilers.storage.stops import stopped_at

SAFETY_PREFIX = "millpond-safety-"


def safety_prefix(cut: str) -> str:
    """What the names of one cut's begin with."""
    return f"{SAFETY_PREFIX}{cut}-"


def safety_name(goals: Goals, group: Group, member: Member) -> str:
    return f"{safety_prefix(goals.cuts.get(group.wave, ''))}{member.volume.id[:8]}"


def looked_for(goals: Goals, group: Group) -> dict[str, Any]:
    """The parameters by which `perform` finds them again."""
    return {"safety": safety_prefix(goals.cuts.get(group.wave, "")), "local_ids": [member.local.id for member in group.members]}


def may_lack(desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends) -> bool:
    """Whether the source may lack what the target wrote although a way back that carries made it writable: the stop was timed anew since.

    Both sides are, where the array refuses two targets. One without its safety snapshots never took part: its target has nothing to give.
    """
    if not found.both_writable or found.target is None or desired.site.replication.fence_first:
        return False
    kept = all(safety_name(goals, group, member) in member.local.snapshots for member in group.members)
    returned = stopped_at(desired, snapshot, group, "returned", goals.run)
    return kept and not (returned > 0 and found.target.restore_point >= returned)
