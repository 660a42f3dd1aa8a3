"""The rungs that make a group's replica: consistency groups on both arrays, their members, the pair, and its first copy."""

from __future__ import annotations

from millpond.model.change import UNKNOWN, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.storage.replication import Ends, Group
from millpond.reconcilers.twins import twin


def room(desired: Desired, snapshot: Snapshot) -> int:
    """Replicas that may still be made before either array's limit is reached."""
    totals = [min(fact.replicas_limit, desired.site.limits.replicas) - fact.replicas_total for fact in snapshot.storage.arrays]
    return min(totals, default=0)


def pair_or_wait(ladder: Ladder, snapshot: Snapshot, group: Group, found: Ends, left: int) -> int:
    """How many replicas it takes."""
    if left < 1:
        ladder.wait("pair", "the array has no replica left: it goes on when one becomes free", long=True)
        return 0
    _pair(ladder, snapshot, group, found)
    return 1


def _pair(ladder: Ladder, snapshot: Snapshot, group: Group, found: Ends) -> None:
    reason = "every volume of the tenant is replicated while its server runs"
    precreate = group.adoption == "precreate"
    twins = [twin(snapshot, "volumes", member.volume.id) for member in group.members]
    remote = {v.name: v.id for v in snapshot.storage.volumes if v.array == group.pair.target.array}
    remote_ids = [remote.get(double.backend_name, 0) if double else 0 for double in twins]
    if group.grouped:
        local_ids = [member.local.id for member in group.members]
        _group_rungs(ladder, "group", group.pair.source.array, group.pair.source.pool, group, found, local_ids)
        if precreate:
            _group_rungs(ladder, "remote_group", group.pair.target.array, group.pair.target.pool, group, found, remote_ids)
    ladder.change(
        "pair",
        reason,
        effect=Effect.CREATE,
        destination="seeding",
        fields=(
            FieldChange("source", None, f"{group.pair.source.array}/{group.pair.source.pool}"),
            FieldChange("target", None, f"{group.pair.target.array}/{group.pair.target.pool}"),
            FieldChange("volumes", None, len(group.members)),
            FieldChange("bytes", None, sum(member.local.used or member.local.size for member in group.members)),
        ),
        array=group.pair.source.array,
        remote_array=group.pair.target.array,
        remote_pool=group.pair.target.pool,
        members=[[m.local.id, (remote_ids[i] or UNKNOWN) if precreate else 0, m.remote_name] for i, m in enumerate(group.members)],
        volumes=[member.volume.id for member in group.members],
        target_project=snapshot.target.project.id if snapshot.target.project else "",
        group=found.local_group.id if found.local_group else (UNKNOWN if group.grouped else 0),
        remote_group=(found.remote_group.id if found.remote_group else UNKNOWN) if group.grouped and precreate else 0,
    )
    ladder.wait("seed", "the first copy is under way", long=True, bytes_left=sum(m.local.used for m in group.members))


def _group_rungs(ladder: Ladder, word: str, array: str, pool: str, group: Group, found: Ends, volume_ids: list[int]) -> None:
    present = found.local_group if word == "group" else found.remote_group
    if present is None:
        ladder.change(
            f"create_{word}",
            "the volumes of a wave are cut at one point in time",
            effect=Effect.CREATE,
            array=array,
            name=group.name,
            pool=pool,
        )
    inside = set(present.members) if present else set()
    for member, volume_id in zip(group.members, volume_ids, strict=True):
        if not volume_id or volume_id not in inside:
            ladder.change(
                f"add_{'member' if word == 'group' else 'remote_member'}:{member.label}",
                "the volumes of a wave are cut at one point in time",
                beside=True,
                array=array,
                group=present.id if present else UNKNOWN,
                volume=volume_id or UNKNOWN,
            )
