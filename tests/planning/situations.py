"""The situations of the walk: for each, the documents and the world as they are when the plan is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from millpond.model.array import ReplicaState
from millpond.model.desired import Desired, DesiredWave
from millpond.model.manifest import Approval, Rollback
from millpond.model.site import Site
from millpond.planning.digest import tenant_digest
from millpond.reconcilers.twins import Same
from tests.planning.tenant import INVENTORY, SITE, desired, prepared
from tests.planning.world import World, at, flagged

Situation = tuple[Desired, World]
CASES: dict[str, Callable[[], Situation]] = {}
"""golden name → its situation. Names begin with the row's number; `-t`, `-f`, `-d` say the flags."""


def case(name: str) -> Callable[[Callable[[], Situation]], Callable[[], Situation]]:
    def listed(function: Callable[[], Situation]) -> Callable[[], Situation]:
        CASES[name] = function
        return function

    return listed


ON, OFF = {"cutover": True}, {"cutover": False}


def flags(pilot: bool = False, rest: bool = False, base: Desired | None = None, **manifest: Any) -> Desired:
    return flagged(base or desired(), pilot={"cutover": pilot}, rest={"cutover": rest}, **manifest)


PILOT = flags(pilot=True)
BOTH = flags(pilot=True, rest=True)
BACK = flags()


def block(cut: str, how: str, names: tuple[str, ...] = ("pilot",)) -> dict[str, dict[str, Rollback]]:
    return {name: {"rollback": Rollback(cut, how)} for name in names}


def cut_of(made: World, id: str = "server-1") -> str:
    record = made.source.compute.shown(id).record
    assert record is not None
    return record.cut


def back(made: World, how: str, site: Site = SITE) -> Desired:
    """Pilot goes back, its block names the cut that is in the record."""
    return flagged(desired(site=site), **block(cut_of(made), how))


def until(on: Desired, *steps: str, mechanism: str = "ovs") -> World:
    """Prepared, and on its way to where these documents lead as far as before one of these steps. Without any, to the end."""
    return _until(Same(on), steps, mechanism).copy()


@lru_cache(maxsize=64)
def _until(on: Same, steps: tuple[str, ...], mechanism: str) -> World:
    made = prepared(mechanism)
    made.advance(on.item, *([at(*steps)] if steps else []))
    return made


def before(*steps: str, mechanism: str = "ovs", on: Desired = PILOT) -> World:
    """A crash in the cut of the pilot, before one of these steps; another run looks at it."""
    made = until(on, *steps, mechanism=mechanism)
    made.crash()
    return made


def done(on: Desired = PILOT) -> World:
    made = until(on)
    made.tick(600)
    return made


def one_wave() -> Desired:
    base = desired()
    servers = tuple(s.id for s in INVENTORY.servers)
    wave = DesiredWave("pilot", servers, tuple(v.id for v in INVENTORY.volumes), cutover=False)
    return replace(base, waves=(wave,))


def suspended_by_the_array(made: World) -> World:
    array = made.arrays["ibox-a"]
    for id in [r.id for r in array.replicas_.values() if r.grouped]:
        array.replicas_[id] = replace(array.replicas_[id], state=ReplicaState.AUTO_SUSPENDED, job_running=False)
    return made


def leaving() -> Desired:
    return flags(pilot=True, rest=True, decommission=True, soak=3600)


def approved(made: World, on: Desired) -> Desired:
    approval = Approval("decommission", tenant_digest(on), made.now + timedelta(days=7))
    return flagged(on, approvals=(approval,))
