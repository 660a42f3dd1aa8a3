"""Why a volume on the target stays reserved although no boot of Millpond's has it, and what a person can do."""

from __future__ import annotations

from datetime import datetime

from millpond.model.block_storage import Volume, VolumeAttachment
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.to_do import to_do
from millpond.reconcilers.base import Goals


def not_yet(desired: Desired, goals: Goals, volume: Volume, target: Volume, until: datetime) -> Finding:
    return Finding(
        "boot_left_reservation",
        Severity.WARNING,
        desired.address("volume", volume.id),
        f"the volume on the target ({target.id}) is reserved, and the server that was to boot with it is not there",
        "the boot was refused, died or lost its reply after Nova had reserved its disks; until twice the timeout of a request has passed "
        "it could still come",
        f"nothing: from {until:%H:%M:%S} UTC on the apply that runs, or the next one, takes the reservation back and boots again",
        wave=goals.wave(volume.id),
    )


def of_a_server(
    desired: Desired, goals: Goals, volume: Volume, target: Volume, attachment: VolumeAttachment, server: Server | None
) -> Finding:
    holder = f"server {server.name} ({server.id})" if server else "no server, as a service's own attachments are"
    foreign = "" if server and server.marker else "what Millpond did not make: "
    return Finding(
        "reserved_elsewhere",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        f"the volume on the target ({target.id}) is reserved for {foreign}{holder}",
        "nothing is taken away from what exists, and no boot can have the volume before it is free",
        f"have the volume taken back there, or delete attachment {attachment.id} if nobody needs it; the next apply goes on",
        wave=goals.wave(volume.id),
    )


def untold(desired: Desired, goals: Goals, volume: Volume, target: Volume) -> Finding:
    """Cinder writes the status first and the attachment after it (cinder/volume/api.py, _attachment_reserve): it died in between. Whether
    it did cannot be told from outside, and an attachment that came after all would let a second server connect the volume."""
    return Finding(
        "reserved_for_nobody",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        f"the volume on the target ({target.id}) is reserved, and Cinder lists no attachment that reserves it",
        "a Cinder API process died between two of its writes; nothing but its log can tell that the second one will not come",
        to_do(
            "see in Cinder's log that no request for the volume is under way, then reset its status",
            f"openstack volume set --state available {target.id}",
        ),
        wave=goals.wave(volume.id),
    )
