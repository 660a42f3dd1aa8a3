"""What keeps Millpond from touching a group: it was made by somebody else, or is not what the manifest asks for, or is broken."""

from __future__ import annotations

from collections.abc import Sequence

from millpond.model.array import ConsistencyGroup, Replica
from millpond.model.block_storage import Volume
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.few import few
from millpond.reconcilers.invariants import UNSETTLED
from millpond.reconcilers.storage import group_name
from millpond.reconcilers.storage.replication import Ends, Group, Member, group_names, remote_of, volume_names
from millpond.reconcilers.twins import twin

ANEW = "while nothing of the wave is cut over, end its replication and have it made again (docs/runbook.md: Waves were chosen too late)"


def refusals(desired: Desired, snapshot: Snapshot, group: Group, found: Ends, *, under_way: bool) -> list[Finding]:
    """Blockers of the group's wave. While there is one, nothing is done to the group.

    Two writable sides are a rung of a cut `under_way` where the array refuses two targets: the other role follows at once.
    """
    result = [finding for member in group.members if (finding := _of_member(desired, snapshot, group, found, member))]
    members = {member.local.id for member in group.members}
    if found.source is not None and not result and {pair.local_id for pair in found.source.pairs} != members:
        result.append(_regroup(desired, snapshot, group, found.source))
    result += unknown(group, found)
    if found.source is not None and found.target is None:
        result.append(_one_end(group))
    if found.both_writable and (desired.site.replication.fence_first or not under_way):
        result.append(_both_writable(group))
    return result


def _of_member(desired: Desired, snapshot: Snapshot, group: Group, found: Ends, member: Member) -> Finding | None:
    """A member that replicates or is grouped outside of this group."""
    local = member.local
    other = group_names(snapshot.storage.groups).get((local.array, local.cg_id), "")
    if local.cg_id and not (found.local_group and local.cg_id == found.local_group.id):
        of_ours = group_name.is_of(desired.tenant, other)
        return _of_other_wave(desired, group, member, other) if of_ours else _foreign(desired, group, member)
    strange = (local.rmr_source or local.rmr_target) and not _ours(snapshot, group, found)
    return _foreign(desired, group, member) if strange else None


def _ours(snapshot: Snapshot, group: Group, found: Ends) -> bool:
    """A pair is ours when its remote end is the twin's object, or has a name that only we or the target's Cinder gave it.

    The twin may be gone: Cinder let it go on the way back, or the tenant deleted it after the handover.
    """
    if found.source is None:
        return False
    if group.grouped:
        return found.local_group is not None and found.source.entity == found.local_group.id
    member = group.members[0]
    name = volume_names(snapshot.storage.volumes).get((group.pair.target.array, remote_of(group, found, member)), "")
    double = twin(snapshot, "volumes", member.volume.id)
    if double is not None and name == double.backend_name:
        return True
    return name == member.remote_name or (name.startswith("openstack-vol-") and name != member.local.name)


def other_ends(desired: Desired, snapshot: Snapshot, group: Group, found: Ends) -> list[Finding]:
    """Members whose twin is another disk than the one that the array replicates to: a server would start on an empty one."""
    if not found.paired:
        return []
    known = volume_names(snapshot.storage.volumes)
    twins = [(member, twin(snapshot, "volumes", member.volume.id)) for member in group.members]
    there = group.pair.target.array
    return [
        _other_end(desired, group, member, double, known.get((there, remote_of(group, found, member)), "a volume that is not listed"))
        for member, double in twins
        if double is not None
        and double.status not in UNSETTLED
        and known.get((there, remote_of(group, found, member))) != double.backend_name
    ]


def _other_end(desired: Desired, group: Group, member: Member, double: Volume, name: str) -> Finding:
    return Finding(
        "other_remote_end",
        Severity.BLOCKER,
        desired.address("volume", member.volume.id),
        f"the volume on the target ({double.id}) is not the remote end of the replica",
        f"{group.pair.target.array} replicates to {name}, and the target's volume is {double.backend_name}",
        "find out what the target's volume holds and delete it in the target's Cinder: the remote end is then adopted by `manage`",
        wave=group.wave,
    )


def taken(desired: Desired, snapshot: Snapshot, group: Group, found: Ends) -> list[Finding]:
    """Of a group that is still to be paired: what has its name on either array is ours only if it holds none but its members.

    Two tenants could come to one of the names of before, and people give names, too.
    """
    known = volume_names(snapshot.storage.volumes)
    twins = [twin(snapshot, "volumes", member.volume.id) for member in group.members]
    here = {member.local.name for member in group.members}
    there = {member.remote_name for member in group.members} | {double.backend_name for double in twins if double is not None}
    result = []
    for named, own in ((found.local_group, here), (found.remote_group, there)):
        names = [known.get((named.array, id), "") or f"volume {id}" for id in named.members] if named else []
        if named and (others := sorted(set(names) - own)):
            result.append(_taken(group, named, others))
    return result


def _taken(group: Group, named: ConsistencyGroup, others: Sequence[str]) -> Finding:
    return Finding(
        "group_name_taken",
        Severity.BLOCKER,
        group.address,
        f"consistency group {named.name} on {named.array} holds what is not of this wave: {few(others)}",
        "it is left of a wave that had other volumes, or somebody else's who came to the same name: nothing is put into it",
        "give the wave another name in the manifest, as long as none of it is replicated; or, if the group is nobody's, take those "
        "volumes out of it on the array",
        wave=group.wave,
    )


def _foreign(desired: Desired, group: Group, member: Member) -> Finding:
    what = "consistency group" if member.local.cg_id else "replica"
    return Finding(
        "already_replicated",
        Severity.BLOCKER,
        desired.address("volume", member.volume.id),
        f"the volume is already in a {what} on {member.local.array}",
        "an array allows one replica per volume, and Millpond does not touch one that it did not make",
        f"remove {member.local.name} from it, or exclude the volume in the manifest",
        wave=group.wave,
    )


def _of_other_wave(desired: Desired, group: Group, member: Member, other: str) -> Finding:
    return Finding(
        "regroup",
        Severity.BLOCKER,
        desired.address("volume", member.volume.id),
        f"the volume is in the consistency group {other}, which is another wave's",
        "a member cannot change its group without being replicated anew",
        f"put its server back into the wave it was in, or {ANEW}",
        wave=group.wave,
    )


def _regroup(desired: Desired, snapshot: Snapshot, group: Group, replica: Replica) -> Finding:
    paired = {pair.local_id for pair in replica.pairs}
    wanted = {member.local.id: member.label for member in group.members}
    known = volume_names(snapshot.storage.volumes)
    names = {volume.backend_name: desired.names.get(volume.id, volume.id) for volume in snapshot.source.volumes}
    there = {id: known.get((group.pair.source.array, id), str(id)) for id in paired - wanted.keys()}
    new = sorted(label for id, label in wanted.items() if id not in paired)
    others = sorted(names.get(name, name) for name in there.values())
    parts = ([f"is without {', '.join(new)}"] if new else []) + (
        [f"holds {', '.join(others)}, which the wave has no more"] if others else []
    )
    late = (
        f"exclude {', '.join(new)} with a reason, or carry it late: detached, and named under volumes of a later wave; "
        if new
        else "put the volumes back into the wave; "
    )
    return Finding(
        "regroup",
        Severity.BLOCKER,
        group.address,
        f"the group on the array {' and '.join(parts)}",
        "a group that replicates takes no member in and gives none away without being replicated anew",
        f"{late}or {ANEW}",
        wave=group.wave,
    )


def unknown(group: Group, found: Ends) -> list[Finding]:
    return [_unknown(group, one) for one in (found.source, found.target) if one is not None and one.unknown]


def _unknown(group: Group, replica: Replica) -> Finding:
    return Finding(
        "unknown_replica",
        Severity.BLOCKER,
        group.address,
        f"replica {replica.id} on {replica.array} has a value that Millpond does not know: {replica.unknown}",
        "what it means is not guessed, and nothing is done to the replica",
        "look at the replica on the array; where its firmware is newer than Millpond knows, use a version of Millpond that knows it",
        wave=group.wave,
    )


def _both_writable(group: Group) -> Finding:
    return Finding(
        "both_writable",
        Severity.BLOCKER,
        group.address,
        "both sides of the replica are writable",
        f"the roles on {group.pair.source.array} and {group.pair.target.array} are both SOURCE",
        "find out which side the running servers write to, and change the role of the other on the array",
        wave=group.wave,
    )


def both_written(group: Group) -> Finding:
    return Finding(
        "both_written",
        Severity.BLOCKER,
        group.address,
        "the source may have been written after its last sync, and a boot on the target was tried since",
        f"both sides of the replica are writable, on {group.pair.source.array} and on {group.pair.target.array}",
        "stop what runs on either side, find out which one holds what the tenant needs, and change the role of the other on its array",
        wave=group.wave,
    )


def _one_end(group: Group) -> Finding:
    return Finding(
        "one_end",
        Severity.BLOCKER,
        group.address,
        f"the replica has no other end on {group.pair.target.array}",
        "it leads to another array, or was deleted on one side alone",
        "find out on both arrays what became of it; once it is gone from both it is made anew",
        wave=group.wave,
    )


def not_promoted(group: Group) -> Finding:
    return Finding(
        "not_promoted",
        Severity.BLOCKER,
        group.address,
        "the wave was handed over, but the writable side of the replica is not on the target",
        "somebody changed the roles on the arrays after the handover",
        "find out which side the running servers write to, and put the roles back on the arrays",
        wave=group.wave,
    )


def moved_in_part(group: Group) -> Finding:
    return Finding(
        "moved_in_part",
        Severity.BLOCKER,
        group.address,
        "servers of this wave were handed over and their replicas removed; others are still to be cut",
        "it cannot be told whether the volumes of this group hold what the tenant has on the target: a first copy would overwrite it",
        "put the servers and volumes that are still to be cut into a wave of their own",
        wave=group.wave,
    )


def pair_lost(group: Group, labels: Sequence[str]) -> Finding:
    """It cannot be told from the arrays whether there ever was one: a disk may have come to its server, or back from the excluded ones."""
    return Finding(
        "pair_lost",
        Severity.BLOCKER,
        group.address,
        f"{', '.join(labels)} {'has' if len(labels) == 1 else 'have'} no replica in the middle of a cut",
        "it was removed from the array, and nothing tells which side holds the last writes; or the wave was admitted without the disk, and "
        "no first copy is waited for while servers are down",
        "exclude a disk that was never replicated, with a reason: the wave goes on without it. Else find out on both arrays who removed "
        "the replica and which side is newer; Millpond does nothing by itself here",
        wave=group.wave,
    )


def turned(group: Group) -> Finding:
    """Roles that no cut record explains: somebody else changed them, or a volume that had moved came into another wave."""
    return Finding(
        "roles_without_record",
        Severity.BLOCKER,
        group.address,
        "the roles of the replica are not those of a replication from the source, and no cut record says why",
        "what either side holds may be the only copy of what was written last",
        "find out on both arrays who changed the roles and which side is newer; put a volume that had moved back into its wave",
        wave=group.wave,
    )
