"""The declaration of a boot in the cut record: Nova has no idempotency key, so what will be sent is remembered before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from millpond.model.change import UNKNOWN
from millpond.model.cut_record import CutRecord

FAILED = "failed"
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
    """How many boots failed before launch, and the start of the id of the last server that did (`2:1f3c9a2e`)."""
    if record is None or not record.attempts:
        return 0, ""
    count, _, last = record.attempts.partition(":")
    return int(count), last


def counted(record: CutRecord, server_id: str) -> str:
    return f"{failures(record)[0] + 1}:{server_id[:8]}"
