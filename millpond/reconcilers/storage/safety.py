"""The snapshots that a way back takes of the source's disks before it writes to them: how they are named, and where they are looked for."""

from __future__ import annotations

from typing import Any

from millpond.reconcilers.base import Goals
from millpond.reconcilers.storage.replication import Group, Member

SAFETY_PREFIX = "millpond-safety-"


def safety_prefix(cut: str) -> str:
    """What the names of one cut's begin with."""
    return f"{SAFETY_PREFIX}{cut}-"


def safety_name(goals: Goals, group: Group, member: Member) -> str:
    return f"{safety_prefix(goals.cuts.get(group.wave, ''))}{member.volume.id[:8]}"


def looked_for(goals: Goals, group: Group) -> dict[str, Any]:
    """The parameters by which `perform` finds them again."""
    return {"safety": safety_prefix(goals.cuts.get(group.wave, "")), "local_ids": [member.local.id for member in group.members]}
