"""The rungs that write and remove a cut record, the same on servers and on detached volumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from millpond.model.change import UNKNOWN, Change, FieldChange
from millpond.model.cut_record import PREFIX, CutRecord
from millpond.model.desired import Desired
from millpond.providers.ports import Providers
from millpond.providers.together import together
from millpond.reconcilers.base import Goals
from millpond.reconcilers.ladder import Ladder

READ_LATER = "(the array's time)"
"""What a plan shows of a moment that the array will tell."""

UNDOING = ("unverify", f"forget:{PREFIX}cut")
"""What takes a record's word away: it has to be the record of the cut that was planned by."""


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


def planned(record: CutRecord) -> dict[str, str]:
    """A new record's keys. Without a run the plan is only shown, and the one that carries it out writes its name."""
    return {**record.metadata(), PREFIX + "run": record.run or UNKNOWN}


def claim(ladder: Ladder, goals: Goals, server_id: str, record: CutRecord, *, outage: bool = True) -> None:
    """The run that continues a cut says so in the record; one that finds another's name there afterwards stops."""
    if record.run != goals.run:
        record_change(ladder, "claim", "another run began this cut", server_id, {PREFIX + "run": goals.run or UNKNOWN}, outage=outage)


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


def clock_of(desired: Desired, side: str) -> dict[str, Any]:
    """Which arrays' clocks to read, and into which key: all of the side, for no clock vouches for another array's sync."""
    pairs = desired.site.pool_pairs
    if side == "target":
        return {"arrays": sorted({pair.target.array for pair in pairs}), "key": "returned"}
    return {"arrays": sorted({pair.source.array for pair in pairs}), "key": "stopped"}


def times(text: str) -> dict[str, int]:
    """`ibox-a:1732160000000,ibox-c:…` → ms since epoch per array."""
    return {name: int(ms) for name, _, ms in (part.partition(":") for part in text.split(",") if part)}


def clocks(change: Change, providers: Providers, proof: Callable[[], None]) -> str:
    """What `times` reads back. On the way back the `proof` that the cut still stands is read beside: a server is down meanwhile."""
    names = change.parameters["arrays"]
    proofs = [proof] if change.action == "time_return" else []
    reads: list[Callable[[], int | None]] = [*proofs, *(providers.array(name).clock for name in names)]
    return ",".join(f"{name}:{ms}" for name, ms in zip(names, together(reads)[len(proofs) :], strict=True))


def timed(change: Change, stamp: str) -> dict[str, str]:
    """The metadata of a time that was read. With a stop goes the name of the run that vouches for it."""
    key, run = change.parameters["key"], change.parameters.get("run", "")
    return {PREFIX + key: stamp, **({PREFIX + "run": run} if run and key == "stopped" else {})}
