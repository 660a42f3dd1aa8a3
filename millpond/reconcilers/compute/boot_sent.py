"""What became of a boot that was declared: not sent yet, perhaps under way, or lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from millpond.model.block_storage import Volume
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers import boot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.twins import twin

FREE = ("available", "maintenance", "creating", "error")
"""Of a volume that no boot has reserved. Cinder shows one that it adopts as `creating`, one that it could not adopt as `error`."""


def fresh(goals: Goals, server: Server, declared: boot.Boot) -> bool:
    """Declared by this very run, which has not sent it yet; a plan that nobody executes shows the create."""
    return not goals.run or (declared.run == goals.run and f"{server.id}@{declared}" not in goals.tried)


def lost(desired: Desired, snapshot: Snapshot, server: Server, declared: boot.Boot) -> bool:
    """True once a declared boot cannot come any more: the boot volume, which Nova reserves inside the API call, is still free, or
    another server's, and twice the time of a request has passed.

    One in `maintenance` does not prove that nothing was sent: a way back that was broken off may have reserved it again.
    """
    if not server.volumes:
        return False
    volume = twin(snapshot, "volumes", server.volumes[0].volume_id)
    free = volume is None or (volume.status in FREE and not volume.attachments) or _anothers(snapshot, server, volume)
    return free and snapshot.now >= lost_at(desired, declared)


def lost_at(desired: Desired, declared: boot.Boot) -> datetime:
    """Twice the time of a request after it was declared: before that nothing proves that it was not sent."""
    return declared.at + timedelta(seconds=2 * desired.site.limits.request_timeout)


def _anothers(snapshot: Snapshot, server: Server, volume: Volume) -> bool:
    """Whether a server that stands for none of this has the volume for itself: a boot with it is refused."""
    marker = {known.id: known.marker for known in snapshot.target.servers}
    holders = [attachment.server_id for attachment in volume.attachments]
    return bool(holders) and not volume.multiattach and all(marker.get(id, server.id) != server.id for id in holders)


def may_come(desired: Desired, snapshot: Snapshot, server: Server, declared: boot.Boot | None) -> bool:
    """Whether a server may still come of a boot that was declared."""
    return declared is not None and declared.run != boot.FAILED and not lost(desired, snapshot, server, declared)
