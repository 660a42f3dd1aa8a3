"""What became of one change, and of a whole apply."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from millpond.errors import MillpondError
from millpond.model.plan import Plan


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


@dataclass(frozen=True)
class ApplyResult:
    """What an apply leaves behind.

    `plan` is the last one made: what is still to do, waits or is blocked. `outcomes` in the order of their ends; a step that was tried
    again has several and the last one holds. `outages`: seconds measured per server address; `unmeasured`: servers that came up again
    where nobody knows since when they were down; `estimated`: seconds that the first plan gave.
    `errors`: what ended a tenant's run before its time.
    `advanced`: at least one change was performed. `remaining`: something is still to do or waited for. `held`: by a gate or blocker.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    outages: tuple[tuple[str, float], ...] = ()
    advanced: bool = False
    remaining: bool = False
    held: bool = False
    interrupted: bool = False
    estimated: tuple[tuple[str, float], ...] = ()
    unmeasured: tuple[str, ...] = ()
    run: str = ""
    errors: tuple[tuple[str, MillpondError], ...] = ()

    @property
    def final(self) -> dict[str, Outcome]:
        """step id → its last outcome."""
        return {outcome.step: outcome for outcome in self.outcomes}
