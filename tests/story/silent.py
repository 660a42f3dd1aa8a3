"""A run that tells nothing; tests that watch one override what they want to hear."""

from millpond.model.change import Change
from millpond.model.outcome import Outcome
from millpond.model.plan import TenantPlan


class Silent:
    def planned(self, plan: TenantPlan) -> None:
        pass

    def began(self, change: Change) -> None:
        pass

    def ended(self, change: Change, outcome: Outcome) -> None:
        pass
