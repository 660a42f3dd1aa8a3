"""What is read again directly before disks are paired, unpaired, let go or deleted. Each raises `InvariantBroken`; nothing is sent."""

from __future__ import annotations

from functools import partial

from millpond.model.array import Role
from millpond.model.block_storage import Volume
from millpond.model.change import Change
from millpond.model.counting import told_of
from millpond.model.cut_record import CutRecord
from millpond.providers.ports import Providers
from millpond.providers.together import Reads, together
from millpond.reconcilers.invariants import broken, group_still_ours, replica, still_ours
from millpond.reconcilers.invariants_decommission import decommission_admitted, stands_for


def may_pair(change: Change, providers: Providers) -> None:
    """Before a pair onto volumes that exist: the first copy overwrites them, so they are twins, in `maintenance`, and nobody's."""
    values = change.parameters
    remote = {id for _, id, _ in values["members"] if id}
    if not remote:
        return
    read_disks = partial(providers.array(values["remote_array"]).volumes, [], sorted(remote))
    read_twins = partial(providers.target.block_storage.volumes, values["target_project"])
    disks, twins = read_disks(), {twin.backend_name: twin for twin in read_twins()}
    if {disk.id for disk in disks} != remote:
        raise broken(change, "a volume that would be overwritten is not listed by the array")
    for disk in disks:
        twin = twins.get(disk.name)
        if twin is None or twin.marker not in values["volumes"]:
            raise broken(change, f"volume {disk.name} would be overwritten, and it stands for none of the group's")
        if twin.status != "maintenance" or twin.attachments:
            raise broken(change, f"volume {twin.id} would be overwritten while it is {twin.status}: only a reserved one may be")
        if disk.mapped_to:
            raise broken(change, f"volume {disk.name} would be overwritten while it is mapped to {', '.join(disk.mapped_to)}")


def may_unpair(change: Change, providers: Providers) -> None:
    """Before a replica goes for good: all that used it was handed over, and its writable side is the target's.

    A server or volume that is gone from the source went with an admitted decommissioning.
    """
    values = change.parameters
    if values["decommission"]:
        decommission_admitted(change, providers)
    sides = ((values["array"], values["replica"]), (values["peer_array"], values["peer"]))
    own, peer = together([partial(replica, change, providers, *side) for side in sides])
    if own.role is not Role.SOURCE or peer.role is not Role.TARGET:
        raise broken(change, f"the writable side is not the target's alone: {own.array} is {own.role}, {peer.array} is {peer.role}")
    _all_arrived(change, providers)


def may_go_with_its_server(change: Change, providers: Providers) -> None:
    """Before the target's server takes a disk along when it is deleted: no way back needs it, as where its replica goes for good."""
    if not change.parameters.get("recorded"):
        raise broken(change, "nothing says that the servers of this disk were handed over")
    if change.parameters["decommission"]:
        decommission_admitted(change, providers)
    _all_arrived(change, providers)


def _all_arrived(change: Change, providers: Providers) -> None:
    values, source = change.parameters, providers.source
    servers, volumes = source.compute.servers(values["source_project"]), source.block_storage.volumes(values["source_project"])
    records = {**{one.id: one.record for one in servers}, **{one.id: one.record for one in volumes}}
    wanted = [id for id in values["recorded"] if id in records or not (values["decommission"] or id in values["arrived"])]
    kept = [id for id in wanted if not _handed_over(records.get(id))]
    if kept:
        raise broken(change, f"the replica is still needed: {', '.join(sorted(kept))} was not handed over")


def _handed_over(record: CutRecord | None) -> bool:
    return record is not None and bool(record.cut and record.verified)


def volume_arrived(change: Change, providers: Providers) -> None:
    """Before a volume is handed over: one volume of the target stands for it and was let out, and its disk is the side that is writable."""
    values = change.parameters
    read_twins = partial(providers.target.block_storage.volumes, values["target_project"])
    read_disks = partial(providers.array(values["remote_array"]).volumes, [], [values["remote_id"]])
    read_side = partial(replica, change, providers, values["remote_array"], values["remote_replica"])
    with Reads() as reads:
        listed, disks, side = reads.begin(read_twins), reads.begin(read_disks), reads.begin(read_side)
        twins = [twin for twin in listed.result() if twin.marker == change.source_id]
        names, role = [disk.name for disk in disks.result()], side.result().role
    if len(twins) != 1 or not stands_for(twins[0], change.source_id):
        states = ", ".join(twin.status for twin in twins) or "none"
        stand = told_of(len(twins), "volume", "of the target stands", "of the target stand")
        raise broken(change, f"it is not proven to have arrived: {stand} for it ({states})")
    if names != [twins[0].backend_name]:
        raise broken(change, f"volume {twins[0].id} on the target is not the remote end of the replica: it may hold nothing")
    if role is not Role.SOURCE:
        raise broken(change, f"its disk on {values['remote_array']} is {role}: the tenant could not write to it")


def group_is_ours(change: Change, providers: Providers) -> None:
    """Before a consistency group is deleted: it has the name that Millpond gave it, and replicates nothing any more."""
    values = change.parameters
    found = next((group for group in providers.array(values["array"]).groups() if group.id == values["group"]), None)
    if found is not None and found.name != values["name"]:
        raise broken(change, f"consistency group {found.name} is not {values['name']}: Millpond deletes only what it created")
    if found is not None and found.replicated:
        raise broken(change, f"consistency group {found.name} is still replicated")


def volume_is_ours(change: Change, providers: Providers) -> None:
    """Before a volume of the target is deleted or let go: it carries the marker, and nobody has it attached.

    One that is deleted failed in its creation and holds nothing.
    """
    values = change.parameters
    listed = providers.target.block_storage.volumes(values["project_id"])
    found = next((volume for volume in listed if volume.id == values["volume_id"]), None)
    if found is None:
        return
    if found.marker != change.source_id:
        raise broken(change, f"volume {found.id} does not carry the marker of {change.source_id}: Millpond deletes only what it created")
    if found.attachments:
        raise broken(change, f"volume {found.id} is attached to {', '.join(a.server_id for a in found.attachments)}")
    if change.action == "delete_failed":
        _holds_nothing(change, providers, found)


def _holds_nothing(change: Change, providers: Providers, volume: Volume) -> None:
    if volume.status != "error":
        raise broken(change, f"volume {volume.id} is {volume.status}: only one that Cinder could not create is deleted")
    for array in sorted({pair.target.array for pair in providers.site.pool_pairs}):
        if any(disk.rmr_source or disk.rmr_target for disk in providers.array(array).volumes([volume.backend_name])):
            raise broken(change, f"volume {volume.id} is replicated: what it holds may be the only copy")


def cut_still_stands(change: Change, providers: Providers) -> None:
    """Before a volume of the target is taken out of use: the cut that goes back is the one that was recorded. Before a cut none is."""
    if not change.parameters.get("cuts"):
        return
    if len(change.servers) == 1:
        still_ours(change, providers)
    else:
        group_still_ours(change, providers)
