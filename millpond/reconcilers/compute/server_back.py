"""The server on the target, on the way back: locked and stopped before its disks change hands, deleted once the source runs again."""

from __future__ import annotations

from millpond.model.change import UNKNOWN, Effect, FieldChange
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers.base import Goals
from millpond.reconcilers.compute.source_state import LEFT_BY, STOPPED_FROM
from millpond.reconcilers.ladder import Ladder

ARRIVES = "arrive"
"""What is waited for until the server of a boot that was declared is there, and built."""
GUEST_RUNS = "its guest runs on its host although Nova calls it SHUTOFF: Nova stops it some minutes later"
LEFT_ON_TARGET = {**LEFT_BY, "VERIFY_RESIZE": "resize confirm"}
"""What was resized goes on as it is until it is stopped: the quicker of both ways out."""
NOT_STUCK = ("SHUTOFF", "BUILD", "DELETED", *STOPPED_FROM)
"""At rest, on its way, gone, or to be stopped."""


def is_stuck(target: Server) -> bool:
    """Whether nothing stops it as it is, and time alone does not change that. Nova's stop refuses what it does not call ACTIVE or ERROR,
    and what was never launched (nova/compute/api.py, `stop`)."""
    return target.idle and (target.runs_unlaunched or target.status not in NOT_STUCK)


def _under_way(target: Server) -> str:
    if target.guest_runs:
        return GUEST_RUNS
    doing = {"deleting": "being deleted", "powering-off": "being stopped"}
    return f"the server on the target is {doing.get(target.task_state, f'changing its state (task {target.task_state})')}"


def remove(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, target: Server) -> list[Finding]:
    """Back: locked and stopped before the disks change hands, deleted once the source runs again.

    On OVN it is deleted before, and its ports with it: there a port draws its MAC's traffic even when its server is stopped.
    """
    reason = f"wave {goals.wave(server.id)} goes back"
    if not target.never_ran:
        _stop(ladder, reason, target)
    for volume in target.volumes:
        if volume.delete_on_termination:
            ladder.change(f"keep_volume:{volume.volume_id}", "its disks must survive it", server_id=target.id, volume_id=volume.volume_id)
    if target.task_state == "deleting":
        ladder.wait(_deletion(snapshot), "the server on the target is being deleted")
    else:
        _delete(ladder, snapshot, reason, server, target.id)
    if not is_stuck(target):
        return []
    tell = runs_unlaunched if target.runs_unlaunched else cannot_be_stopped
    return [tell(desired, goals, server, target)]


def remove_once_it_comes(ladder: Ladder, snapshot: Snapshot, goals: Goals, server: Server) -> None:
    """What its coming would need is reviewed with the way back; it is gone from the plan once no server can come any more."""
    reason = f"wave {goals.wave(server.id)} goes back: done only if its server still comes"
    ladder.wait(ARRIVES, "a boot of it was declared and its server is not there: it may still come")
    _lock(ladder, reason, UNKNOWN)
    _shut_off(ladder, reason, UNKNOWN, UNKNOWN)
    _delete(ladder, snapshot, reason, server, UNKNOWN)


def _deletion(snapshot: Snapshot) -> str:
    return "delete_first" if snapshot.target.mechanism == "ovn" else "delete"


def _delete(ladder: Ladder, snapshot: Snapshot, reason: str, server: Server, id: str) -> None:
    delete = _deletion(snapshot)
    ladder.change(
        delete,
        reason,
        effect=Effect.DELETE,
        destination="absent",
        danger=True,
        outage=delete == "delete_first",
        server_id=id,
        marker=server.id,
        reversible=False,
    )


def _lock(ladder: Ladder, reason: str, id: str) -> None:
    ladder.change("lock", reason, fields=(FieldChange("locked", False, True),), server_id=id)


def _shut_off(ladder: Ladder, reason: str, id: str, status: str, *, locked: bool = False) -> None:
    ladder.change("stop", reason, fields=(FieldChange("status", status, "SHUTOFF"),), danger=True, outage=True, server_id=id, relock=locked)


def _stop(ladder: Ladder, reason: str, target: Server) -> None:
    being_built = target.status == "BUILD" and target.task_state != "deleting"
    if being_built:
        ladder.wait(ARRIVES, "the server on the target is being built: it can be stopped once it runs")
    if not target.locked:
        _lock(ladder, reason, target.id)
    if being_built:
        _shut_off(ladder, reason, target.id, UNKNOWN, locked=target.locked)
    elif target.task_state == "deleting" and target.status in ("SHUTOFF", "DELETED"):
        pass  # nothing is left to stop
    elif is_stuck(target):
        ladder.wait("stop", "held by the blocker of this server", long=True)
    elif target.task_state or target.guest_runs:
        ladder.wait("stop", _under_way(target))
    elif target.status != "SHUTOFF":
        _shut_off(ladder, reason, target.id, target.status, locked=target.locked)


def runs_unlaunched(desired: Desired, goals: Goals, server: Server, target: Server) -> Finding:
    return Finding(
        "runs_unlaunched",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"its boot on the target ended in ERROR, and the guest is up on its hypervisor (server {target.id})",
        "Nova says that it was never launched, as after a restart of nova-compute in the middle of a build, and stops no such server; no "
        "disk is taken from under a guest",
        "end the guest on its hypervisor, or delete the server in the target's Nova (its disks stay); the next apply goes on once Nova "
        "tells that it is down or gone",
        wave=goals.wave(server.id),
    )


def cannot_be_stopped(desired: Desired, goals: Goals, server: Server, target: Server) -> Finding:
    verb, cloud = LEFT_ON_TARGET.get(target.status), desired.manifest.target.cloud
    who = "an administrator" if target.locked else "the tenant or an administrator"
    fix = f"bring it to ACTIVE or SHUTOFF on {cloud} as {who}; the next apply goes on"
    if verb:
        fix = to_do(f"as {who}; the next apply goes on", f"openstack --os-cloud {cloud} server {verb} {target.id}")
    return Finding(
        "server_state",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"the server is {target.status} on the target (server {target.id}), and its wave goes back",
        "Nova stops only a server that is ACTIVE or in ERROR, and no disk changes hands before each of its servers is proven stopped",
        fix,
        wave=goals.wave(server.id),
    )


def unexpected(desired: Desired, goals: Goals, server: Server, target: Server) -> Finding:
    return Finding(
        "unexpected_server",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"the target has a server that stands for this one ({target.id}, {target.status}), but no cut of it is recorded on the source",
        "what its guest wrote must not be lost: nothing but a rollback that names its cut deletes it",
        "if the tenant uses it, set cutover: true; if nobody does, delete it on the target",
        wave=goals.wave(server.id),
    )
