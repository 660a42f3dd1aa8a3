"""What is read again directly before a reservation is taken back, or taken for ours. Each raises `InvariantBroken`; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.block_storage import Volume
from millpond.model.change import Change
from millpond.providers.ports import Providers
from millpond.reconcilers.invariants import broken, not_being_attached, still_ours


def reservation_is_nobodys(change: Change, providers: Providers) -> bool:
    """Whether the attachment still reserves the volume for a server that does not exist. False: it is gone, and there is nothing to do.

    The boot is the one that was judged to come no more, no server stands for it, the server that the attachment names is in no project,
    and no hypervisor has the disk: a reservation that was connected meanwhile would be mapped.
    """
    values, target = change.parameters, providers.target
    still_ours(change, providers, begun=True)
    project = values["project_id"]
    found = next((one for one in target.block_storage.attachments(project) if one.id == values["attachment_id"]), None)
    volume = next((one for one in target.block_storage.volumes(project) if one.id == values["volume_id"]), None)
    if found is None or volume is None:
        return False
    if volume.marker != change.source_id or found.volume_id != volume.id:
        raise broken(change, f"volume {volume.id} does not carry the marker of {change.source_id}: its reservation is somebody else's")
    if found.status != "reserved" or found.server_id != values["nobody"]:
        raise broken(change, f"attachment {found.id} is {found.status} for server {found.server_id or 'none'}: it is in use")
    _comes_no_more(change, providers)
    _unmapped(change, providers, volume)
    return True


def _comes_no_more(change: Change, providers: Providers) -> None:
    values, source, target = change.parameters, providers.source.compute, providers.target.compute
    for id, booting in values["booting"].items():
        here = source.server(id)
        if here is None or here.record is None or here.record.booting != booting:
            raise broken(change, f"another boot of server {id} was declared since: it may have reserved the volume")
    listed = [server.id for server in target.servers(values["project_id"]) if server.marker in values["booting"]]
    if listed:
        raise broken(change, f"server {', '.join(listed)} has come of the boot after all")
    if target.server(values["nobody"]) is not None:
        raise broken(change, f"server {values['nobody']} exists on the target: the volume is reserved for it")


def _unmapped(change: Change, providers: Providers, volume: Volume, *, source: bool = False) -> None:
    """Of a volume that no server is shown to have. One that others share is mapped to theirs."""
    if volume.attachments:
        return
    for array in sorted({(pair.source if source else pair.target).array for pair in providers.site.pool_pairs}):
        for disk in providers.array(array).volumes([volume.backend_name]):
            if disk.mapped_to:
                raise broken(change, f"volume {volume.id} is mapped to {', '.join(disk.mapped_to)}: a server may have it")


def is_to_be_held(change: Change, volumes: Iterable[Volume]) -> None:
    """Before a volume of the source is reserved: the intent stands on it, so that a way back knows whose reservation it is."""
    if not any(volume.record and volume.record.held for volume in volumes if volume.id == change.source_id):
        raise broken(change, "nothing on the volume says any more that it is to be reserved: its cut was undone")


def hold_is_nobody_elses(change: Change, providers: Providers) -> bool:
    """Whether the source's volume is still reserved, and by no attachment. False: the reservation is over, and there is nothing to do.

    Nova's newer way to attach has a row in Cinder's list; a multi-attach volume is refused on computes too old for it. The older way, like
    ours, has none until it ends, but maps the disk first: that is read where the reservation is `in_doubt`.
    """
    values = change.parameters
    listed = providers.source.block_storage.volumes(values["source_project"])
    volume = next((one for one in listed if one.id == change.source_id), None)
    if volume is None or volume.status != "attaching" or volume.record is None or not volume.record.held:
        return False
    not_being_attached(change, providers, [volume.id])
    if values["in_doubt"]:
        _unmapped(change, providers, volume, source=True)
    return True
