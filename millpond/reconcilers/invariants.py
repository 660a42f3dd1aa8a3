"""The safety rules, read again and asserted directly before a step that could break them. Each raises `InvariantBroken`; nothing is sent.

One: at most one powered-on copy of a server. Two: at most one writable side of a replication group. Four: a group changes hands only
after its servers are proven stopped, every LUN mapping belongs to an attachment of such a server, and a later sync has completed.
Six: Millpond deletes only what carries its marker. Twelve: no step of a cut, or of its way back, outlives the record that it was planned
by. The fifth stands in `invariants_decommission`, and what concerns one kind alone beside that kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial

from millpond.errors import InvariantBroken, LeaseHeld
from millpond.model.array import ArrayVolume, Replica, Role
from millpond.model.block_storage import Volume
from millpond.model.change import UNKNOWN, Change
from millpond.model.compute import Server
from millpond.model.counting import told_of
from millpond.model.cut_record import CutRecord
from millpond.providers.ports import Providers
from millpond.providers.together import Reads, together
from millpond.reconcilers.ladder import carriers
from millpond.reconcilers.mappings import Initiators, held_by, holders_of, unaccounted, wwpn

AGAIN = "look at both clouds, then run the plan again: nothing was sent"


def broken(change: Change, why: str) -> InvariantBroken:
    return InvariantBroken(why, where=str(change.address), fix=AGAIN, command="millpond plan")


def everything_is_known(change: Change) -> None:
    """Before any call: what it refers to exists. A blocker elsewhere may have left out the step that would have made it."""
    if UNKNOWN in json.dumps(change.parameters, default=str):
        raise broken(change, "an object that it refers to does not exist yet")


def may_change_hands(change: Change, providers: Providers) -> None:
    """Before `fence`, `refence` and `promote`. All is read at once, since a wave is down meanwhile."""
    values = change.parameters
    fences = change.action != "promote"
    name = values["array"] if fences else values["peer_array"]
    array, project = providers.array(name), values["source_project"]
    with Reads() as reads:
        read_servers = reads.begin(providers.source.compute.servers, project)
        read_volumes = reads.begin(providers.source.block_storage.volumes, project)
        read_local = reads.begin(array.volumes, [], values["local_ids"])
        read_replicas = reads.begin(_both, change, providers, name)
        read_remote = reads.begin(providers.array(values["remote_array"]).volumes, [], values["remote_ids"])
        read_twins = reads.begin(providers.target.block_storage.volumes, values["target_project"])
        servers, volumes, local = read_servers.result(), read_volumes.result(), read_local.result()
        source, target = read_replicas.result()
        remote, twins = read_remote.result(), read_twins.result()
    _still_ours(change, servers, volumes, begun=True)
    _has_role(change, source if fences else target, Role.SOURCE if fences else Role.TARGET)
    if change.action == "refence" and target.role is not Role.SOURCE:
        raise broken(change, "the target side is not writable, so nothing on it can be carried back any more")
    _stopped(change, servers, values["servers"], "source")
    _all_seen(change, volumes, local)
    _leads_to_twins(change, source, remote, twins)
    fibre = any(wwpn(host) for disk in local for host in disk.mapped_to)
    initiators = providers.source.block_storage.initiators(project) if fibre else {}
    _mapped_to_stopped(change, local, _of(volumes, values["volumes"]), servers, initiators)
    if source.role is Role.SOURCE:
        _guarded(change, providers, volumes)
    if not values["stopped"] or (source.role is Role.SOURCE and source.restore_point < values["stopped"]):
        raise broken(change, "no sync that began after the stop has completed")
    if change.action == "promote" and source.role is not Role.TARGET and providers.site.replication.fence_first:
        raise broken(change, "the source side is still writable: two sides would be")


def may_come_back(change: Change, providers: Providers) -> None:
    """Before `demote`, `take_back` and `restore`: the target's servers are stopped, and nobody else has its volumes; the source is given
    back only when the target is not writable, and while each server of its own is at rest: the disks of a guest would change under it.

    Where the array refuses two targets the source goes first: what was proven of the servers is then all that keeps writes out.
    """
    values = change.parameters
    project = values["target_project"]
    if not project:
        raise broken(change, "the target's project was not seen, so nothing proves that its servers are stopped")
    compute, storage = providers.target.compute, providers.target.block_storage
    array = providers.array(values["remote_array"])
    with Reads() as reads:
        read_servers, read_volumes = reads.begin(compute.servers, project), reads.begin(storage.volumes, project)
        read_remote = reads.begin(array.volumes, [], values["remote_ids"])
        read_source = reads.begin(providers.source.compute.servers, values["source_project"])
        read_recorded = reads.begin(providers.source.block_storage.volumes, values["source_project"])
        read_own = reads.begin(replica, change, providers, values["array"], values["replica"])
        servers, volumes, here, own = read_servers.result(), read_volumes.result(), read_source.result(), read_own.result()
        recorded, remote = read_recorded.result(), read_remote.result()
    _still_ours(change, here, recorded)
    names = {disk.name for disk in remote}
    own_volumes = [volume for volume in volumes if volume.marker in values["volumes"] or volume.backend_name in names]
    asleep = {server.id for server in servers if _asleep(server)}
    running = [server.id for server in servers if server.marker in values["servers"] and server.id not in asleep]
    if running:
        raise broken(change, f"{told_of(len(running), 'server', 'still runs', 'still run')} on the target")
    if awake := [volume.id for volume in own_volumes if {a.server_id for a in volume.attachments} - asleep]:
        raise broken(change, f"volume {awake[0]} is attached to a server on the target that is not stopped")
    _has_role(change, own, Role.TARGET if change.action == "restore" else Role.SOURCE)
    _is_nobody_elses(change, providers, remote, volumes, servers)
    if values.get("carried"):
        _carried(change, providers, own, own_volumes, _records_of(change, here, recorded))
    if change.action == "take_back":
        _never_booted(change, providers, servers, here)
    if change.action == "restore":
        peer = replica(change, providers, values["peer_array"], values["peer"])
        if peer.role is not Role.TARGET and providers.site.replication.fence_first:
            raise broken(change, "the target side is still writable: two sides would be")
        mine = [server for server in here if server.id in values["servers"]]
        if up := sorted(f"{server.name or server.id} ({server.status})" for server in mine if not server.at_rest):
            why = "a guest is up on the source, or sleeps there with its memory, and its disks are about to change under it"
            raise broken(change, f"{why}: {', '.join(up)}; stop it there")


def _carried(change: Change, providers: Providers, own: Replica, volumes: Iterable[Volume], records: Sequence[CutRecord | None]) -> None:
    """What the target wrote last is on the source, as long as the target's side is still writable: nobody wrote after that was timed.

    A side that was given up already was given up by a way back that carried.
    """
    values = change.parameters
    back = own if change.action == "demote" else replica(change, providers, values["peer_array"], values["peer"])
    if back.role is not Role.SOURCE:
        _was_carried(change, providers, values["array"], records)
        return
    if not values["returned"] or back.restore_point < values["returned"]:
        raise broken(change, "no sync back that began after the target's stop has completed")
    for volume in volumes:
        if volume.status == "available" and not volume.attachments:
            raise broken(change, f"volume {volume.id} on the target is free: it may have been written after the last sync")


def _was_carried(change: Change, providers: Providers, array: str, records: Sequence[CutRecord | None]) -> None:
    """No such way gives anything up before its safety snapshots are there and `returned` is recorded; one that discards has neither."""
    values, known = change.parameters, [record for record in records if record is not None]
    if not any(record.booting for record in known) or any(record.returned for record in known):
        return
    kept = [name for disk in providers.array(array).volumes([], values["local_ids"]) for name in disk.snapshots]
    if not any(name.startswith(values["safety"]) for name in kept):
        raise broken(change, "the target's side was given up without carrying anything back: what it wrote would be lost")


def may_be_overwritten(change: Change, providers: Providers) -> None:
    """Before replication goes on at the end of a way back that carries: the source has what the target wrote."""
    source, project = providers.source, change.parameters["source_project"]
    servers, volumes = source.compute.servers(project), source.block_storage.volumes(project)
    _still_ours(change, servers, volumes)
    _was_carried(change, providers, change.parameters["array"], _records_of(change, servers, volumes))


def _records_of(change: Change, servers: Iterable[Server], volumes: Iterable[Volume]) -> list[CutRecord | None]:
    records = {server.id: server.record for server in servers} | {volume.id: volume.record for volume in volumes}
    return [record for id, record in records.items() if id in change.parameters["recorded"]]


def _never_booted(change: Change, providers: Providers, there: Iterable[Server], here: Iterable[Server]) -> None:
    """What is taken back in the middle of a cut is discarded: nothing may have been written there, and the source has all of it."""
    values = change.parameters
    volumes = providers.source.block_storage.volumes(values["source_project"])
    records = _records_of(change, here, volumes)
    if not records or any(record is None or record.booting for record in records):
        raise broken(change, "a boot on the target was tried: what it wrote would be lost")
    if any(server.marker in values["servers"] for server in there):
        raise broken(change, "a server on the target stands for one of this group's: what it wrote would be lost")
    peer = replica(change, providers, values["peer_array"], values["peer"])
    if peer.role is not Role.SOURCE:
        raise broken(change, "the source side is not writable: neither would be")


UNSETTLED = ("creating", "unmanaging", "error", "error_unmanaging", "deleting")
"""Of a volume on the target whose disk on the array does not have its name yet, or not any more."""


def _leads_to_twins(change: Change, source: Replica, remote: Iterable[ArrayVolume], twins: Iterable[Volume]) -> None:
    """What the array replicates to is what the target's servers will start from."""
    values = change.parameters
    paired = {pair.local_id: pair.remote_id for pair in source.pairs}
    names = {disk.id: disk.name for disk in remote}
    there = {origin: paired.get(local, 0) for origin, local in zip(values["volumes"], values["local_ids"], strict=True)}
    for volume in twins:
        if volume.marker in there and volume.status not in UNSETTLED and names.get(there[volume.marker]) != volume.backend_name:
            raise broken(
                change, f"volume {volume.id} on the target is not the remote end of the replica: its server would start without data"
            )


def leaves_its_disks(change: Change) -> None:
    """Before a boot on the target: while the pair stands, a way back deletes the server and needs its disks."""
    if any(disk.get("delete_on_termination") for disk in change.parameters["body"]["block_device_mapping_v2"]):
        raise broken(change, "a disk would be deleted with the server, and a way back needs it")


def boots_from_replicas(change: Change, providers: Providers) -> None:
    """Before a boot on the target: each of its disks is the one that the array replicates to, and stands for the one it was planned for."""
    disks = change.parameters["disks"]
    by_array: dict[str, set[int]] = {}
    for array, remote, _ in disks.values():
        if remote:
            by_array.setdefault(array, set()).add(remote)
    with Reads() as reads:  # its server is down meanwhile
        read_volumes = reads.begin(providers.target.block_storage.volumes, change.parameters["project_id"])
        read_disks = {array: reads.begin(providers.array(array).volumes, [], sorted(ids)) for array, ids in by_array.items()}
        names = {(array, disk.id): disk.name for array, read in read_disks.items() for disk in read.result()}
        known = {volume.id: volume for volume in read_volumes.result()}
    for id, (array, remote, origin) in disks.items():
        found = known.get(id)
        if found is None or found.marker != origin or names.get((array, remote)) != found.backend_name:
            raise broken(change, f"volume {id} is not the remote end of the replica of {origin}: the server would start without its data")


def _has_role(change: Change, found: Replica, role: Role) -> None:
    """`change_role` turns whatever role it finds: a second one would undo the first."""
    if found.role is not role:
        raise broken(change, f"replica {found.id} on {found.array} is {found.role} already")


def _still_ours(change: Change, servers: Iterable[Server], volumes: Iterable[Volume] = (), *, begun: bool = False) -> None:
    """LeaseHeld where the cut records, read anew, name another run than the one that planned this, or another cut than it was planned by,
    or are gone: it must do nothing more at all. On the way back the record of a server is removed after all that is done by it.

    What a cut that has `begun` does needs its records, whatever the plan saw.
    """
    values, run = change.parameters, change.parameters.get("run", "")
    recorded, own = values.get("recorded", ()), carriers(change)
    records = {server.id: server.record for server in servers if server.id in own}
    needed = [*records, *recorded]
    records |= {volume.id: volume.record for volume in volumes if volume.id in own}
    if begun and not all((record := records[id]) and record.cut for id in needed if id in records):
        raise broken(change, "no cut is recorded on the source any more")
    others = {record.run for record in records.values() if record and record.cut} - {run}
    if run and others:
        raise _taken_over(change, f"run {', '.join(sorted(others))} has taken over this cut")
    for id, cut in values.get("cuts", {}).items():
        now = (record.cut if (record := records[id]) else "") if id in records else cut
        if now != cut:
            raise _taken_over(change, f"cut {cut} is not recorded on {id} any more ({f'but {now}' if now else 'it was undone'})")


def _taken_over(change: Change, why: str) -> LeaseHeld:
    return LeaseHeld(
        f"{why}: nothing was sent",
        where=str(change.address),
        fix="This run stops here. See who is at work:",
        command=f"millpond status {change.address.tenant}",
    )


def still_ours(change: Change, providers: Providers, *, begun: bool = False) -> None:
    """Before a server is stopped, started or deleted, on either side, and before its boot is declared: the clouds check no lease."""
    _still_ours(change, [found for id in change.servers if (found := providers.source.compute.server(id))], begun=begun)


def cut_stands(change: Change, providers: Providers) -> None:
    """Before a step of a way back that names the cut that it undoes, and not the run: other runs' servers may be beside its own."""
    _still_ours(change, [found for id in change.parameters.get("cuts", ()) if (found := providers.source.compute.server(id))])


def group_still_ours(change: Change, providers: Providers) -> tuple[Volume, ...]:
    """Before replication is suspended, turned or goes on, for then one side is overwritten: by servers and volumes that carry records.

    The volumes are returned as they were read.
    """
    source, project = providers.source, change.parameters["source_project"]
    with Reads() as reads:
        read_servers, read_volumes = reads.begin(source.compute.servers, project), reads.begin(source.block_storage.volumes, project)
        servers, volumes = read_servers.result(), read_volumes.result()
    _still_ours(change, servers, volumes)
    return volumes


def volumes_still_ours(change: Change, providers: Providers) -> None:
    """The same of volumes that carry the record, before the tenant may write to them on the target."""
    _still_ours(change, (), providers.source.block_storage.volumes(change.parameters["source_project"]), begun=True)


def source_is_stopped(change: Change, providers: Providers, server_id: str) -> None:
    """Before a boot on the target. Where the server is gone from the source, so is the record that would let it boot."""
    servers = [found] if (found := providers.source.compute.server(server_id)) else []
    _still_ours(change, servers, begun=True)
    _stopped(change, servers, [server_id], "source")


def target_is_stopped(change: Change, providers: Providers) -> None:
    """Before a start on the source."""
    project, server_id = change.parameters["target_project"], change.parameters["server_id"]
    if not project:
        raise broken(change, "the target's project was not seen, so nothing proves that the copy there is stopped")
    running = [s for s in providers.target.compute.servers(project) if s.marker == server_id and not _asleep(s)]
    if running:
        raise broken(change, f"its copy on the target is {running[0].status}: two copies would run")


def runs_on_target(change: Change, providers: Providers, project: str, server_id: str) -> None:
    """Before a server is handed over: exactly one target server stands for it, and its guest was started."""
    found = [s for s in providers.target.compute.servers(project) if s.marker == server_id]
    if len(found) != 1 or not found[0].launched_at or found[0].status not in ("ACTIVE", "SHUTOFF"):
        states = ", ".join(s.status for s in found) or "none"
        raise broken(change, f"it is not proven to run on the target: {told_of(len(found), 'server', 'stands', 'stand')} for it ({states})")


def is_ours(change: Change, providers: Providers, server_id: str, marker: str) -> None:
    """Before a target server is deleted."""
    found = providers.target.compute.server(server_id)
    if found and found.marker != marker:
        raise broken(change, f"server {server_id} does not carry the marker of {marker}: Millpond deletes only what it created")
    if found and not _asleep(found):
        raise broken(change, f"server {server_id} is {found.status}: only what is proven stopped, or never ran, is deleted")
    if found and change.action == "delete_failed" and found.launched_at:
        raise broken(change, f"the guest of server {server_id} was started: it did not fail before launch")
    if found and any(volume.delete_on_termination for volume in found.volumes):
        raise broken(change, f"a disk of server {server_id} would be deleted with it")


def _asleep(server: Server) -> bool:
    return server.never_ran or (server.stopped and server.locked)


def _stopped(change: Change, servers: Iterable[Server], wanted: Sequence[str], side: str) -> None:
    listed = {server.id: server for server in servers}
    if unseen := sorted(set(wanted) - listed.keys()):
        raise broken(change, f"the {side} does not list {', '.join(unseen)}: what is not seen is not proven stopped")
    awake = [s.name or s.id for s in map(listed.__getitem__, wanted) if not (s.stopped and s.locked)]
    if awake:
        raise broken(change, f"not proven stopped under an admin lock on the {side}: {', '.join(sorted(awake))}")


def _all_seen(change: Change, volumes: Iterable[Volume], local: Iterable[ArrayVolume]) -> None:
    values = change.parameters
    unseen: set[object] = set(values["volumes"]) - {volume.id for volume in volumes}
    unseen |= set(values["local_ids"]) - {volume.id for volume in local}
    if unseen:
        raise broken(change, f"volumes are not listed, so nothing proves that nobody uses them: {', '.join(sorted(map(str, unseen)))}")


def _guarded(change: Change, providers: Providers, volumes: Iterable[Volume]) -> None:
    """No volume was free for anybody to attach since its last writes were timed: a reservation that was lost times it anew.

    One that servers share is mapped to their hypervisors anyway: Cinder's list tells whether another is being given it there.
    """
    wanted = [volume for volume in volumes if volume.id in change.parameters["volumes"] and volume.attachable]
    for volume in wanted:
        if not volume.held:
            raise broken(change, f"volume {volume.id} is {volume.status}, not reserved: it may have been written after the last sync")
    if any(volume.multiattach for volume in wanted):
        not_being_attached(change, providers, [volume.id for volume in wanted])


UNDER_WAY = ("reserved", "attaching")
"""Of an attachment that has begun and is not `attached` yet."""


def not_being_attached(change: Change, providers: Providers, volumes: Sequence[str]) -> None:
    """By Nova's newer way, whose attachments are listed from their beginning. The older way lists none before it ends."""
    for one in providers.source.block_storage.attachments(change.parameters["source_project"]):
        if one.volume_id in volumes and one.status in UNDER_WAY:
            raise broken(change, f"volume {one.volume_id} is being attached to server {one.server_id or 'none'} on the source")


def _of(volumes: Iterable[Volume], wanted: Sequence[str]) -> dict[str, Volume]:
    return {volume.backend_name: volume for volume in volumes if volume.id in wanted}


def _is_nobody_elses(
    change: Change, providers: Providers, remote: Iterable[ArrayVolume], volumes: Iterable[Volume], servers: Iterable[Server]
) -> None:
    """While the target's side is writable, every disk of it is listed, and mapped for the project's own servers alone, which were proven
    asleep. A volume that was transferred to another project is in no list of this one's: the array tells that somebody has it.
    """
    if change.action == "restore" and providers.site.replication.fence_first:
        return
    if unseen := sorted(set(change.parameters["remote_ids"]) - {disk.id for disk in remote}):
        raise broken(change, f"disks are not listed, so nothing proves that nobody uses them: {', '.join(map(str, unseen))}")
    fibre = any(wwpn(host) for disk in remote for host in disk.mapped_to)
    initiators = providers.target.block_storage.initiators(change.parameters["target_project"]) if fibre else {}
    known, holders = {volume.backend_name: volume for volume in volumes}, holders_of(servers)
    for disk in remote:
        volume = known.get(disk.name)
        if others := unaccounted(disk, held_by(volume, holders) if volume else None, initiators):
            raise broken(change, f"disk {disk.name} is mapped to {', '.join(others)}, more than its stopped servers account for")


def _mapped_to_stopped(
    change: Change, found: Iterable[ArrayVolume], volumes: dict[str, Volume], servers: Iterable[Server], initiators: Initiators
) -> None:
    """Every mapping is one of a stopped server's hypervisor, by its initiators where Cinder tells them, else by their number."""
    asleep = {server.id for server in servers if server.stopped and server.locked}
    for local in found:
        volume = volumes.get(local.name)
        attachments = volume.attachments if volume else ()
        if {a.server_id for a in attachments} - asleep:
            raise broken(change, f"volume {local.name} is attached to a server that is not stopped")
        if others := unaccounted(local, volume, initiators):
            raise broken(change, f"volume {local.name} is mapped to {', '.join(others)}, more than its stopped servers account for")


def _both(change: Change, providers: Providers, source_array: str) -> tuple[Replica, Replica]:
    values = change.parameters
    sides = ((values["array"], values["replica"]), (values["peer_array"], values["peer"]))
    own, peer = together([partial(replica, change, providers, *side) for side in sides])
    return (own, peer) if own.array == source_array else (peer, own)


def replica(change: Change, providers: Providers, array: str, id: int) -> Replica:
    found = next((r for r in providers.array(array).replicas() if r.id == id), None)
    if found is None:
        raise broken(change, f"replica {id} is gone from {array}")
    if found.unknown:
        raise broken(change, f"replica {id} on {array} has a value that Millpond does not know: {found.unknown}")
    return found
