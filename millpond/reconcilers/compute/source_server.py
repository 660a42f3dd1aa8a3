"""The server on the source: as found, or recorded, locked, stopped and timed for a cut; back again; at last absent.

Its cut record is the migration's memory: written before the first mutation, removed last on the way back.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from millpond.model.address import Side
from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.compute import Server
from millpond.model.cut_record import PREFIX, CutRecord
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import Stage
from millpond.model.snapshot import Facts, Snapshot
from millpond.model.to_do import to_do
from millpond.providers.ports import Providers
from millpond.providers.together import together
from millpond.reconcilers import boot, invariants, invariants_decommission
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.compute import server as target_server
from millpond.reconcilers.compute import source_at_rest, source_disks
from millpond.reconcilers.compute.boot_sent import lost
from millpond.reconcilers.compute.server_back import GUEST_RUNS
from millpond.reconcilers.compute.server_lacking import never_there
from millpond.reconcilers.compute.source_state import cannot_be_started, cannot_be_stopped, held, is_stuck
from millpond.reconcilers.goals import goal
from millpond.reconcilers.ladder import Ladder, signed
from millpond.reconcilers.record import READ_LATER, UNDOING, claim, clear, clock_of, clocks, current, forget, planned, record_change, timed
from millpond.reconcilers.storage import strayed
from millpond.reconcilers.storage.replication import away
from millpond.reconcilers.storage.stops import is_stale
from millpond.reconcilers.twins import by_id, twin

KIND = "source_server"
READS_AFTER: tuple[str, ...] = ("project",)
SETTLES = "settle"
"""What is waited for before a start, until a task of Nova has ended."""


def observe(providers: Providers, scope: Scope) -> Facts:
    """The servers of both sides are read by the kind `server`."""
    return Facts()


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    live = {server.id: server for server in snapshot.source.servers}
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    for server in desired.inventory.servers:
        here = live.get(server.id)
        if not goals.wave(server.id):
            continue
        ladder = Ladder(
            desired.address(KIND, server.id),
            wave=goals.wave(server.id),
            source_id=server.id,
            servers=(server.id,),
            side=Side.SOURCE,
        )
        if here is None:
            if gone := _gone(desired, goals, server):
                ladder.wait("boot", "held by the blocker of this server", long=True)
            findings += gone
            steps += ladder.steps
            continue
        aim = goal(KIND, goals.stage(server.id))
        if aim == "verified" and not (here.record and here.record.cut and here.record.verified):
            _cut(ladder, desired, snapshot, goals, server, here)
            findings += _not_stopped(desired, snapshot, goals, server, here)
        elif aim == "as_found" and here.record is not None and not (here.record.cut and goals.stage(server.id) is Stage.REPLICATE):
            _give_back(ladder, desired, snapshot, goals, server, here.record, here)
            astray = strayed.of_server(desired, snapshot, server.id) if here.record.cut else []
            findings += strayed.findings(desired, snapshot, astray, goals.wave(server.id))
            findings += _not_started(desired, snapshot, goals, server, here, here.record)
        elif aim == "absent":
            dying = _dying(desired, here)
            findings += [_excluded_disk_dies(desired, goals, server, dying)] if dying else []
            if dying:
                ladder.wait("delete", "held by the blocker of this server", long=True)
            else:
                _delete(ladder, desired, here)
        steps += ladder.steps
    steps += source_disks.gates(desired, snapshot, goals)
    return KindPlan(signed(steps, goals.run, snapshot), tuple(findings))


def _gone(desired: Desired, goals: Goals, server: Server) -> list[Finding]:
    """In the middle of a cut; before it that is drift, and afterwards nothing to speak of."""
    wave = goals.wave(server.id)
    if goals.stage(server.id) is not Stage.CUT or wave not in goals.admitted or server.id in goals.verified:
        return []
    return [
        Finding(
            "source_server_gone",
            Severity.BLOCKER,
            desired.address(KIND, server.id),
            "the server is gone from the source in the middle of its cut",
            "the record of the cut was on it: nothing can prove any more that its copy may be booted",
            "look at its disks on both arrays; exclude the server in the manifest with a reason, or make it again there",
            wave=wave,
        )
    ]


def _cut(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, here: Server) -> None:
    wave = goals.wave(server.id)
    reason = f"cutover: true for wave {wave}"
    record = current(ladder, here.id, here.record)
    if record is None:
        record = _new_record(goals, wave, here)
        record_change(ladder, "record", "what must be remembered of this cut", here.id, planned(record), outage=False)
    stale = here.status != "SHUTOFF" or here.guest_runs or is_stale(desired, snapshot, goals, here.id, record)
    if record.stopped and stale:  # before a claim: it would vouch for what another run timed
        forget(ladder, "untime", "it may have run since: its stop is timed anew", here.id, record, "stopped")
    claim(ladder, goals, here.id, record)
    if record.returned:
        forget(ladder, "untime_return", "it goes on: a later way back times its stop anew", here.id, record, "returned")
    if not here.locked:
        ladder.change("lock", reason, fields=(FieldChange("locked", False, True),), destination="locked", server_id=here.id)
    elif record.locked == "yes":
        ladder.change(
            "retake_lock",
            "the lock that was found may be the tenant's own: it becomes an administrator's",
            fields=(FieldChange(PREFIX + "locked", "yes", "retaken"),),
            destination="locked",
            server_id=here.id,
        )
    _stop(ladder, reason, here)
    if not record.stopped or stale:
        ladder.change(
            "time",
            "a sync counts only if it began after this moment on the array's clock",
            fields=(FieldChange("stopped", None, READ_LATER),),
            destination="timed",
            outage=True,
            server_id=here.id,
            **clock_of(desired, "source"),
        )
    _boot(ladder, desired, snapshot, goals, server, here, record)


def _stop(ladder: Ladder, reason: str, here: Server) -> None:
    """Of one in ERROR without a field: a saved plan that was made while it ran covers its stop."""
    ran = here.status == "ACTIVE"
    if here.task_state:
        ladder.wait("stop", f"the server is changing its power state (task {here.task_state})")
    elif here.guest_runs:
        ladder.wait("stop", GUEST_RUNS)
    elif is_stuck(here):
        ladder.wait("stop", held(here), long=True)
    elif here.status != "SHUTOFF":
        ladder.change(
            "stop",
            reason if ran else f"{reason}; what the server in {here.status} still runs is ended",
            fields=(FieldChange("status", "ACTIVE", "SHUTOFF"),) if ran else (),
            destination="stopped",
            outage=True,
            danger=True,
            server_id=here.id,
        )


def _not_stopped(desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, here: Server) -> list[Finding]:
    """Before its record, preflight tells it."""
    if here.record is None or not is_stuck(here):
        return []
    return [cannot_be_stopped(desired, goals, server, here, copy_runs=_runs(snapshot, server))]


def _new_record(goals: Goals, wave: str, here: Server) -> CutRecord:
    return CutRecord(cut=goals.cuts.get(wave, ""), wave=wave, run=goals.run, power=here.power, locked="yes" if here.locked else "no")


def _one(key: str, value: str) -> dict[str, str]:
    return {PREFIX + key: value}


def _boot(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, here: Server, record: CutRecord) -> None:
    target = twin(snapshot, "servers", server.id)
    if target is not None and target.status == "ERROR":
        _count_failure(ladder, goals, here, record, target)
    elif target is None and target_server.may_boot(desired, snapshot, server, record) and not never_there(desired, snapshot, goals, server):
        _declare(ladder, desired, snapshot, goals, server, here, record)
    elif target is None and boot.declared(record) is None:  # its disks stay in `maintenance` on the target
        ladder.wait("boot", "held by the blocker of this server", long=True)
    if not target_server.leads_on(desired, snapshot, server, target, record):
        ladder.wait("verify", "its server on the target cannot be handed over as it is", long=True)
        return
    record_change(
        ladder,
        "verify",
        "ACTIVE, ports ACTIVE, every carried attribute equal: from here on the server is the tenant's",
        here.id,
        _one("verified", boot.handover(snapshot.now, goals.run)),
        target_project=snapshot.target.project.id if snapshot.target.project else UNKNOWN,
    )


def _declare(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, here: Server, record: CutRecord) -> None:
    declared = boot.declared(record)
    if declared is not None and declared.run != boot.FAILED and not _is_stale(desired, snapshot, goals, server, declared):
        return
    record_change(
        ladder,
        "boot",
        "what is about to be sent is written down first",
        here.id,
        _one("booting", boot.declaration(snapshot.now, goals.run)),
    )


def _is_stale(desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, declared: boot.Boot) -> bool:
    sent = declared.run != goals.run or f"{server.id}@{declared}" in goals.tried
    return bool(goals.run) and sent and lost(desired, snapshot, server, declared)


def _count_failure(ladder: Ladder, goals: Goals, here: Server, record: CutRecord, target: Server) -> None:
    """A boot that failed before launch is counted before its server is deleted, so that a crash cannot lose the count."""
    if not target.never_ran or boot.failures(record)[1] == target.id[:8]:
        return
    declared = boot.declared(record)
    failed = replace(declared, run=boot.FAILED) if declared else ""
    values = {PREFIX + "attempts": boot.counted(record, target.id, target.fault), PREFIX + "booting": str(failed)}
    reason = f"the boot failed before the guest was started: {target.fault or 'no fault given'}"
    record_change(ladder, "count_failure", reason, here.id, values)


def _give_back(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, record: CutRecord, here: Server) -> None:
    """Start as it was, unlock unless it was locked, forget. A record without its `cut` is being cleared: nothing else is left to do."""
    if record.cut:
        reason = f"wave {record.wave} goes back"
        source_at_rest.come_to_rest(ladder, desired, snapshot, server, here)
        ran = _runs(snapshot, server)
        stale = is_stale(desired, snapshot, goals, here.id, record, "returned")
        gone = away(desired, snapshot, goals.wave(here.id))
        if record.returned and gone and (ran or stale):  # before a claim: it would vouch for what another run timed
            forget(ladder, "untime_return", "its copy may have run since: the stop there is timed anew", here.id, record, "returned")
        elif record.returned and gone and goals.stage(here.id) is Stage.DISCARD:  # it would tell that something was carried back
            forget(ladder, "untime_return", "what the target wrote is discarded", here.id, record, "returned")
        claim(ladder, goals, here.id, record, outage=False)
        if record.verified:
            forget(ladder, "unverify", "it is no longer the tenant's on the target", here.id, record, "verified")
        if goals.stage(here.id) is Stage.CARRY_BACK and gone and (ran or stale or not record.returned):
            record = replace(record, returned=READ_LATER)
            ladder.change(
                "time_return",
                "a sync back counts only if it began after the target server was stopped",
                fields=(FieldChange("returned", None, READ_LATER),),
                outage=True,
                server_id=here.id,
                **clock_of(desired, "target"),
            )
        source_disks.be_given_back(ladder, desired, snapshot, server)
        if record.power == "active":
            _start(ladder, snapshot, reason, here)
        if here.locked and record.locked == "no":
            ladder.change("unlock", reason, fields=(FieldChange("locked", True, False),), server_id=here.id)
    clear(ladder, here.id, replace(record, verified="") if record.cut else record)


def _start(ladder: Ladder, snapshot: Snapshot, reason: str, here: Server) -> None:
    """Also of one that another task is to leave off, such as the stop of its cut: a saved plan has to know of its start."""
    task = here.task_state
    if task == "powering-on" or (task not in ("", "powering-off") and here.status == "ACTIVE"):
        ladder.wait("start", _changing(task))
        return
    if task and not any(step.action == source_at_rest.ACTION for step in ladder.steps):
        ladder.wait(SETTLES, _changing(task))
    if task or here.status == "SHUTOFF":
        ladder.change(
            "start",
            reason,
            fields=(FieldChange("status", "SHUTOFF", "ACTIVE"),),
            destination="as_found",
            outage=True,
            server_id=here.id,
            target_project=snapshot.target.project.id if snapshot.target.project else "",
        )
    elif here.status != "ACTIVE":
        ladder.wait("start", f"the server is {here.status} on the source and cannot be started as it is: repair it there", long=True)


def _changing(task: str) -> str:
    doing = {"powering-on": "starting", "powering-off": "being stopped"}.get(task, "changing its state on the source")
    return f"the server is {doing} (task {task})"


def _not_started(desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, here: Server, record: CutRecord) -> list[Finding]:
    """Before its disks are the source's again, where it is not off; after that, once nothing but its state keeps it from being started."""
    if not record.cut or not here.idle or here.status == "SHUTOFF":
        return []
    if source_at_rest.away(desired, snapshot, server):
        return [] if here.at_rest else [source_at_rest.must_be_off(desired, goals, server, here)]
    if record.power != "active" or here.status == "ACTIVE" or _runs(snapshot, server):
        return []
    return [cannot_be_started(desired, goals, server, here, carried=bool(record.returned))]


def _runs(snapshot: Snapshot, server: Server) -> bool:
    target = twin(snapshot, "servers", server.id)
    if target is None:
        return False
    return target.runs_unlaunched or (bool(target.launched_at) and (target.status != "SHUTOFF" or target.guest_runs))


def _dying(desired: Desired, here: Server) -> list[str]:
    """The excluded disks that Nova would delete with the server."""
    return [disk.volume_id for disk in here.volumes if disk.delete_on_termination and disk.volume_id in desired.excluded]


def _excluded_disk_dies(desired: Desired, goals: Goals, server: Server, disks: list[str]) -> Finding:
    return Finding(
        "excluded_disk_dies",
        Severity.BLOCKER,
        desired.address(KIND, server.id),
        f"an excluded volume would be deleted with its server: {', '.join(desired.names.get(id, id) for id in disks)}",
        "it stays behind, has no copy on the target, and is attached with delete_on_termination, which old releases cannot change",
        to_do("detach it from the server on the source", *(f"openstack server remove volume {server.id} {disk}" for disk in disks)),
        wave=goals.wave(server.id),
    )


def _delete(ladder: Ladder, desired: Desired, here: Server) -> None:
    if here.task_state == "deleting":
        ladder.wait("delete", "the server is being deleted")
        return
    attached = [disk.volume_id for disk in here.volumes]
    covered = by_id(desired.inventory.volumes).keys() - desired.excluded
    ladder.change(
        "delete",
        "decommission: true",
        effect=Effect.DELETE,
        destination="absent",
        danger=True,
        reversible=False,
        server_id=here.id,
        cut=here.record.cut if here.record else "",
        stays=[id for id in attached if id in desired.excluded],
        disks=[id for id in attached if id in covered],
    )


def perform(change: Change, providers: Providers) -> None:
    compute = providers.source.compute
    server_id = change.parameters["server_id"]
    match change.action.partition(":")[0]:
        case "lock" | "unlock":
            invariants.still_ours(change, providers, begun=change.action == "lock")
            compute.server_action(server_id, change.action)
        case "retake_lock":  # nothing shows whose lock it is: both calls may be repeated, and the record says when both were made
            invariants.still_ours(change, providers, begun=True)
            compute.server_action(server_id, "lock")
            compute.set_server_metadata(server_id, _one("locked", "retaken"))
        case "stop":  # the tenant may have put a lock of its own before ours: again, so that it is an administrator's
            invariants.still_ours(change, providers, begun=True)
            compute.server_action(server_id, "lock")
            compute.server_action(server_id, "os-stop")
        case "start":
            proofs = (invariants.still_ours, invariants.target_is_stopped)
            together([partial(proof, change, providers) for proof in proofs])  # its server is down meanwhile
            compute.server_action(server_id, "os-start")
        case "time" | "time_return":
            proof = partial(invariants.still_ours, change, providers)
            compute.set_server_metadata(server_id, timed(change, clocks(change, providers, proof)))
        case "forget" | "untime" | "untime_return" | "unverify":
            _forget(change, providers)
        case "delete":
            invariants_decommission.server_may_die(change, providers, server_id)
            compute.delete_server(server_id)
        case "boot":
            invariants.still_ours(change, providers, begun=True)
            compute.set_server_metadata(server_id, change.parameters["metadata"])
        case "verify":
            invariants.still_ours(change, providers, begun=True)
            invariants.runs_on_target(change, providers, change.parameters["target_project"], server_id)
            compute.set_server_metadata(server_id, change.parameters["metadata"])
        case _:
            compute.set_server_metadata(server_id, change.parameters["metadata"])


def _forget(change: Change, providers: Providers) -> None:
    if change.action in UNDOING:
        invariants.still_ours(change, providers)
    providers.source.compute.delete_server_metadata(change.parameters["server_id"], change.parameters["key"])
