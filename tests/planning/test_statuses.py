"""How far behind a wave's replicas are, as every verb says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from millpond.model.array import ReplicaState
from millpond.planning.build import build
from tests.planning.situations import PILOT, back, done
from tests.planning.tenant import prepared
from tests.planning.world import World, at

HOURS = 7200.0


def lag_of(made: World, state: ReplicaState | None = None) -> float:
    """Of the pilot, hours later. `state`: what its source array says of the replica."""
    made.tick(HOURS, jobs=False)
    snapshot = made.snapshot()
    if state is not None:
        replicas = tuple(replace(one, state=state) if one.state else one for one in snapshot.storage.replicas)
        snapshot = replace(snapshot, storage=replace(snapshot.storage, replicas=replicas))
    return build(PILOT, snapshot).waves[0].lag_seconds


@pytest.mark.parametrize("rung", ["replication_group/pilot-ssd#fence", "replication_group/pilot-ssd#promote", "server/web-1#create"])
def test_what_the_cut_has_suspended_or_turned_is_not_behind(rung: str) -> None:
    made = prepared()
    made.advance(PILOT, at(rung))
    assert lag_of(made) == 0


def test_what_was_moved_and_what_comes_back_is_not_behind() -> None:
    made = done()
    assert lag_of(made) == 0
    made.advance(back(made, "carry_back"), at("source_server/web-1#start"))
    assert lag_of(made) == 0


def test_before_a_cut_a_replica_that_somebody_suspended_is_behind() -> None:
    assert lag_of(prepared()) >= HOURS
    assert lag_of(prepared(), ReplicaState.SUSPENDED) >= HOURS


def test_what_the_array_suspended_in_a_cut_is_behind() -> None:
    made = prepared()
    made.advance(PILOT, at("source_server/web-1#stop"))
    assert lag_of(made) >= HOURS
    assert lag_of(made, ReplicaState.AUTO_SUSPENDED) >= HOURS
    assert lag_of(made, ReplicaState.SUSPENDED) == 0
