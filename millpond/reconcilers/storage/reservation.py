"""What a boot that came to nothing leaves on the target: volumes that are `reserved` for a server which does not exist.

Nova reserves the volumes of a boot one after the other, each by an attachment in Cinder, before it writes the server down. Where it is
refused or dies in between, nobody takes these attachments back (nova/compute/api.py, _provision_instances: in Queens as in 2026.1), no
volume shows them, and every later boot is refused. They stand in Cinder's list of attachments alone, which is not read unless needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from millpond.model.block_storage import Volume, VolumeAttachment
from millpond.model.change import Change, FieldChange
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.plan import BACK, Stage
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers import boot
from millpond.reconcilers.base import Goals, Scope
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.storage import reservation_findings as told
from millpond.reconcilers.storage.invariants_reservation import reservation_is_nobodys
from millpond.reconcilers.twins import by_id, marked
from millpond.reconcilers.usage import attached_to

ACTION = "take_back_reservation"
RESERVED = "reserved"


class Reservations:
    """The attachments of the target's volumes, where one is `reserved` for a boot that can come no more. Else nothing is asked."""

    KIND = "reservation"
    READS_AFTER: tuple[str, ...] = ("project", "volume", "server")

    def observe(self, providers: Providers, scope: Scope) -> Facts:
        if not scope.target or not scope.target_project:
            return Facts()
        missed = _missed(scope.seen, _patience(providers.site.limits.request_timeout))
        return Facts(target={"volume_attachments": providers.target.block_storage.attachments(scope.target_project) if missed else None})


RESERVATIONS = Reservations()


def _patience(request_timeout: int) -> timedelta:
    return timedelta(seconds=2 * request_timeout)


def _missed(seen: Snapshot, patience: timedelta) -> bool:
    """Whether a volume is reserved, and the boot of one of its servers was declared long ago and has no server on the target."""
    late = {disk.volume_id for server in seen.source.servers if _came_to_nothing(seen, server.id, patience) for disk in server.volumes}
    taken = {disk.volume_id for server in seen.source.servers if _never_ran(seen, (server.id,)) for disk in server.volumes}
    return any(volume.status == RESERVED and volume.marker in late - taken for volume in seen.target.volumes)


def _came_to_nothing(snapshot: Snapshot, server_id: str, patience: timedelta) -> bool:
    declared = _declared(snapshot, server_id)
    return declared is not None and snapshot.now >= declared.at + patience


def _declared(snapshot: Snapshot, server_id: str) -> boot.Boot | None:
    """The last boot of this server, if none has come of it that is still there. What was handed over is the tenant's to delete."""
    here = by_id(snapshot.source.servers).get(server_id)
    if here is None or here.record is None or here.record.verified or marked(snapshot.target.servers, server_id):
        return None
    return boot.declared(here.record)


def _never_ran(snapshot: Snapshot, users: Iterable[str]) -> list[Server]:
    """Their servers that are being built or failed to be: what is reserved is reserved for these, and goes with them."""
    return [server for id in users for server in marked(snapshot.target.servers, id) if not server.launched_at]


def take_back(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume, target: Volume | None) -> list[Finding]:
    """The rung that frees a reserved volume, once it is proven that nobody has it or is about to; until then what it waits for.

    Deleting the attachment is what makes it safe, too: a server that came after all could not connect the volume, and its build would
    end before the guest is started (nova/virt/block_device.py, attachment_update).
    """
    if target is None or target.status != RESERVED or not (goals.stage(volume.id) is Stage.CUT or goals.stage(volume.id) in BACK):
        return []
    users = attached_to(desired).get(volume.id, ())
    declared = {id: found for id in users if id not in goals.verified and (found := _declared(snapshot, id))}
    if not declared:
        return []
    if theirs := _never_ran(snapshot, users):
        if goals.stage(volume.id) is Stage.CUT and any(server.status == "ERROR" for server in theirs):
            ladder.wait(ACTION, "a boot that failed has reserved it: its server is deleted first", long=True)
        return []
    until = max(found.at for found in declared.values()) + _patience(desired.site.limits.request_timeout)
    if snapshot.now < until:
        ladder.wait(ACTION, f"a boot that may still be under way has reserved it: it is taken back at {until:%H:%M:%S} UTC")
        return [told.not_yet(desired, goals, volume, target, until)]
    if snapshot.target.volume_attachments is None:
        ladder.wait(ACTION, "what reserves it is looked at first")
        return []
    here = [one for one in snapshot.target.volume_attachments if one.volume_id == target.id and one.status == RESERVED]
    known = by_id(snapshot.target.servers)
    held = next((one for one in here if not one.server_id or one.server_id in known), None)
    if held is not None or not here:
        ladder.wait(ACTION, "held by the blocker of this volume", long=True)
        server = known.get(held.server_id) if held else None
        return [told.of_a_server(desired, goals, volume, target, held, server) if held else told.untold(desired, goals, volume, target)]
    _rung(ladder, desired, snapshot, goals, volume, target, here[0], declared)
    return []


def is_taken_back(ladder: Ladder) -> bool:
    return any(step.action == ACTION for step in ladder.steps)


def _rung(
    ladder: Ladder,
    desired: Desired,
    snapshot: Snapshot,
    goals: Goals,
    volume: Volume,
    target: Volume,
    attachment: VolumeAttachment,
    declared: Mapping[str, boot.Boot],
) -> None:
    signature: dict[str, Any] = {"run": goals.run} if goals.run else {}
    names = ", ".join(desired.names.get(id, id) for id in declared)
    ladder.change(
        ACTION,
        f"the boot of {names} reserved it and came to nothing: its server {attachment.server_id} does not exist",
        fields=(FieldChange("status", RESERVED, "in-use" if target.attachments else "available"),),
        destination="released",
        outage=goals.stage(volume.id) is Stage.CUT,
        volume_id=target.id,
        attachment_id=attachment.id,
        nobody=attachment.server_id,
        booting={id: str(found) for id, found in declared.items()},
        project_id=snapshot.target.project.id if snapshot.target.project else "",
        **signature,
    )


def perform(change: Change, providers: Providers) -> None:
    if reservation_is_nobodys(change, providers):
        providers.target.block_storage.delete_attachment(change.parameters["project_id"], change.parameters["attachment_id"])
