"""A way back that discards the target's writes has begun: the target's side was given up, and the source does not have them."""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.array import ReplicaState
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.storage.moved_with import recorded_on
from millpond.reconcilers.storage.replication import Ends, Group, ends, groups
from millpond.reconcilers.storage.safety import safety_prefix
from millpond.reconcilers.storage.stops import boot_declared
from millpond.reconcilers.twins import by_id
from millpond.reconcilers.usage import detached_volumes

Given = tuple[Group, Ends]


def discard_begun(desired: Desired, snapshot: Snapshot, wave: DesiredWave, cut: str) -> Finding | None:
    """Carrying back would start the source without what the target wrote, and overwrite that.

    A way back that carries gives nothing up before its safety snapshots are there, and `returned` is in the record.
    """
    own = [(group, ends(group, snapshot)) for group in groups(desired, snapshot) if group.wave == wave.name]
    given = [
        (group, found)
        for group, found in own
        if _is_given_up(desired, group, found)
        and _took_part(desired, snapshot, group, found, cut)
        and boot_declared(desired, snapshot, group)
        and not _was_carried(desired, snapshot, group, cut)
    ]
    if not given:
        return None
    return Finding(
        "discard_begun",
        Severity.BLOCKER,
        desired.address("wave", wave.name),
        "target_writes is carry_back, but the target's side was given up without carrying anything back",
        "nothing shows that the source has what was written there: " + "; ".join(_stands(*one) for one in given),
        _to_do(desired, given, kept=any(found.promoted for _, found in own)),
        wave=wave.name,
    )


def _is_given_up(desired: Desired, group: Group, found: Ends) -> bool:
    """Two writable sides are a rung where the array refuses two targets; elsewhere the group has a blocker of its own."""
    return found.fenced or found.forward or (found.both_writable and not desired.site.replication.fence_first)


def _took_part(desired: Desired, snapshot: Snapshot, group: Group, found: Ends, cut: str) -> bool:
    """A detached volume that replicates by itself may have come into the wave after its cut: then it was never reserved for that. It is
    let go on the source only after all groups of its wave are back."""
    if not found.forward or any(member.volume.id not in detached_volumes(desired) for member in group.members):
        return True
    live = by_id(snapshot.source.volumes)
    known = [live[member.volume.id].record for member in group.members if member.volume.id in live]
    return any(record is not None and record.held_for == cut for record in known)


def _was_carried(desired: Desired, snapshot: Snapshot, group: Group, cut: str) -> bool:
    if any(name.startswith(safety_prefix(cut)) for member in group.members for name in member.local.snapshots):
        return True
    servers, volumes = by_id(snapshot.source.servers), by_id(snapshot.source.volumes)
    carriers = [one for id in recorded_on(desired, snapshot, group) if (one := servers.get(id) or volumes.get(id))]
    return any(one.record is not None and one.record.returned for one in carriers)


def _overwritten(found: Ends) -> bool:
    """Replication from the source has gone on: only one that somebody suspended has sent nothing."""
    return found.forward and found.source is not None and found.source.state is not ReplicaState.SUSPENDED


def _stands(group: Group, found: Ends) -> str:
    here, there = group.pair.source.array, group.pair.target.array
    if _overwritten(found):
        return f"{group.address.name} replicates from {here} to {there} again, which overwrites it"
    roles = (
        "both sides are read-only" if found.fenced else "both sides are writable" if found.both_writable else f"{here} is writable again"
    )
    return f"of {group.address.name} {roles}, and if any side still holds it, that is {there}"


def _to_do(desired: Desired, given: Iterable[Given], *, kept: bool) -> str:
    """`cutover: true` promotes what is fenced as it is. What the source can write again it would synchronise to the target first.

    `kept`: other disks of the wave are the target's still, with what was written there.
    """
    file, lost = f"tenants/{desired.tenant}.yaml", "what was written on the target is lost"
    turned = [(group, found) for group, found in given if not found.fenced and not _overwritten(found)]
    if turned:
        names = ", ".join(group.address.name for group, _ in turned)
        here = " and ".join(sorted({group.pair.source.array for group, _ in turned}))
        there = " and ".join(sorted({group.pair.target.array for group, _ in turned}))
        first = "" if desired.site.replication.fence_first else " (SOURCE first where the array refuses two targets)"
        return (
            f"state target_writes: discard in {file} and run apply: {lost}. To keep it, leave the flags as they are, stop the wave's "
            f"servers on the source (what they wrote since is lost then) and change the role of {names} to TARGET on {here} and to SOURCE "
            f"on {there}{first}: the next apply carries it back"
        )
    if kept or any(found.fenced for _, found in given):
        return (
            f"set cutover: true for the wave again in {file}, without the rollback block, and run apply: its servers run on the target "
            f"with what is there; then go back with carry_back. Or state target_writes: discard: {lost}"
        )
    return f"state target_writes: discard in {file} and run apply: nothing is left that could be carried back"
