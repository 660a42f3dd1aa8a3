"""Whatever is observed, possible or not: a plan is made, it is a graph without cycles, and its order is safe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millpond.model.array import ReplicaState, Role
from millpond.model.block_storage import Attachment, Volume
from millpond.model.change import AnyStep, Change, Effect
from millpond.model.compute import Server
from millpond.model.cut_record import CutRecord
from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from millpond.model.plan import Stage, TenantPlan
from millpond.model.snapshot import CloudState, Snapshot, StorageState
from millpond.planning.build import build
from tests.planning.plan_text import depths
from tests.planning.situations import BOTH
from tests.planning.tenant import desired, prepared
from tests.planning.world import World, flagged

CUT, OTHER = "20261201T220000Z", "20250101T000000Z"
SERVERS = ("server-1", "server-2")
SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def arrived() -> World:
    made = prepared()
    made.advance(BOTH)
    return made


def optional(values: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *values])


NOW = int(prepared().now.timestamp() * 1000)
RECORDS = st.none() | st.builds(
    CutRecord,
    cut=optional([CUT]),
    wave=st.sampled_from(["pilot", "rest", "gone"]),
    run=optional(["run-1", "run-9"]),
    power=st.sampled_from(["active", "shutoff", ""]),
    locked=st.sampled_from(["yes", "no", "retaken", ""]),
    stopped=optional([f"ibox-a:{NOW - 5000}", f"ibox-a:{NOW + 5000}"]),
    booting=optional(["2026-12-01T22:00:00Z/run-1", "2026-12-01T22:00:00Z/failed"]),
    verified=optional(["2026-12-01T22:05:00Z"]),
    attempts=optional(["1:00000001", "3:00000009"]),
    returned=optional([f"ibox-b:{NOW - 5000}", f"ibox-b:{NOW + 5000}"]),
)
SOURCES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["ACTIVE", "SHUTOFF", "ERROR", "PAUSED"]),
        "task_state": optional(["powering-off", "deleting"]),
        "locked": st.booleans(),
        "record": RECORDS,
    }
)
TARGETS = st.none() | st.fixed_dictionaries(
    {
        "status": st.sampled_from(["BUILD", "ACTIVE", "SHUTOFF", "ERROR", "PAUSED"]),
        "task_state": optional(["spawning", "powering-off", "deleting"]),
        "launched_at": optional(["2026-12-01T22:01:00+00:00"]),
        "locked": st.booleans(),
        "name": st.sampled_from(["web-1", "other"]),
    }
)
VOLUMES = st.none() | st.sampled_from(["available", "maintenance", "in-use", "reserved", "creating", "error", "deleting"])
SIDES = st.none() | st.fixed_dictionaries(
    {
        "role": st.sampled_from(list(Role)),
        "state": st.sampled_from(list(ReplicaState)),
        "restore_point": st.sampled_from([0, NOW - 9000, NOW, NOW + 9000]),
        "initial": st.booleans(),
        "job_running": st.booleans(),
        "pending": st.booleans(),
        "job_started": st.sampled_from([0, NOW - 9000, NOW + 9000]),
    }
)
BLOCKS = st.none() | st.builds(Rollback, cut=st.sampled_from([CUT, OTHER]), target_writes=st.sampled_from(["discard", "carry_back"]))
WAVES = st.fixed_dictionaries({"cutover": st.booleans(), "rollback": BLOCKS})
STATES = st.fixed_dictionaries(
    {
        "source": st.fixed_dictionaries(dict.fromkeys(SERVERS, st.none() | SOURCES)),
        "target": st.fixed_dictionaries(dict.fromkeys(SERVERS, TARGETS)),
        "volumes": st.fixed_dictionaries(dict.fromkeys(("root-1", "data-1", "root-2"), VOLUMES)),
        "replicas": st.lists(SIDES, min_size=4, max_size=4),
        "ports": st.booleans(),
        "flags": st.fixed_dictionaries({"pilot": WAVES, "rest": WAVES}),
        "decommission": st.booleans(),
        "project": st.booleans(),
        "run": optional(["run-1"]),
    }
)
Drawn = Mapping[str, Any]


def observed(drawn: Drawn) -> tuple[Desired, Snapshot]:
    whole = arrived().snapshot()
    source = replace(whole.source, servers=tuple(_source(s, drawn["source"][s.id]) for s in whole.source.servers if drawn["source"][s.id]))
    target = _target(whole.target, drawn) if drawn["project"] else CloudState("target", whole.target.user_id, domains=whole.target.domains)
    return _documents(drawn), replace(whole, source=source, target=target, storage=_storage(whole.storage, drawn["replicas"]))


def _documents(drawn: Drawn) -> Desired:
    return flagged(desired(), **drawn["flags"], decommission=drawn["decommission"])


def _source(server: Server, values: Mapping[str, Any]) -> Server:
    return replace(server, **values)


def _target(state: CloudState, drawn: Drawn) -> CloudState:
    servers = tuple(replace(s, **values) for s in state.servers if (values := drawn["target"][s.marker]))
    volumes = tuple(_volume(v, status) for v in state.volumes if (status := drawn["volumes"][v.marker]))
    return replace(state, servers=servers, volumes=volumes, ports=state.ports if drawn["ports"] else ())


def _volume(volume: Volume, status: str) -> Volume:
    return replace(volume, status=status, attachments=(Attachment("someone"),) if status == "in-use" else ())


def _storage(state: StorageState, sides: list[Mapping[str, Any] | None]) -> StorageState:
    replicas = tuple(replace(replica, **values) for replica, values in zip(state.replicas, sides, strict=True) if values)
    return replace(state, replicas=replicas)


def ancestors(plan: TenantPlan) -> dict[str, set[str]]:
    """step id → everything that must be done before it."""
    order, by_id = depths(plan.steps), {step.id: step for step in plan.steps}
    found: dict[str, set[str]] = {}
    for id in sorted(order, key=lambda id: order[id]):
        after = by_id[id].after
        found[id] = set(after).union(*(found[earlier] for earlier in after))
    return found


def of(plan: TenantPlan, kind: str, *actions: str) -> list[AnyStep]:
    return [step for step in plan.steps if step.kind == kind and step.action in actions]


@SETTINGS
@given(STATES)
def test_a_plan_of_anything_is_made_in_a_safe_order(drawn: Drawn) -> None:
    documents, snapshot = observed(drawn)
    plan = build(documents, snapshot, run=drawn["run"])
    before = ancestors(plan)
    assert len({step.id for step in plan.steps}) == len(plan.steps)
    _roles_change_after_the_stop(plan, before, snapshot)
    _one_side_is_writable(plan, before, snapshot)
    _boots_come_after_the_promotion(plan, before)
    _starts_come_after_the_way_back(plan, before)
    _what_ran_is_deleted_by_a_rollback_alone(plan, snapshot)
    _nothing_of_the_source_is_deleted_unless_wanted(plan, documents)
    assert build(documents, snapshot, run=drawn["run"]) == plan


def _roles_change_after_the_stop(plan: TenantPlan, before: Mapping[str, set[str]], snapshot: Snapshot) -> None:
    """A group changes hands after each of its servers is recorded, locked and stopped, as far as it is not already."""
    live = {server.id: server for server in snapshot.source.servers}
    for step in of(plan, "replication_group", "fence", "promote"):
        if not isinstance(step, Change):
            continue
        for id in step.servers:
            if id not in live:
                continue
            own = [s for s in of(plan, "source_server", "record", "lock", "retake_lock", "stop", "time") if s.source_id == id]
            assert {s.id for s in own} <= before[step.id]
            if live[id].status == "ACTIVE":
                assert any(s.action == "stop" for s in own)


def _one_side_is_writable(plan: TenantPlan, before: Mapping[str, set[str]], snapshot: Snapshot) -> None:
    roles = {(r.array, r.id): r.role for r in snapshot.storage.replicas}
    for step in of(plan, "replication_group", "promote", "restore"):
        if not isinstance(step, Change):
            continue
        peer = roles.get((step.parameters["peer_array"], step.parameters["peer"]))
        gives_way = "fence" if step.action == "promote" else "demote"
        assert peer is not Role.SOURCE or f"{step.address}#{gives_way}" in before[step.id]


def _boots_come_after_the_promotion(plan: TenantPlan, before: Mapping[str, set[str]]) -> None:
    promotions = of(plan, "replication_group", "fence", "promote")
    for step in [*of(plan, "server", "create", "power_on"), *of(plan, "source_server", "verify")]:
        assert {p.id for p in promotions if set(p.servers) & set(step.servers)} <= before[step.id]


def _starts_come_after_the_way_back(plan: TenantPlan, before: Mapping[str, set[str]]) -> None:
    roles = of(plan, "replication_group", "demote", "restore")
    for step in of(plan, "source_server", "start"):
        stops = [s for s in of(plan, "server", "stop") if s.source_id == step.source_id]
        assert {s.id for s in [*roles, *stops] if set(s.servers) & set(step.servers)} <= before[step.id]


def _what_ran_is_deleted_by_a_rollback_alone(plan: TenantPlan, snapshot: Snapshot) -> None:
    launched = {server.marker for server in snapshot.target.servers if server.launched_at}
    stages = {wave.name: wave.stage for wave in plan.waves}
    for change in plan.changes:
        if change.kind == "server" and change.effect is Effect.DELETE and change.source_id in launched:
            assert change.action == "delete"
            assert stages[change.wave] in (Stage.DISCARD, Stage.CARRY_BACK)


def _nothing_of_the_source_is_deleted_unless_wanted(plan: TenantPlan, documents: Desired) -> None:
    kinds = ("source_server", "source_volume", "source_project")
    deleted = [c for c in plan.changes if c.kind in kinds and c.effect is Effect.DELETE]
    assert documents.manifest.decommission or not deleted
