"""What became of one change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"


@dataclass(frozen=True)
class Outcome:
    step: str
    result: Result
    seconds: float = 0.0
    message: str = ""
