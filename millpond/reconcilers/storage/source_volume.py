"""Volumes on the source: in a wave without servers they carry the cut record; what no server guards is reserved while it is cut;
decommissioned at last, their snapshots first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from millpond.errors import NotFound
from millpond.model.address import Side
from millpond.model.block_storage import Volume
from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.cut_record import PREFIX, CutRecord
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.plan import Stage
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers import boot, invariants, invariants_decommission
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.goals import goal
from millpond.reconcilers.invariants_decommission import stands_for
from millpond.reconcilers.ladder import Ladder, signed
from millpond.reconcilers.record import READ_LATER, UNDOING, claim, clear, clock_of, clocks, current, forget, planned, record_change, timed
from millpond.reconcilers.storage import invariants_storage, strayed
from millpond.reconcilers.storage.holding import hold, let_go
from millpond.reconcilers.storage.invariants_reservation import hold_is_nobody_elses, is_to_be_held
from millpond.reconcilers.storage.replication import away, ends, grouped, groups, local_volume, remote_ends
from millpond.reconcilers.storage.replication_refusals import refusals
from millpond.reconcilers.storage.stops import is_stale
from millpond.reconcilers.twins import ambiguous, once_per
from millpond.reconcilers.usage import ARRIVED, servers_of_volumes

KIND = "source_volume"
READS_AFTER: tuple[str, ...] = ("project",)


def observe(providers: Providers, scope: Scope) -> Facts:
    """The volumes of both sides are read by the kind `volume`."""
    return Facts()


def carriers(wave: DesiredWave) -> tuple[str, ...]:
    """The volumes that carry the cut record: all of a wave that has no servers."""
    return () if wave.servers else wave.volumes


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    live = {volume.id: volume for volume in snapshot.source.volumes}
    servers = servers_of_volumes(desired)
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    for wave in desired.waves:
        for id in wave.volumes:
            if id not in live:
                continue
            ladder = Ladder(desired.address(KIND, id), wave=wave.name, source_id=id, side=Side.SOURCE, servers=servers.get(id, ()))
            stage = goals.stages.get(wave.name, Stage.REPLICATE)
            aim = goal(KIND, stage)
            if stage in ARRIVED and not has_moved(desired, snapshot, goals, live[id]):
                findings.append(_stayed(desired, wave, live[id]))
                if aim == "absent":
                    ladder.wait("delete", "held by the blocker of this volume", long=True)
            elif aim == "absent":
                own = _own_servers(desired).get(id, frozenset())
                _delete(ladder, snapshot, live[id], desired, handed_over=_handed_over(live[id], own, goals))
            elif id in carriers(wave):
                findings += _carry(ladder, goal(KIND, goals.stage(id)), desired, snapshot, goals, live[id])
            else:
                findings += _guard(ladder, goal(KIND, goals.stage(id)), desired, snapshot, goals, live[id])
            steps += ladder.steps
    steps += _left_behind(desired, snapshot, live.values())
    return KindPlan(signed(steps, goals.run, snapshot), tuple(findings))


@once_per
def _own_servers(desired: Desired) -> Mapping[str, frozenset[str]]:
    """Volume → the servers that it is attached to; detached ones are not in it."""
    owners: dict[str, set[str]] = {}
    for server in desired.inventory.servers:
        for disk in server.volumes:
            owners.setdefault(disk.volume_id, set()).add(server.id)
    return {id: frozenset(servers) for id, servers in owners.items()}


def _handed_over(volume: Volume, own: frozenset[str], goals: Goals) -> bool:
    """By its own record, or by those of its servers. A server that is gone took its record along: its wave was handed over as a whole."""
    return bool(volume.record and volume.record.verified) or (bool(own) and own <= goals.verified)


def has_moved(desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume) -> bool:
    """Whether the disk is known to be on the target. A wave that was handed over proves nothing for a volume that joined it later."""
    if _handed_over(volume, _own_servers(desired).get(volume.id, frozenset()), goals):
        return True
    replicated = local_volume(desired, snapshot, volume)
    if replicated is not None and replicated.rmr_target:  # its side was fenced
        return True
    return any(stands_for(twin, volume.id) for twin in snapshot.target.volumes)


def _stayed(desired: Desired, wave: DesiredWave, volume: Volume) -> Finding:
    return Finding(
        "never_replicated",
        Severity.BLOCKER,
        desired.address(KIND, volume.id),
        f"{volume.name or volume.id} was never moved, and its wave {wave.name} has been handed over",
        "it joined the wave after the cut: no volume on the target stands for it, and a decommissioning would delete the only copy",
        f"name it in a wave that is still to be cut (`volumes`), or exclude it in {desired.manifest.file}; a disk that the tenant has "
        "deleted on the target since is to be deleted on the source by hand",
        wave=wave.name,
    )


def _guard(ladder: Ladder, aim: str, desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume) -> list[Finding]:
    """One whose cut is recorded on servers: it is reserved before they are stopped, and let go before they forget."""
    if aim == "verified":
        return hold(ladder, desired, snapshot, goals, volume, volume.record.held if volume.record else "")
    if aim == "as_found" and not _still_cut(desired, snapshot, goals, volume):
        _release(ladder, desired, snapshot, volume, "the cut is undone")
    return []


def _still_cut(desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume) -> bool:
    """Whether the cut of another wave, for which it was reserved, is recorded yet, and the source's side not given back and at peace."""
    held = volume.record.held_for if volume.record else ""
    known = [*(one.record for one in snapshot.source.servers), *(one.record for one in snapshot.source.volumes)]
    if not held or not any(record and record.cut == held and record.wave != goals.wave(volume.id) for record in known):
        return False
    for group in groups(desired, snapshot):
        if any(member.volume.id == volume.id for member in group.members):
            found = ends(group, snapshot)
            return not found.forward or bool(refusals(desired, snapshot, group, found, under_way=False))
    return True


def _left_behind(desired: Desired, snapshot: Snapshot, live: Iterable[Volume]) -> list[AnyStep]:
    """Reserved for a wave that does not have the volume any more."""
    moving = {id for wave in desired.waves for id in wave.volumes}
    steps: list[AnyStep] = []
    for volume in live:
        if volume.id not in moving and volume.record is not None and volume.record.held:
            ladder = Ladder(desired.address(KIND, volume.id), source_id=volume.id, side=Side.SOURCE)
            _release(ladder, desired, snapshot, volume, "it was reserved for a cut, and no wave has it any more")
            steps += ladder.steps
    return steps


def _release(ladder: Ladder, desired: Desired, snapshot: Snapshot, volume: Volume, reason: str) -> None:
    let_go(ladder, desired, snapshot, volume, reason)
    if volume.record is not None and volume.record.held:
        forget(ladder, "forget_hold", reason, volume.id, volume.record, "held")


def _carry(ladder: Ladder, aim: str, desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume) -> list[Finding]:
    if volume.record is not None and not volume.record.cut and _still_cut(desired, snapshot, goals, volume):
        return []  # it came from a wave whose servers carry the record
    if aim == "as_found" and volume.record is not None and not (volume.record.cut and goals.stage(volume.id) is Stage.REPLICATE):
        return _give_back(ladder, desired, snapshot, goals, volume, volume.record)
    if aim != "verified" or (volume.record and volume.record.cut and volume.record.verified):
        return []
    record = current(ladder, volume.id, volume.record)
    wave = goals.wave(volume.id)
    if record is None:
        cut = goals.cuts.get(wave, "")
        record = CutRecord(cut=cut, wave=wave, run=goals.run, held=cut)
        record_change(ladder, "record", "what must be remembered of this cut", volume.id, planned(record), outage=False)
    stale = is_stale(desired, snapshot, goals, volume.id, record)
    if stale:  # before a claim: it would vouch for what another run timed
        forget(ladder, "untime", "it may have been written since: its last writes are timed anew", volume.id, record, "stopped")
    claim(ladder, goals, volume.id, record)
    if record.returned:
        forget(ladder, "untime_return", "it goes on: a later way back times it anew", volume.id, record, "returned")
    findings = hold(ladder, desired, snapshot, goals, volume, record.held)
    if volume.id not in grouped(desired, snapshot):  # nothing would turn its disk, or tell that it was turned
        ladder.wait("verify" if record.booting else "boot", "held by the blocker of this volume: nothing replicates it", long=True)
        return findings
    if not record.stopped or stale:
        ladder.change(
            "time",
            "a sync counts only if it began after this moment on the array's clock",
            fields=(FieldChange("stopped", None, READ_LATER),),
            server_id=volume.id,
            **clock_of(desired, "source"),
        )
    if not record.booting:
        record_change(
            ladder,
            "boot",
            "from here on the tenant may write to it on the target",
            volume.id,
            {PREFIX + "booting": boot.declaration(snapshot.now, goals.run)},
            recorded=[volume.id],
            source_project=desired.inventory.project.id,
        )
    _hand_over(ladder, desired, snapshot, goals, volume)
    return findings


def _hand_over(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume) -> None:
    if ambiguous(snapshot, "volumes", volume.id):
        ladder.wait("verify", "it cannot be told which volume of the target stands for it", long=True)
        return
    record_change(
        ladder,
        "verify",
        "the volume is available on the target: from here on it is the tenant's",
        volume.id,
        {PREFIX + "verified": boot.handover(snapshot.now, goals.run)},
        outage=False,
        recorded=[volume.id],
        source_project=desired.inventory.project.id,
        target_project=snapshot.target.project.id if snapshot.target.project else UNKNOWN,
        **_remote(desired, snapshot, volume),
    )


def _remote(desired: Desired, snapshot: Snapshot, volume: Volume) -> dict[str, Any]:
    """Where it is read again whether the disk was turned."""
    end = remote_ends(desired, snapshot).get(volume.id)
    return {"remote_array": end.array, "remote_id": end.id, "remote_replica": end.replica} if end else {"remote_array": UNKNOWN}


def _give_back(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume, record: CutRecord) -> list[Finding]:
    if record.cut and (astray := strayed.strayed(desired, snapshot, [volume.id])):
        ladder.wait("give_back", "held by the blocker of this volume: nothing gives it back", long=True)
        return strayed.findings(desired, snapshot, astray, goals.wave(volume.id))
    if record.cut:
        stale = is_stale(desired, snapshot, goals, volume.id, record, "returned")
        if stale:  # before a claim: it would vouch for what another run timed
            forget(ladder, "untime_return", "it may have been written since: its last writes are timed anew", volume.id, record, "returned")
        elif record.returned and goals.stage(volume.id) is Stage.DISCARD and away(desired, snapshot, goals.wave(volume.id)):
            forget(ladder, "untime_return", "what the target wrote is discarded", volume.id, record, "returned")
        claim(ladder, goals, volume.id, record, outage=False)
        if record.verified:
            forget(ladder, "unverify", "it is no longer the tenant's on the target", volume.id, record, "verified")
        timed = bool(record.returned) and not stale
        if goals.stage(volume.id) is Stage.CARRY_BACK and not timed and away(desired, snapshot, goals.wave(volume.id)):
            record = replace(record, returned=READ_LATER)
            ladder.change(
                "time_return",
                "a sync back counts only if it began after the target gave it up",
                fields=(FieldChange("returned", None, READ_LATER),),
                outage=True,
                server_id=volume.id,
                **clock_of(desired, "target"),
            )
    let_go(ladder, desired, snapshot, volume, "the cut is undone")
    clear(ladder, volume.id, replace(record, verified="") if record.cut else record)
    return []


def _delete(ladder: Ladder, snapshot: Snapshot, volume: Volume, desired: Desired, *, handed_over: bool) -> None:
    known = {item.id for item in desired.inventory.snapshots}
    for item in snapshot.source.volume_snapshots:
        if item.volume_id == volume.id and item.id in known:
            ladder.change(
                f"delete_snapshot:{item.id}",
                "decommission: true",
                effect=Effect.DELETE,
                danger=True,
                reversible=False,
                snapshot_id=item.id,
                project_id=desired.inventory.project.id,
            )
    if volume.status == "deleting":
        ladder.wait("delete", "the volume is being deleted")
        return
    let_go(ladder, desired, snapshot, volume, "Cinder deletes no reserved volume", dying=True)
    ladder.change(
        "delete",
        "decommission: true; it goes with its server (delete_on_termination)" if _dies(desired, volume) else "decommission: true",
        effect=Effect.DELETE,
        destination="absent",
        danger=True,
        reversible=False,
        server_id=volume.id,
        project_id=desired.inventory.project.id,
        target_project=snapshot.target.project.id if snapshot.target.project else "",
        handed_over=handed_over,
    )


def _dies(desired: Desired, volume: Volume) -> bool:
    """Nova deletes it with its server. Asked of the inventory: the server may be gone already."""
    attached = (disk for server in desired.inventory.servers for disk in server.volumes)
    return any(disk.volume_id == volume.id and disk.delete_on_termination for disk in attached)


def perform(change: Change, providers: Providers) -> None:
    storage, values = providers.source.block_storage, change.parameters
    project = values.get("project_id", "")
    match change.action.partition(":")[0]:
        case "time" | "time_return":
            proof = partial(invariants.volumes_still_ours, change, providers)
            storage.set_volume_metadata(project, values["server_id"], timed(change, clocks(change, providers, proof)))
        case "hold":
            _hold(change, providers)
        case "let_go" | "let_go_to_delete":
            _let_go(change, providers)
        case "forget" | "forget_hold" | "unverify" | "untime" | "untime_return":
            if change.action in UNDOING:
                invariants.volumes_still_ours(change, providers)
            storage.delete_volume_metadata(project, values["server_id"], values["key"])
        case "delete_snapshot":
            invariants_decommission.decommission_admitted(change, providers)
            storage.delete_snapshot(project, values["snapshot_id"])
        case "delete":
            invariants_decommission.volume_may_die(change, providers, values["server_id"])
            with suppress(NotFound):  # since it was listed it went with its server
                storage.delete_volume(project, values["server_id"])
        case "boot" | "verify":
            invariants.volumes_still_ours(change, providers)
            if change.action == "verify":
                invariants_storage.volume_arrived(change, providers)
            storage.set_volume_metadata(project, values["server_id"], values["metadata"])
        case _:
            storage.set_volume_metadata(project, values["server_id"], values["metadata"])


def _hold(change: Change, providers: Providers) -> None:
    """Two calls, since nothing but Cinder's answer tells our reservation from Nova's older way to attach."""
    storage, values = providers.source.block_storage, change.parameters
    volumes = invariants.group_still_ours(change, providers)
    if change.action == "hold":
        is_to_be_held(change, volumes)
        storage.volume_action(values.get("project_id", ""), values["server_id"], "os-reserve", {})
    elif change.action == "hold:prove" and not hold_is_nobody_elses(change, providers):
        return
    storage.set_volume_metadata(values.get("project_id", ""), values["server_id"], values["metadata"])


def _let_go(change: Change, providers: Providers) -> None:
    storage, values = providers.source.block_storage, change.parameters
    if change.action.startswith("let_go_to_delete"):
        invariants_decommission.decommission_admitted(change, providers)
    else:
        invariants.group_still_ours(change, providers)
    if change.action.endswith(":watch"):
        storage.set_volume_metadata(values.get("project_id", ""), values["server_id"], values["metadata"])
    elif hold_is_nobody_elses(change, providers):
        storage.volume_action(values.get("project_id", ""), values["server_id"], "os-unreserve", {})
