"""The rungs that write and remove a cut record, the same on servers and on detached volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from millpond.model.array import ArrayVolume
from millpond.model.change import FieldChange
from millpond.model.cut_record import PREFIX, CutRecord
from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.twins import by_id, once_per


def record_change(
    ladder: Ladder, action: str, reason: str, server_id: str, metadata: Mapping[str, str], *, outage: bool = True, **parameters: Any
) -> None:
    """One call that writes some of the record's keys."""
    ladder.change(
        action,
        reason,
        fields=tuple(FieldChange(key, None, value) for key, value in sorted(metadata.items())),
        outage=outage,
        server_id=server_id,
        metadata=dict(metadata),
        **parameters,
    )


def claim(ladder: Ladder, goals: Goals, server_id: str, record: CutRecord) -> None:
    """The run that continues a cut says so in the record; one that finds another's name there afterwards stops."""
    if goals.run and record.run != goals.run:
        record_change(ladder, "claim", "another run began this cut", server_id, {PREFIX + "run": goals.run})


def clear(ladder: Ladder, server_id: str, record: CutRecord, reason: str = "the cut is undone") -> None:
    """`cut` goes first: what is left of the record afterwards asks for nothing but its own removal."""
    for key in sorted(record.metadata(), key=lambda key: key != PREFIX + "cut"):
        forget(ladder, f"forget:{key}", reason, server_id, record, key.removeprefix(PREFIX), beside=key != PREFIX + "cut")


def forget(ladder: Ladder, action: str, reason: str, server_id: str, record: CutRecord, field: str, *, beside: bool = False) -> None:
    """One call that takes one field out of the record."""
    ladder.change(
        action,
        reason,
        fields=(FieldChange(PREFIX + field, getattr(record, field), None),),
        beside=beside,
        server_id=server_id,
        key=PREFIX + field,
    )


def current(ladder: Ladder, server_id: str, record: CutRecord | None) -> CutRecord | None:
    """The record of the cut under way. What a former one left behind is taken away first: it would speak for the new one."""
    if record is not None and not record.cut:
        clear(ladder, server_id, record, "left behind by a cut that was undone")
        return None
    return record


def clock_of(desired: Desired, snapshot: Snapshot, volume_ids: Sequence[str], side: str) -> dict[str, Any]:
    """Which arrays' clocks to read, and into which key: those that hold the given source volumes, or their twins for side `target`."""
    pools = {pair.source.array: pair.target.array for pair in desired.site.pool_pairs}
    volumes, holders = by_id(desired.inventory.volumes), _holders(snapshot.storage.volumes)
    found = {array for id in volume_ids if id in volumes for array in holders.get(volumes[id].backend_name, ())}
    arrays = found & pools.keys() or set(pools)
    if side == "target":
        return {"arrays": sorted({pools[name] for name in arrays}), "key": "returned"}
    return {"arrays": sorted(arrays), "key": "stopped"}


@once_per
def _holders(volumes: tuple[ArrayVolume, ...]) -> dict[str, set[str]]:
    """Name of a volume → the arrays that have one of that name."""
    index: dict[str, set[str]] = {}
    for volume in volumes:
        index.setdefault(volume.name, set()).add(volume.array)
    return index


def times(text: str) -> dict[str, int]:
    """`ibox-a:1732160000000,ibox-c:…` → ms since epoch per array."""
    return {name: int(ms) for name, _, ms in (part.partition(":") for part in text.split(",") if part)}
