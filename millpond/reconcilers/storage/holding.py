"""Volumes of a wave under way that no locked server guards: reserved in Cinder as long as their cut stands, as its servers are locked.

A volume that `os-reserve` has set to `attaching` can be attached, extended, reverted, restored into or deleted by nobody, and its metadata
can still be written, which `maintenance` refuses (cinder/volume/api.py since Queens: reserve_volume, _attachment_reserve).
"""

from __future__ import annotations

from millpond.model.block_storage import Volume
from millpond.model.cut_record import PREFIX
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.record import record_change
from millpond.reconcilers.storage.replication import strangers, unguarded
from millpond.reconcilers.twins import by_id


def hold(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume, *, recorded: bool) -> list[Finding]:
    """Before its last writes are timed. `recorded`: the intent is in its record, so that a way back knows whose reservation it is."""
    if volume.id not in unguarded(desired, snapshot):
        return []
    wave = goals.wave(volume.id)
    if others := strangers(desired, volume):
        ladder.wait("hold", "held by the blocker of this volume", long=True)
        return [_attached(desired, snapshot, volume, wave, others)]
    if not recorded:
        intent = {PREFIX + "held": goals.cuts.get(wave, "")}
        record_change(ladder, "record_hold", "what is about to be reserved is written down first", volume.id, intent, outage=False)
    if volume.status != ("in-use" if volume.attachments else "available"):
        ladder.wait("hold", f"the volume is {volume.status} on the source: it cannot be reserved", long=True)
        return [_busy(desired, volume, wave)]
    ladder.change(
        "hold",
        "no stopped server guards it: reserved, nobody can attach it while it is cut",
        destination="held",
        server_id=volume.id,
        recorded=[volume.id],
        source_project=desired.inventory.project.id,
    )
    return []


def let_go(ladder: Ladder, desired: Desired, volume: Volume, reason: str, *, dying: bool = False) -> None:
    """`dying`: its cut is long over, and whichever run decommissions it may."""
    if volume.held:
        ladder.change(
            "let_go_to_delete" if dying else "let_go",
            reason,
            destination="as_found",
            server_id=volume.id,
            recorded=[volume.id],
            source_project=desired.inventory.project.id,
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
        f"wait until it is available, or see to it on the source: openstack volume show {volume.id}",
        wave=wave,
    )
