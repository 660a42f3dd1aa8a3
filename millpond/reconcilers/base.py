"""What every resource kind provides: a module that satisfies `Reconciler`, listed in `registry.RECONCILERS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from millpond.model.change import AnyStep, Change
from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.plan import Stage
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers


@dataclass(frozen=True)
class Scope:
    """What to read. `source_project` / `target_project` are ids, empty while the project does not exist. `seen` is what was read before
    (phase by phase, see `Reader.READS_AFTER`): a storage reader finds the volumes' names there. `again`: it was all read before in this
    run, so that what neither a step nor time moves (agents, extensions, types, pools) need not be read."""

    tenant: str
    source_project: str
    target_project: str
    seen: Snapshot = field(default_factory=Snapshot)
    source: bool = True
    target: bool = True
    again: bool = False


@dataclass(frozen=True)
class Goals:
    """Where each wave is to go, and who has been handed over. Made once per plan, from flags and observation (`stages.py`).

    `stages`: wave name → stage. `wave_of`: source id of a server or volume → wave name. `verified`: source ids of the servers handed over.
    `cuts`: wave name → id of the cut under way or done. `admitted`: waves whose cut record is written. `unpair`: handed-over waves whose
    pairs have been kept long enough. `decommission`: the tenant's decommissioning is wanted. `run` is the id of the run that plans in
    order to execute, empty where nobody will; `tried` are the boots that this run has sent, as `source id@booting stamp`.
    `late`: servers and volumes that came into a wave after its cut had begun: they are prepared, and cut the next time. `untouched`:
    those of a wave to be cut that nothing may be done to.
    """

    stages: Mapping[str, Stage] = field(default_factory=dict)
    wave_of: Mapping[str, str] = field(default_factory=dict)
    verified: frozenset[str] = frozenset()
    cuts: Mapping[str, str] = field(default_factory=dict)
    decommission: bool = False
    admitted: frozenset[str] = frozenset()
    unpair: frozenset[str] = frozenset()
    digest: str = ""
    run: str = ""
    tried: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    untouched: frozenset[str] = frozenset()

    def wave(self, source_id: str) -> str:
        return self.wave_of.get(source_id, "")

    def unpairing(self, source_id: str) -> bool:
        """Whether the pairs of this server's or volume's wave are to go: decommissioned, or past `keep_pairs_until`."""
        return self.decommission or self.wave(source_id) in self.unpair

    def stage(self, source_id: str) -> Stage:
        """The stage of a server's or volume's wave, unless it stands apart from it; REPLICATE for what is in no wave."""
        if source_id in self.untouched:
            return Stage.HELD
        if source_id in self.late:
            return Stage.REPLICATE
        return self.stages.get(self.wave(source_id), Stage.REPLICATE)


@dataclass(frozen=True)
class KindPlan:
    steps: tuple[AnyStep, ...] = ()
    findings: tuple[Finding, ...] = ()


class Reader(Protocol):
    """`observe` reads in bulk (one list per kind and side, never one request per object) and returns the collections it read."""

    KIND: str
    READS_AFTER: tuple[str, ...]

    def observe(self, providers: Providers, scope: Scope) -> Facts: ...


class Reconciler(Reader, Protocol):
    """One resource kind.

    `plan` is pure: every rung between what is observed and what the goals ask, in order, `after` naming steps of this kind alone
    (cross-kind orderings stand in planning/ordering.py). It returns ALL rungs up to the goal, those too that cannot be done yet.
    `perform` makes one mutating call for a change of this kind; nothing that can fail follows a create.
    """

    def plan(self, desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan: ...

    def perform(self, change: Change, providers: Providers) -> None: ...
