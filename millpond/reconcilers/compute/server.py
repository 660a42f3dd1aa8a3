"""The server on the target: absent, created, identical, in the power state that it had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.compute import Server
from millpond.model.cut_record import MARKER_KEY, CutRecord
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import AFTER_A_BOOT
from millpond.model.snapshot import Facts, Snapshot
from millpond.model.to_do import to_do
from millpond.providers.ports import Providers
from millpond.reconcilers import boot, invariants
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.compute import boots_first, flavor, server_back_gate
from millpond.reconcilers.compute.boot_sent import fresh, lost, may_come
from millpond.reconcilers.compute.server_back import remove, remove_once_it_comes, runs_unlaunched, unexpected
from millpond.reconcilers.compute.server_disks import carry_delete_on_termination
from millpond.reconcilers.compute.server_identity import (
    boot_name,
    desired_power,
    keeps_user_data,
    moving_disks,
    unequal,
    wanted,
    zone,
)
from millpond.reconcilers.compute.server_lacking import incomplete, never_there
from millpond.reconcilers.goals import goal
from millpond.reconcilers.ladder import Ladder, signed
from millpond.reconcilers.storage import invariants_storage
from millpond.reconcilers.storage.replication import remote_ends
from millpond.reconcilers.twins import ambiguous, twin

KIND = "server"
READS_AFTER: tuple[str, ...] = ("project",)
RUNNING = ("ACTIVE", "SHUTOFF")


def observe(providers: Providers, scope: Scope) -> Facts:
    """Servers of both sides. Their NIC and disk order is completed by the snapshot's reader, which has ports and volumes."""
    return Facts(
        source={"servers": providers.source.compute.servers(scope.source_project)} if scope.source else {},
        target=_target(providers, scope) if scope.target and scope.target_project else {},
    )


def _target(providers: Providers, scope: Scope) -> dict[str, object]:
    return {"servers": providers.target.compute.servers(scope.target_project)}


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    """Members of an anti-affinity group, and servers that share a volume, are booted one after the other: side by side they race to
    Nova's late check of the hosts, or to the reservation of the volume, and one of them ends in ERROR."""
    live = {server.id: server for server in snapshot.source.servers}
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    former: dict[str, tuple[str, ...]] = {}
    contended = _contended(desired)
    for server in desired.inventory.servers:
        if not goals.wave(server.id):
            continue
        doubles = ambiguous(snapshot, "servers", server.id)
        if doubles:
            findings.append(_doubled(desired, goals, server, [double.id for double in doubles]))
            continue
        address = desired.address(KIND, server.id)
        shared = contended & {server.server_group_id, *(volume.volume_id for volume in server.volumes)}
        first = tuple(dict.fromkeys(id for key in sorted(shared) for id in former.get(key, ())))
        ladder = Ladder(address, wave=goals.wave(server.id), source_id=server.id, servers=(server.id,), first=first)
        target = twin(snapshot, "servers", server.id)
        record = live[server.id].record if server.id in live else None
        aim = goal(KIND, goals.stage(server.id))
        if aim == "running" and server.id not in goals.verified and server.id in live:
            findings += _run(ladder, desired, snapshot, goals, server, target, record)
        elif aim == "absent" and target is not None and target.launched_at and goals.stage(server.id) not in AFTER_A_BOOT:
            findings.append(unexpected(desired, goals, server, target))
            ladder.wait("stop", "held by the blocker of this server", long=True)
        elif aim == "absent" and target is not None:
            findings += remove(ladder, desired, snapshot, goals, server, target)
        elif aim == "absent" and may_come(desired, snapshot, server, boot.declared(record)):
            _awaited(ladder, desired, snapshot, goals, server)
        elif aim == "tenants" and goals.unpairing(server.id) and target is not None:
            carry_delete_on_termination(ladder, desired, snapshot, goals, server, target)
        steps += ladder.steps
        if any(step.action == "create" for step in ladder.steps):
            former |= dict.fromkeys(shared, (f"{address}#create",))
    gates, held = server_back_gate.gates(desired, snapshot, goals)
    steps += [*boots_first.gates(desired, snapshot, goals), *gates]
    return KindPlan(signed(steps, goals.run, snapshot), (*findings, *held))


def _awaited(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server) -> None:
    """A server that is to be absent, and is; `may_come` holds."""
    if boots_first.disks_have_gone_back(desired, snapshot, server):
        ladder.wait("stop", "its copy on the target was deleted: its deletion is settling")
    else:
        remove_once_it_comes(ladder, snapshot, goals, server)


def _contended(desired: Desired) -> set[str]:
    """Ids of what only one boot at a time can get hold of."""
    inventory = desired.inventory
    spread = {group.id for group in inventory.server_groups if group.policy == "anti-affinity"}
    return spread | {volume.id for volume in inventory.volumes if volume.multiattach}


def _doubled(desired: Desired, goals: Goals, server: Server, ids: list[str]) -> Finding:
    return Finding(
        "ambiguous_server",
        Severity.BLOCKER,
        desired.address(KIND, server.id),
        f"{len(ids)} servers on the target carry the marker of this server: {', '.join(ids)}",
        "Millpond never guesses which one is meant",
        "delete the ones that nobody uses, or remove `millpond:source` from their metadata",
        wave=goals.wave(server.id),
    )


def _run(
    ladder: Ladder,
    desired: Desired,
    snapshot: Snapshot,
    goals: Goals,
    server: Server,
    target: Server | None,
    record: CutRecord | None,
) -> list[Finding]:
    if target is None:
        return _create(ladder, desired, snapshot, goals, server, record)
    if target.status == "ERROR":
        return _failed(ladder, desired, snapshot, goals, server, target, record)
    if target.status == "BUILD" or target.task_state == "spawning":
        ladder.wait("create", "the server is being built")
        _finish(ladder, desired, snapshot, server, None)
        return []
    return _complete(ladder, desired, snapshot, goals, server, target)


def _create(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, record: CutRecord | None) -> list[Finding]:
    declared = boot.declared(record)
    if boot.failures(record)[0] >= desired.site.limits.attempts:
        return [_given_up(desired, goals, server, record)]
    if lacking := never_there(desired, snapshot, goals, server):
        ladder.wait("create", "held by the blocker of this server", long=True)
        return [incomplete(desired, goals, server, lacking)]
    sent = declared is not None and declared.run != boot.FAILED and not fresh(goals, server, declared)
    if sent and declared is not None and not lost(desired, snapshot, server, declared):
        ladder.wait("create", "a boot was declared and may have been sent: looking for its server before anything is sent again")
        _finish(ladder, desired, snapshot, server, None)
        return []
    ladder.change(
        "create",
        f"cutover: true for wave {goals.wave(server.id)}",
        effect=Effect.CREATE,
        fields=tuple(FieldChange(k, None, v) for k, v in sorted(_readable(desired, snapshot, server).items())),
        destination="running",
        outage=True,
        **_request(desired, snapshot, server),
    )
    _finish(ladder, desired, snapshot, server, None)
    return []


def _given_up(desired: Desired, goals: Goals, server: Server, record: CutRecord | None) -> Finding:
    return Finding(
        "boot_failed",
        Severity.BLOCKER,
        desired.address(KIND, server.id),
        f"the server did not boot on the target in {boot.failures(record)[0]} attempts",
        "each attempt ended in ERROR before the guest was started; its disks were not touched. "
        f"What the target's Nova said of the last one: {boot.last_fault(record) or 'no fault given'}",
        to_do(
            "let the wave go back with a rollback block, or mend the cause and let the next apply try again",
            f"openstack --os-cloud {desired.manifest.source.cloud} server unset --property millpond.attempts {server.id}",
        ),
        wave=goals.wave(server.id),
    )


def _failed(
    ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, target: Server, record: CutRecord | None
) -> list[Finding]:
    if target.launched_at:
        return [
            Finding(
                "error_after_launch",
                Severity.BLOCKER,
                desired.address(KIND, server.id),
                "the server on the target is in ERROR after its guest had run",
                target.fault or "what the guest wrote must not be lost, so Millpond does not touch it",
                "repair it in the target's Nova, or let the wave go back with a rollback block",
                wave=goals.wave(server.id),
            )
        ]
    if target.runs_unlaunched:
        ladder.wait("delete_failed", "held by the guest that is up on its hypervisor", long=target.idle)
        return [runs_unlaunched(desired, goals, server, target)] if target.idle else []
    if boot.failures(record)[1] == target.id[:8]:
        ladder.change(
            "delete_failed",
            f"its boot failed before launch: {target.fault or 'no fault given'}",
            effect=Effect.DELETE,
            destination="absent",
            outage=True,
            server_id=target.id,
            marker=server.id,
        )
    else:
        ladder.wait("delete_failed", "the failed boot is being counted first")
    return []


def _complete(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, target: Server) -> list[Finding]:
    wrong = _wrong(desired, snapshot, server, target)
    if wrong:
        return [_not_identical(desired, goals, server, wrong)]
    if target.status not in RUNNING:
        return [_not_running(desired, goals, server, target)]
    if boot_name(server) != server.name and target.name == boot_name(server):
        ladder.change(
            "rename",
            "the hostname was given at creation, the display name is put back",
            fields=(FieldChange("name", target.name, server.name),),
            outage=True,
            server_id=target.id,
            name=server.name,
        )
    if target.status == "ACTIVE" and not ports_active(snapshot, target):
        ladder.wait("verify", "its ports are not ACTIVE yet")
    _finish(ladder, desired, snapshot, server, target)
    return []


def _finish(ladder: Ladder, desired: Desired, snapshot: Snapshot, server: Server, target: Server | None) -> None:
    """The rungs behind ACTIVE and equal: the power state and the lock that it had. `target` None: they are still to come."""
    if boot_name(server) != server.name and target is None:
        ladder.change("rename", "the hostname was given at creation, the display name is put back", outage=True, server_id=UNKNOWN)
    power = desired_power(desired, server)
    server_id = target.id if target else UNKNOWN
    if target is not None and target.task_state:
        ladder.wait("power", f"the server is changing its power state (task {target.task_state})")
    elif power == "shutoff" and (target is None or target.status == "ACTIVE"):
        ladder.change(
            "power", "it was stopped before the cutover", fields=(FieldChange("power", "active", "shutoff"),), server_id=server_id
        )
    elif power == "active" and target is not None and target.status == "SHUTOFF":
        ladder.change(
            "power_on", "it ran before the cutover", fields=(FieldChange("power", "shutoff", "active"),), outage=True, server_id=server_id,
            source_server=server.id,
        )  # fmt: skip
    if not server.locked and target is not None and target.locked:
        ladder.change("unlock", "it was not locked before the cutover", fields=(FieldChange("locked", True, False),), server_id=server_id)
    elif server.locked and (target is None or not target.locked):
        ladder.change(
            "lock",
            "it was locked before the cutover",
            fields=(FieldChange("locked", False, True),),
            server_id=server_id,
            owner=snapshot.target.project.id if snapshot.target.project else UNKNOWN,
        )


def _not_identical(desired: Desired, goals: Goals, server: Server, wrong: tuple[FieldChange, ...]) -> Finding:
    listed = "; ".join(f"{change.path}: {change.before!r}, should be {change.after!r}" for change in wrong)
    return Finding(
        "not_identical",
        Severity.BLOCKER,
        desired.address(KIND, server.id),
        "the server runs on the target but is not identical",
        listed,
        "put the attributes right on the target, or state them as desired in the manifest; the next apply goes on",
        wave=goals.wave(server.id),
    )


def _not_running(desired: Desired, goals: Goals, server: Server, target: Server) -> Finding:
    return Finding(
        "not_running",
        Severity.BLOCKER,
        desired.address(KIND, server.id),
        f"the server on the target is {target.status}",
        "it is handed over only when it is ACTIVE or, if it was stopped before, SHUTOFF",
        "bring it to ACTIVE on the target; the next apply goes on",
        wave=goals.wave(server.id),
    )


def ports_active(snapshot: Snapshot, target: Server) -> bool:
    status = {port.id: port.status for port in snapshot.target.ports}
    return all(status.get(port) == "ACTIVE" for port in target.port_ids)


def may_boot(desired: Desired, snapshot: Snapshot, server: Server, record: CutRecord | None) -> bool:
    """Whether a boot that is not there yet may still lead to a verified server."""
    return boot.failures(record)[0] < desired.site.limits.attempts and not ambiguous(snapshot, "servers", server.id)


def leads_on(desired: Desired, snapshot: Snapshot, server: Server, target: Server | None, record: CutRecord | None) -> bool:
    """Whether the rungs of its ladder, if there are any left, end with a server that may be handed over: it ran, and is equal."""
    if target is None:
        return may_boot(desired, snapshot, server, record)
    if target.status == "BUILD":
        return True
    if target.status == "ERROR":
        return target.never_ran
    return target.status in RUNNING and bool(target.launched_at) and not _wrong(desired, snapshot, server, target)


def _wrong(desired: Desired, snapshot: Snapshot, server: Server, target: Server) -> tuple[FieldChange, ...]:
    """What differs and is not put right by the rename that follows a boot."""
    renamed = boot_name(server) != server.name and target.name == boot_name(server)
    return tuple(c for c in unequal(desired, snapshot, server, target) if not (renamed and c.path == "name"))


def _readable(desired: Desired, snapshot: Snapshot, server: Server) -> Mapping[str, object]:
    want = wanted(desired, snapshot, server)
    want["user_data"] = "(sensitive value)" if want["user_data"] else None
    want["flavor"] = flavor.wanted(desired, snapshot, server).name
    return {key: value for key, value in want.items() if value not in ("", None, [], {})}


def _request(desired: Desired, snapshot: Snapshot, server: Server) -> dict[str, Any]:
    want = wanted(desired, snapshot, server)
    chosen = flavor.existing(desired, snapshot, server)
    body: dict[str, object] = {
        "name": boot_name(server),
        "description": server.description or None,
        "flavorRef": chosen.id if chosen else UNKNOWN,
        "config_drive": server.config_drive,
        "metadata": {**server.metadata, MARKER_KEY: server.id},
        "tags": sorted(server.tags),
        "networks": [{"port": port} for port in _listed(want["ports"])],
        "block_device_mapping_v2": [_disk(index, volume) for index, volume in enumerate(_listed(want["volumes"]))],
    }
    if want["key_name"]:
        body["key_name"] = server.key_name
    if zone(desired, server):
        body["availability_zone"] = zone(desired, server)
    return {
        "project_id": snapshot.target.project.id if snapshot.target.project else UNKNOWN,
        "body": body,
        "hints": {"group": want["server_group"]} if want["server_group"] else {},
        "user_data_of": server.id if keeps_user_data(desired, server) else "",
        "source_server": server.id,
        "disks": _disks(desired, snapshot, server),
    }


def _disks(desired: Desired, snapshot: Snapshot, server: Server) -> dict[str, tuple[str, int, str]]:
    """The target's volumes that it boots with, each with the array and the id of the remote end that it has to be."""
    remote = remote_ends(desired, snapshot)
    ends = {volume.volume_id: remote.get(volume.volume_id) for volume in moving_disks(desired, server)}
    twins = {id: twin(snapshot, "volumes", id) for id in ends}
    return {double.id: (end.array, end.id, id) if (end := ends[id]) else ("", 0, id) for id, double in twins.items() if double is not None}


def _listed(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _disk(index: int, volume_id: str) -> dict[str, object]:
    return {
        "source_type": "volume",
        "destination_type": "volume",
        "uuid": volume_id,
        "boot_index": 0 if index == 0 else -1,
        "delete_on_termination": False,
    }


def perform(change: Change, providers: Providers) -> None:
    compute = providers.target.compute
    parameters = change.parameters
    server_id = parameters.get("server_id", "")
    match change.action.partition(":")[0]:
        case "create":
            invariants.leaves_its_disks(change)
            invariants.source_is_stopped(change, providers, parameters["source_server"])
            invariants.boots_from_replicas(change, providers)
            user_data = providers.source.compute.user_data(parameters["user_data_of"]) if parameters["user_data_of"] else None
            compute.create_server(parameters["project_id"], parameters["body"], parameters["hints"], user_data)
        case "rename":
            invariants.still_ours(change, providers)
            compute.rename_server(server_id, parameters["name"])
        case "power" | "stop":
            invariants.still_ours(change, providers)
            if parameters.get("relock"):  # the lock that was found may be the tenant's own; both calls may be repeated
                compute.server_action(server_id, "lock")
            compute.server_action(server_id, "os-stop")
        case "power_on":
            invariants.source_is_stopped(change, providers, parameters["source_server"])
            compute.server_action(server_id, "os-start")
        case "lock" | "unlock":  # a lock is the tenant's own where it is carried, an administrator's on the way back
            invariants.still_ours(change, providers)
            compute.server_action(server_id, change.action, project_id=parameters.get("owner", ""))
        case "delete" | "delete_first" | "delete_failed":
            invariants.still_ours(change, providers)
            invariants.is_ours(change, providers, server_id, parameters["marker"])
            compute.delete_server(server_id)
        case "keep_volume":
            invariants.still_ours(change, providers)
            compute.set_delete_on_termination(server_id, parameters["volume_id"], False)
        case "delete_on_termination":
            invariants_storage.may_go_with_its_server(change, providers)
            compute.set_delete_on_termination(server_id, parameters["volume_id"], True)
        case other:
            raise AssertionError(other)
