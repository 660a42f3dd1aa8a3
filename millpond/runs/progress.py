"""What a run tells while it works. The command line renders it; tests collect it."""

from __future__ import annotations

from typing import Protocol

from millpond.model.change import Change
from millpond.model.outcome import Outcome
from millpond.model.plan import TenantPlan


class Progress(Protocol):
    def planned(self, plan: TenantPlan) -> None:
        """A tenant was planned anew; called on every tick."""
        ...

    def began(self, change: Change) -> None: ...

    def ended(self, change: Change, outcome: Outcome) -> None: ...
