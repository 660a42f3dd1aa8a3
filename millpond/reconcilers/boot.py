"""The declaration of a boot in the cut record: Nova has no idempotency key, so what will be sent is remembered before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from millpond.model.change import UNKNOWN
from millpond.model.cut_record import CutRecord

FAILED = "failed"
_FAULT = 200
"""Characters of a fault that are kept: Nova takes 255 for a value of metadata."""
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Boot:
    """`run` is the run that declared it, or FAILED once its failure was counted. Written as `<UTC>/<run>`."""

    at: datetime
    run: str

    def __str__(self) -> str:
        return f"{self.at.strftime(_FORMAT)}/{self.run}"


def stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime(_FORMAT)


def declaration(now: datetime, run: str) -> str:
    """What a run writes before it boots. Without a run nothing is sent: the plan is only shown."""
    return str(Boot(now, run)) if run else UNKNOWN


def handover(now: datetime, run: str) -> str:
    """What a run writes once all is found equal."""
    return stamp(now) if run else UNKNOWN


def parse_stamp(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def declared(record: CutRecord | None) -> Boot | None:
    if record is None or not record.booting:
        return None
    at, _, run = record.booting.partition("/")
    return Boot(parse_stamp(at), run)


def failures(record: CutRecord | None) -> tuple[int, str]:
    """How many boots failed before launch, and the start of the id of the last server that did (`2:1f3c9a2e:No valid host was found`)."""
    if record is None or not record.attempts:
        return 0, ""
    count, last, *_ = [*record.attempts.split(":", 2), ""]
    return int(count), last


def last_fault(record: CutRecord | None) -> str:
    """What Nova said of the last boot that failed before launch, shortened: its server is deleted. Empty where that is not known."""
    return "" if record is None else [*record.attempts.split(":", 2), "", ""][2]


def counted(record: CutRecord, server_id: str, fault: str) -> str:
    """Metadata of old releases takes no character beyond the basic plane, so the fault is kept in ASCII."""
    said = " ".join(fault.encode("ascii", "replace").decode().split())
    kept = said if len(said) <= _FAULT else f"{said[: _FAULT - 3]}..."
    return ":".join((str(failures(record)[0] + 1), server_id[:8], *([kept] if kept else [])))
