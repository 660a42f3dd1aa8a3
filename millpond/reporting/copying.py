"""How much of a plan's replicas is still to be copied, and how long that takes."""

from __future__ import annotations

from dataclasses import dataclass

from millpond.model.plan import Plan
from millpond.reporting.amounts import counted, rate, rough, size


@dataclass(frozen=True)
class Copying:
    """`bytes` left in `groups`; `rate` as measured of those that are under way, in bytes per second; `seconds` 0 where it is unknown."""

    groups: int
    bytes: int
    rate: int
    seconds: float

    def __str__(self) -> str:
        """`Still to copy: 412.0 GiB in 1 replication group, measured 118.2 MiB/s, about 59 min.`"""
        if not self.bytes:
            return ""
        measured = f"at the measured {rate(self.rate)} about {rough(self.seconds)}" if self.seconds else "no rate is measured yet"
        return f"Still to copy: {size(self.bytes)} in {counted(self.groups, 'replication group')}; {measured}."


def copying(plan: Plan) -> Copying:
    """Copies side by side share what the links carry: the whole at the sum of the rates, but never before the slowest of them."""
    seeds = [step for tenant in plan.tenants for step in tenant.waiting if step.long and step.bytes_left]
    left, measured = sum(step.bytes_left for step in seeds), sum(step.rate for step in seeds)
    slowest = max((step.seconds or (step.bytes_left / step.rate if step.rate else 0.0) for step in seeds), default=0.0)
    return Copying(len(seeds), left, measured, max(left / measured if measured else 0.0, slowest))
