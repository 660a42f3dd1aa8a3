"""Disks of the target that go back, and that somebody else may be writing to: they would be lost to them, and so would what they write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millpond.model.array import ArrayVolume
from millpond.model.block_storage import Volume
from millpond.model.compute import Server
from millpond.model.cut_record import MARKER_KEY
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers.invariants import UNSETTLED
from millpond.reconcilers.mappings import held_by, holders_of, unaccounted, wwpn
from millpond.reconcilers.storage.replication import Ends, Group, Member, remote_of
from millpond.reconcilers.twins import once_per


def used_by_others(desired: Desired, snapshot: Snapshot, group: Group, found: Ends) -> list[Finding]:
    """While the target's side is writable. A volume that carries its marker and is attached elsewhere has a blocker of its own."""
    if not (found.promoted or found.both_writable):
        return []
    result = []
    for member in group.members:
        disk = _disks(snapshot.storage.volumes).get((group.pair.target.array, remote_of(group, found, member)))
        if disk is None:
            continue
        volume = _backed(snapshot.target.volumes).get(disk.name)
        if volume is not None and volume.marker != member.volume.id and not _is_out_of_use(volume):
            result.append(_unmarked(desired, group, member, disk, volume))
        elif _is_mapped_elsewhere(snapshot, disk, volume):
            result.append(_elsewhere(desired, group, member, disk, volume))
    return result


def _is_out_of_use(volume: Volume) -> bool:
    """Not to be marked either: Cinder takes no metadata in `maintenance` (cinder/volume/api.py, update_volume_metadata)."""
    return volume.status in UNSETTLED or (volume.status == "maintenance" and not volume.attachments)


@once_per
def _disks(volumes: tuple[ArrayVolume, ...]) -> dict[tuple[str, int], ArrayVolume]:
    return {(volume.array, volume.id): volume for volume in volumes}


@once_per
def _backed(volumes: tuple[Volume, ...]) -> dict[str, Volume]:
    return {volume.backend_name: volume for volume in volumes}


@once_per
def _holders(servers: tuple[Server, ...]) -> Mapping[str, Sequence[str]]:
    return holders_of(servers)


def _is_mapped_elsewhere(snapshot: Snapshot, disk: ArrayVolume, volume: Volume | None) -> bool:
    """On Fibre Channel a hypervisor has several hosts on the array: which of them are its own is read before each role is given up."""
    held = held_by(volume, _holders(snapshot.target.servers)) if volume is not None else None
    if held is not None and held.attachments and any(wwpn(host) for host in disk.mapped_to):
        return False
    return bool(unaccounted(disk, held, {}))


def _elsewhere(desired: Desired, group: Group, member: Member, disk: ArrayVolume, volume: Volume | None) -> Finding:
    why = (
        "and no volume of the target's project is this disk: the volume was transferred to another project, or let go by Cinder"
        if volume is None
        else f"which is more than the attachments of volume {volume.id} account for"
    )
    return Finding(
        "disk_used_elsewhere",
        Severity.BLOCKER,
        desired.address("volume", member.volume.id),
        "its disk on the target is used by somebody else",
        f"{disk.array} has {disk.name} mapped to {', '.join(disk.mapped_to)}, {why}; what is written there would be lost, and the disk "
        "would turn read-only under who writes it",
        "find out whose it is and have it detached there; a volume that was transferred is transferred back; the next apply goes on",
        wave=group.wave,
    )


def _unmarked(desired: Desired, group: Group, member: Member, disk: ArrayVolume, volume: Volume) -> Finding:
    return Finding(
        "marker_lost",
        Severity.BLOCKER,
        desired.address("volume", member.volume.id),
        f"the volume on the target ({volume.id}) does not say any more whose replica it is",
        f"it is {disk.name} on {disk.array}, and its metadata has {MARKER_KEY}={volume.marker or '(nothing)'}: nothing would take it out "
        "of use before its disk goes back",
        to_do("set it again", f"openstack volume set --property {MARKER_KEY}={member.volume.id} {volume.id}"),
        wave=group.wave,
    )
