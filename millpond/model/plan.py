"""The plan: the changes of one or more tenants, what is waiting, findings, the outage estimate and the digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from millpond.model.address import Address
from millpond.model.change import AnyStep, Change, Effect, FieldChange, Waiting
from millpond.model.finding import Finding, Severity


class Stage(StrEnum):
    """Where a wave is to go, told from its flag, its rollback block and what is observed. The table of goals has one column for each."""

    REPLICATE = "replicate"
    CUT = "cut"
    HANDED_OVER = "handed_over"
    RETURN = "return"
    DISCARD = "discard"
    CARRY_BACK = "carry_back"
    DECOMMISSION = "decommission"
    HELD = "held"


BACK = frozenset({Stage.RETURN, Stage.DISCARD, Stage.CARRY_BACK})
"""A rollback, of each kind."""
AFTER_A_BOOT = frozenset({Stage.DISCARD, Stage.CARRY_BACK})
"""The kinds that a rollback block chooses from: something may have run on the target."""
GATE = "gate"
"""The kind of the one step that everything of a cut, or of a decommissioning, comes after."""
DECOMMISSIONED = "decommissioned"
"""The phase of every wave whose source is gone as its manifest wants it."""
NOT_KNOWN = "a time that is not known"
"""Instead of the time since when servers are down: a rollback stopped them, and what is left does not say when."""


@dataclass(frozen=True)
class WaveStatus:
    """`stage` is where the flags lead; `phase` is what people read of where it stands. `cut` is the id of the cut under way or done.

    `outage_since` is empty unless servers that ran before the cut are down by our doing: `down` names them. It is ISO 8601, or
    NOT_KNOWN. `verified` names those that were handed over.
    """

    name: str
    stage: Stage
    phase: str
    servers: tuple[str, ...] = ()
    cut: str = ""
    admitted: bool = False
    outage_since: str = ""
    down: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()
    lag_seconds: float = 0.0
    bytes_left: int = 0


@dataclass(frozen=True)
class Drift:
    """`side` is source (the tenant changed what the inventory says) or target (a handed-over object changed).

    `effect` is what happened, in Terraform's words: delete where the object is gone, create where nobody knew of it.
    """

    address: Address
    side: str
    fields: tuple[FieldChange, ...]
    what: str = ""
    effect: Effect = Effect.UPDATE


@dataclass(frozen=True)
class OutageEstimate:
    """Seconds per server address, and the chain that decides the longest one."""

    servers: tuple[tuple[str, float], ...] = ()
    critical_path: tuple[str, ...] = ()

    @property
    def longest(self) -> float:
        return max((seconds for _, seconds in self.servers), default=0.0)


@dataclass(frozen=True)
class TenantPlan:
    """`digest` is of the destination: the same on the pull request, on main and after a crash."""

    tenant: str
    digest: str
    steps: tuple[AnyStep, ...] = ()
    findings: tuple[Finding, ...] = ()
    drift: tuple[Drift, ...] = ()
    waves: tuple[WaveStatus, ...] = ()
    outage: OutageEstimate = OutageEstimate()

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(step for step in self.steps if isinstance(step, Change))

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        return tuple(step for step in self.steps if isinstance(step, Waiting))

    @property
    def shut(self) -> tuple[Waiting, ...]:
        """Gates that time alone opens: of a window, of a stated moment, of a soak."""
        return tuple(step for step in self.waiting if step.kind == GATE and step.long and step.seconds)

    @property
    def blockers(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity is Severity.BLOCKER)


@dataclass(frozen=True)
class Plan:
    """`findings` concern no tenant of the plan (orphans). `errors` are tenants that could not be planned: (tenant, summary).

    `clouds`: name → Keystone's URL and the region; `arrays`: name → serial number: what it was planned against.
    `approvers`: phase (cutover, rollback, decommission) → who the site file says must approve what this plan stops, promotes or deletes.
    """

    made_at: datetime
    tool_version: str
    tenants: tuple[TenantPlan, ...]
    digest: str
    errors: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    clouds: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, str] = field(default_factory=dict)
    approvers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def refused_for(self) -> tuple[Finding, ...]:
        """The blockers for which apply refuses this plan once it is saved. Nothing holds back one that brings servers back."""
        if any(wave.stage in BACK for tenant in self.tenants for wave in tenant.waves):
            return ()
        return tuple(finding for tenant in self.tenants for finding in tenant.blockers)
