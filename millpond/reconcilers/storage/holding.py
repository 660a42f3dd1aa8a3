"""Volumes of a wave under way that no locked server guards: reserved in Cinder as long as their cut stands, as its servers are locked.

A volume that `os-reserve` has set to `attaching` can be attached, extended, reverted, restored into or deleted by nobody, and its metadata
can still be written, which `maintenance` refuses (cinder/volume/api.py since Queens: reserve_volume, _attachment_reserve).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from millpond.model.block_storage import Volume
from millpond.model.cut_record import PREFIX, RESERVED
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers import boot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.record import record_change
from millpond.reconcilers.storage.stops import strangers, unguarded
from millpond.reconcilers.twins import by_id


def hold(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume, held: str) -> list[Finding]:
    """Before its last writes are timed. `held`: what its record says. The bare intent of this cut stands there first: a way back then
    knows whose reservation it may be, and what a former one proved is no proof of the next.
    """
    if volume.id not in unguarded(desired, snapshot):
        return []
    wave = goals.wave(volume.id)
    if others := strangers(desired, volume):
        ladder.wait("hold", "held by the blocker of this volume", long=True)
        return [_attached(desired, snapshot, volume, wave, others)]
    if volume.held_in_doubt:
        return _prove(ladder, desired, snapshot, volume, wave)
    cut = goals.cuts.get(wave, "")
    if held != cut:
        intent = {PREFIX + "held": cut}
        record_change(ladder, "record_hold", "what is about to be reserved is written down first", volume.id, intent, outage=False)
    if volume.status != ("in-use" if volume.attachments else "available"):
        ladder.wait("hold", f"the volume is {volume.status} on the source: it cannot be reserved", long=True)
        return [_busy(desired, volume, wave)]
    ladder.change(
        "hold",
        "no stopped server guards it: reserved, nobody can attach it while it is cut",
        destination="held",
        server_id=volume.id,
        metadata={PREFIX + "held": f"{cut}/{RESERVED}"},
        recorded=[volume.id],
        source_project=desired.inventory.project.id,
    )
    return []


def let_go(ladder: Ladder, desired: Desired, snapshot: Snapshot, volume: Volume, reason: str, *, dying: bool = False) -> None:
    """`dying`: its cut is long over, and whichever run decommissions it may. What is in doubt is not taken from who may be attaching it."""
    action = "let_go_to_delete" if dying else "let_go"
    if volume.held or (volume.held_in_doubt and _outlasted(ladder, action, desired, snapshot, volume)):
        ladder.change(
            action,
            reason,
            destination="as_found",
            server_id=volume.id,
            in_doubt=volume.held_in_doubt,
            recorded=[volume.id],
            source_project=desired.inventory.project.id,
        )


def _prove(ladder: Ladder, desired: Desired, snapshot: Snapshot, volume: Volume, wave: str) -> list[Finding]:
    assert volume.record is not None  # noqa: S101
    if _outlasted(ladder, "hold", desired, snapshot, volume):
        record_change(
            ladder,
            "hold:prove",
            "an attachment under way would have ended: the reservation is Millpond's",
            volume.id,
            {PREFIX + "held": f"{volume.record.held_for}/{RESERVED}"},
            outage=False,
            in_doubt=True,
            recorded=[volume.id],
            source_project=desired.inventory.project.id,
        )
        return []
    return [_in_doubt(desired, volume, wave)]


def _outlasted(ladder: Ladder, action: str, desired: Desired, snapshot: Snapshot, volume: Volume) -> bool:
    """Whether it is seen reserved for longer than an attachment takes; else the rung that begins to count, and the wait.

    Counted from when it was first seen, not from the intent: an attachment may have begun at any time since that.
    """
    assert volume.record is not None  # noqa: S101
    since = _since(volume)
    if since is None:
        watched = {PREFIX + "held": f"{volume.record.held_for}/{boot.stamp(snapshot.now)}"}
        own = {"recorded": [volume.id], "source_project": desired.inventory.project.id}
        record_change(ladder, f"{action}:watch", "nobody knows yet who reserved it", volume.id, watched, outage=False, **own)
    until = (since or snapshot.now) + timedelta(seconds=2 * desired.site.limits.request_timeout)
    if since is None or snapshot.now < until:
        ladder.wait(action, f"whether it is being attached on the source shows by {until:%H:%M:%S} UTC")
        return False
    return True


def _since(volume: Volume) -> datetime | None:
    said = volume.record.reservation if volume.record else ""
    return boot.parse_stamp(said) if said else None


def _in_doubt(desired: Desired, volume: Volume, wave: str) -> Finding:
    return Finding(
        "reservation_in_doubt",
        Severity.WARNING,
        desired.address("volume", volume.id),
        "the volume is attaching on the source, and it is not known who reserved it",
        "Millpond wanted it reserved and has no answer from Cinder: either the answer was lost, or somebody attaches it at this moment",
        "nothing: an attachment ends by itself, and the apply that runs, or the next one, goes on when twice the timeout of a request "
        "has passed; nothing is stopped before",
        wave=wave,
    )


def _attached(desired: Desired, snapshot: Snapshot, volume: Volume, wave: str, servers: list[str]) -> Finding:
    known = by_id(snapshot.source.servers)
    names = ", ".join(f"{known[id].name} ({id})" if id in known else id for id in servers)
    return Finding(
        "volume_attached_meanwhile",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        f"the volume is attached on the source to a server that the cut of wave {wave} does not stop: {names}",
        "what is written there after the last sync would be lost",
        "have it detached on the source: its last writes are then timed anew; the next apply goes on",
        wave=wave,
    )


def _busy(desired: Desired, volume: Volume, wave: str) -> Finding:
    return Finding(
        "volume_busy",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        f"the volume is {volume.status} on the source",
        "no stopped server guards it, so it is reserved while it is cut, and Cinder reserves none but an available one",
        to_do("wait until it is available, or see to it on the source", f"openstack volume show {volume.id}"),
        wave=wave,
    )
