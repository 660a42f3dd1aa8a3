"""The ladder of a replication group: absent, seeding, in_sync, synced_since_stop, suspended, fenced, promoted; and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from millpond.model.address import Side
from millpond.model.array import Replica, Role
from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.plan import BACK, Stage
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.goals import goal
from millpond.reconcilers.ladder import Ladder, signed
from millpond.reconcilers.storage import handed_over, onward, pairing, replication_calls
from millpond.reconcilers.storage.moved_with import moved_with, recorded_on
from millpond.reconcilers.storage.replication import Ends, Group, Member, ends, groups, handed_over_by, remote_of, seeded, suspended
from millpond.reconcilers.storage.replication_reading import read
from millpond.reconcilers.storage.replication_refusals import (
    both_written,
    moved_in_part,
    not_promoted,
    other_ends,
    pair_lost,
    refusals,
    taken,
    turned,
    unknown,
)
from millpond.reconcilers.storage.safety import SAFETY_PREFIX, looked_for, may_lack, safety_name
from millpond.reconcilers.storage.stops import boot_declared, covered, stopped_at
from millpond.reconcilers.storage.used_by_others import used_by_others
from millpond.reconcilers.storage.way_back import of_group

KIND = "replication_group"
READS_AFTER: tuple[str, ...] = ("project", "volume")


def observe(providers: Providers, scope: Scope) -> Facts:
    return Facts(storage=read(providers, scope))


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    judged: list[tuple[Group, Ends, bool]] = []
    left = pairing.room(desired, snapshot)
    for group in groups(desired, snapshot):
        found = ends(group, snapshot)
        ladder = Ladder(
            group.address,
            wave=group.wave,
            source_id=group.members[0].volume.id,
            servers=moved_with(desired, snapshot, group),
            side=Side.STORAGE,
        )
        moved = handed_over.of_group(desired, goals, group, found)
        stage = _stage(goals, group)
        if stage is Stage.CUT and moved and all(moved):
            stage = Stage.HANDED_OVER  # other servers of the wave are still to be cut
        aim = "absent" if stage is Stage.HANDED_OVER and group.wave in goals.unpair else goal(KIND, stage)
        wanted = aim in ("in_sync", "promoted", "carried_back") and not found.paired
        if stage in (Stage.HANDED_OVER, Stage.DECOMMISSION) and found.paired and not found.promoted:
            findings += unknown(group, found) or [not_promoted(group)]
            continue
        if stage is Stage.HANDED_OVER and aim == "promoted":
            continue
        if wanted and any(moved):
            findings += [] if all(moved) else [moved_in_part(group)]
            continue
        foreign = _blockers(desired, snapshot, goals, group, found, wanted=wanted)
        findings += foreign
        judged.append((group, found, bool(foreign)))
        if foreign:
            _hold(ladder, stage)
            steps += of_group(desired, snapshot, group, stage, foreign)
        elif wanted:
            left -= pairing.pair_or_wait(ladder, snapshot, group, found, left)
        if not foreign:
            _lead(ladder, aim, desired, snapshot, goals, group, found)
        steps += signed(_owned(ladder.steps, desired, snapshot, group), goals.run, snapshot)
    steps += onward.gates(desired, snapshot, goals, judged)
    return KindPlan(tuple(steps), tuple(findings))


def _owned(steps: Iterable[AnyStep], desired: Desired, snapshot: Snapshot, group: Group) -> list[AnyStep]:
    """With where the owner of the cut is read again."""
    own = {"recorded": list(recorded_on(desired, snapshot, group)), "source_project": desired.inventory.project.id}
    return [
        replace(step, parameters={**own, **step.parameters})
        if isinstance(step, Change) and step.action in replication_calls.CONTINUING
        else step
        for step in steps
    ]


def _stage(goals: Goals, group: Group) -> Stage:
    """Its wave's, unless all of its volumes stand apart from it."""
    stages = {goals.stage(member.volume.id) for member in group.members}
    return stages.pop() if len(stages) == 1 else goals.stages.get(group.wave, Stage.REPLICATE)


def _blockers(desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends, *, wanted: bool) -> list[Finding]:
    """While there is one, nothing is done to the group. `wanted`: it is not paired and should be."""
    stage = _stage(goals, group)
    under_way = group.wave in goals.admitted and stage is goals.stages.get(group.wave)
    result = refusals(desired, snapshot, group, found, under_way=under_way)
    if wanted and (under_way or goal(KIND, stage) == "carried_back"):
        result.append(pair_lost(group, [m.label for m in group.members if goals.stage(m.volume.id) is stage]))
    if wanted:
        result += taken(desired, snapshot, group, found)
    explained = found.forward or found.both_writable or unknown(group, found)
    if stage in (Stage.REPLICATE, Stage.CUT) and found.paired and not under_way and not explained:
        result.append(turned(group))
    if stage in (Stage.REPLICATE, Stage.CUT, Stage.CARRY_BACK) and not result:
        result += other_ends(desired, snapshot, group, found)
    if stage in BACK and not result:
        result += used_by_others(desired, snapshot, group, found)
    if stage is Stage.CUT and not result and _overwritten(desired, snapshot, goals, group, found):
        result.append(both_written(group))
    return result


def _overwritten(desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends) -> bool:
    """Both sides are writable, the source may hold more than the target, and so may the target: a boot was declared there."""
    stopped = stopped_at(desired, snapshot, group, "stopped", goals.run)
    return found.both_writable and not covered(found, stopped) and boot_declared(desired, snapshot, group)


def _hold(ladder: Ladder, stage: Stage) -> None:
    """What comes after the roles have changed waits for a person, too."""
    rung = {Stage.CUT: "promote", Stage.RETURN: "restore", Stage.DISCARD: "restore", Stage.CARRY_BACK: "restore"}.get(stage)
    if rung:
        ladder.wait(rung, "held by the blocker of this group", long=True)


def _lead(ladder: Ladder, aim: str, desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends) -> None:
    match aim:
        case "in_sync" if found.paired:
            _in_sync(ladder, desired, snapshot, goals, group, found)
        case "promoted":
            _promote(ladder, desired, snapshot, goals, group, found)
        case "carried_back":
            _carry_back(ladder, desired, snapshot, goals, group, found)
        case "absent":
            _unpair(ladder, desired, snapshot, goals, group, found)


def _in_sync(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends) -> None:
    """The goal of an uncut wave, and of one that goes back and leaves behind what the target wrote."""
    assert found.source is not None and found.target is not None  # noqa: S101, PT018
    if found.promoted and not suspended(found.target):
        _suspend_reverse(ladder, group, found.target)
    _give_back(ladder, desired, snapshot, goals, group, found, found.target)
    if not found.forward or suspended(found.source):
        ladder.change("resume", "replication goes on from the source", destination="in_sync", **_call(found.source))
    if found.forward and not seeded(found.source):
        _wait_seed(ladder, "seed", "the first copy is under way", group, found.source, long=True)
    if found.forward and _stage(goals, group) is Stage.REPLICATE:
        for member in group.members:
            _drop_safety(ladder, member, (name for name in member.local.snapshots if name.startswith(SAFETY_PREFIX)))


def _wait_seed(ladder: Ladder, action: str, reason: str, group: Group, replica: Replica, *, long: bool) -> None:
    """How much is left is known of a first copy alone: of a later one the array tells the share, not what the whole is."""
    total = sum(member.local.used or member.local.size for member in group.members) if replica.initial or action == "seed" else 0
    left = int(total * (100 - replica.progress) / 100)
    seconds = left / replica.throughput if replica.throughput else 0.0
    why = "it waits for its turn on the array" if replica.pending else reason
    ladder.wait(action, why, long=long, bytes_left=left, rate=replica.throughput, seconds=seconds)


def _drop_safety(ladder: Ladder, member: Member, names: Iterable[str]) -> None:
    for name in names:
        ladder.change(
            f"drop_safety_snapshot:{member.label}:{name}",
            "the rollback that it secured is complete",
            effect=Effect.DELETE,
            array=member.local.array,
            name=name,
            alone=True,
        )


def _promote(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends) -> None:
    reason = f"cutover: true for wave {group.wave}"
    proof = _proof(desired, snapshot, goals, group)
    stopped, source = proof["stopped"], found.source
    if found.promoted:
        return
    if found.both_writable and covered(found, stopped):
        _fence(ladder, reason, found, proof)
        return
    if found.both_writable:
        _take_back(ladder, found, proof)
    if not found.fenced:
        if source is not None and not seeded(source):
            _wait_seed(ladder, "seed", "the first copy is under way", group, source, long=True)
        fresh = covered(found, stopped)
        if not fresh:
            _sync(ladder, "sync", source, stopped, "the last writes before the stop")
        if source is None or not suspended(source) or not fresh:
            ladder.change("suspend", reason, destination="suspended", outage=True, **_call(source))
        if desired.site.replication.fence_first:
            _fence(ladder, reason, found, proof)
    promote = _role(found.source, found.target, "target")
    ladder.change(
        "promote",
        reason,
        fields=(FieldChange("target role", "TARGET", "SOURCE"),),
        destination="promoted",
        outage=True,
        danger=True,
        **promote,
        **proof,
    )
    if not found.fenced and not desired.site.replication.fence_first:
        _fence(ladder, reason, found, proof)


def _fence(ladder: Ladder, reason: str, found: Ends, proof: dict[str, Any], action: str = "fence") -> None:
    ladder.change(
        action,
        reason,
        fields=(FieldChange("source role", "SOURCE", "TARGET"),),
        destination="fenced",
        outage=True,
        danger=True,
        **_role(found.source, found.target, "source"),
        **proof,
    )


def _take_back(ladder: Ladder, found: Ends, proof: dict[str, Any]) -> None:
    """Where the array refuses two targets: the source ran again between `promote` and `fence`. Nothing was booted on the target yet."""
    ladder.change(
        "take_back",
        "the source may have been written since its last sync: it is synchronised anew before the target is used",
        fields=(FieldChange("target role", "SOURCE", "TARGET"),),
        destination="suspended",
        outage=True,
        danger=True,
        **_role(found.source, found.target, "target"),
        **proof,
    )


def _sync(ladder: Ladder, action: str, replica: Replica | None, since: int, reason: str) -> None:
    """A sync that starts after `since`: one that runs already does not count unless it started later."""
    if replica is not None and suspended(replica):
        ladder.change(f"resume_for_{action}", "a suspended replica cannot sync", outage=True, **_call(replica))
    if replica is not None and replica.job_running and since:
        ladder.wait(action, reason if replica.job_started >= since else "a sync that began before the stop has to end first")
        return
    ladder.change(action, reason, destination="synced_since_stop", outage=True, **_call(replica))


def _proof(desired: Desired, snapshot: Snapshot, goals: Goals, group: Group) -> dict[str, Any]:
    """What `perform` reads again before it gives a side away: see invariants.py."""
    found = ends(group, snapshot)
    return {
        "servers": list(moved_with(desired, snapshot, group)),
        "volumes": [member.volume.id for member in group.members],
        "local_ids": [member.local.id for member in group.members],
        "remote_array": group.pair.target.array,
        "remote_ids": [remote_of(group, found, member) for member in group.members],
        "stopped": stopped_at(desired, snapshot, group, "stopped", goals.run),
        "recorded": list(recorded_on(desired, snapshot, group)),
        "source_project": desired.inventory.project.id,
        "target_project": snapshot.target.project.id if snapshot.target.project else "",
    }


def _call(replica: Replica | None) -> dict[str, Any]:
    return {"array": replica.array, "replica": replica.id} if replica else {"array": UNKNOWN, "replica": UNKNOWN}


def _role(source: Replica | None, target: Replica | None, side: str) -> dict[str, Any]:
    own, other = (source, target) if side == "source" else (target, source)
    peer = {"peer_array": other.array, "peer": other.id} if other else {"peer_array": UNKNOWN, "peer": UNKNOWN}
    return {**_call(own), **peer}


def _give_back(
    ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends, target: Replica, *, carried: bool = False
) -> None:
    """Both roles, the target's first. Where the array refuses two targets, the source's first and the target's at once after.

    `carried`: with the proof that the source has what the target wrote.
    """
    fence_first, proof = desired.site.replication.fence_first, _proof(desired, snapshot, goals, group)
    loses = not carried and _stage(goals, group) is not Stage.RETURN  # before a boot is declared nobody could write on the target
    proof |= {"carried": carried, "returned": stopped_at(desired, snapshot, group, "returned", goals.run), **looked_for(goals, group)}
    if found.promoted and fence_first:
        _demote(ladder, group, target, proof, loses=loses)
    if found.promoted or found.fenced:
        _restore(ladder, group, found, proof)
    if found.both_writable or (found.promoted and not fence_first):
        _demote(ladder, group, target, proof, loses=loses)


def _demote(ladder: Ladder, group: Group, target: Replica, proof: dict[str, Any], *, loses: bool) -> None:
    """For good where what the target wrote was not carried to the source: it is overwritten from there."""
    ladder.change(
        "demote",
        f"wave {group.wave} goes back",
        fields=(FieldChange("target role", "SOURCE", "TARGET"),),
        destination="fenced",
        outage=True,
        danger=True,
        reversible=not loses,
        **_call(target),
        **proof,
    )


def _restore(ladder: Ladder, group: Group, found: Ends, proof: dict[str, Any]) -> None:
    ladder.change(
        "restore",
        f"wave {group.wave} goes back",
        fields=(FieldChange("source role", "TARGET", "SOURCE"),),
        destination="suspended",
        outage=True,
        danger=True,
        **_role(found.source, found.target, "source"),
        **proof,
    )


def _carry_back(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends) -> None:
    """What the target wrote is replicated to the source before the source starts. A sync of doubtful freshness is made again."""
    if not found.paired:
        return
    assert found.source is not None and found.target is not None  # noqa: S101, PT018
    source, target = found.source, found.target
    if may_lack(desired, snapshot, goals, group, found):
        reason = "the target may have been written since its last sync back: that is made once more"
        _fence(ladder, reason, found, _proof(desired, snapshot, goals, group), "refence")
        found = replace(found, source=replace(source, role=Role.TARGET))
    if found.promoted:
        _reverse(ladder, desired, snapshot, goals, group, found)
    _give_back(ladder, desired, snapshot, goals, group, found, target, carried=True)
    if not found.forward or suspended(source):
        kept = looked_for(goals, group)
        ladder.change("resume", "replication goes on from the source", destination="in_sync", carried=True, **kept, **_call(source))
    for member in group.members:
        name = safety_name(goals, group, member)
        if found.promoted or name in member.local.snapshots:
            _drop_safety(ladder, member, [name])


def _reverse(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends) -> None:
    assert found.target is not None  # noqa: S101
    back = found.target
    returned = stopped_at(desired, snapshot, group, "returned", goals.run)
    for member in group.members:
        name = safety_name(goals, group, member)
        if name not in member.local.snapshots:
            ladder.change(
                f"safety_snapshot:{member.label}",
                "what the source held at the cut is kept until the rollback is complete",
                effect=Effect.CREATE,
                beside=True,
                array=member.local.array,
                volume=member.local.id,
                name=name,
            )
    fresh = returned > 0 and back.restore_point >= returned
    if suspended(back) and not fresh:
        ladder.change("reverse", "what the target wrote goes back to the source", destination="reversing", **_call(back))
    elif not returned and (back.job_running or back.pending):
        _wait_seed(ladder, "reverse_seed", "what the target wrote is copied back while it runs", group, back, long=False)
    if not fresh:
        _sync(ladder, "reverse_sync", None if suspended(back) and not returned else back, returned, "the target's last writes")
    if not suspended(back) or not fresh:
        _suspend_reverse(ladder, group, back)


def _suspend_reverse(ladder: Ladder, group: Group, back: Replica) -> None:
    ladder.change("reverse_suspend", f"wave {group.wave} goes back", destination="suspended", outage=True, **_call(back))


def _unpair(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, group: Group, found: Ends) -> None:
    if found.paired:
        ladder.change(
            "unpair",
            "the migration is complete: the source's copy is no longer kept",
            effect=Effect.DELETE,
            destination="absent",
            danger=True,
            reversible=False,
            **_role(found.source, found.target, "target"),
            **handed_over_by(desired, snapshot, goals, recorded_on(desired, snapshot, group)),
        )
    for word, known in (("group", found.local_group), ("remote_group", found.remote_group)):
        if known is not None:
            ladder.change(
                f"delete_{word}",
                "nothing is left on the array",
                effect=Effect.DELETE,
                array=known.array,
                group=known.id,
                name=group.name,
            )


def perform(change: Change, providers: Providers) -> None:
    replication_calls.perform(change, providers)
