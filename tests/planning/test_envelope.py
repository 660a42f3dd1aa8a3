"""A saved plan holds through the whole way that it shows, crashes included, and refuses everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.model.change import UNKNOWN, Change, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.plan import Plan, TenantPlan
from millpond.planning.build import build
from millpond.planning.envelope import Envelope
from tests.planning.situations import BOTH, PILOT, Situation, approved, back, done, leaving
from tests.planning.tenant import desired, prepared, world
from tests.planning.world import EPOCH, World


def saved(plan: TenantPlan) -> Envelope:
    return Envelope.of(Plan(EPOCH, "0", (plan,), plan.digest))


def fresh() -> Situation:
    made = world()
    made.tick()
    return desired(), made


def discarding() -> Situation:
    made = done()
    made.discard(["server-1"])
    return back(made, "discard"), made


def carrying_back() -> Situation:
    made = done()
    return back(made, "carry_back"), made


def dying() -> Situation:
    made = done(BOTH)
    made.now += timedelta(hours=2)
    return approved(made, leaving()), made


def failing() -> Situation:
    made = prepared()
    made.target.compute.failing = {"web-1"}
    return PILOT, made


WAYS: list[Callable[[], Situation]] = [
    fresh,
    lambda: (PILOT, prepared()),
    lambda: (BOTH, prepared("ovn")),
    discarding,
    carrying_back,
    dying,
]


@pytest.mark.parametrize("crashes", [False, True])
@pytest.mark.parametrize("way", [*WAYS, failing])
def test_what_was_reviewed_leads_to_its_end(way: Callable[[], Situation], crashes: bool) -> None:
    documents, made = way()
    envelope = saved(made.plan(documents))
    for tick in range(120):
        plan = made.plan(documents)
        ready = [change for change in plan.changes if not change.after]
        allowed = envelope.allowed("acme", ready)
        assert not any(envelope.stale.values()), envelope.stale
        for change in allowed:
            made.perform(change)
        if not ready and not made.at_work() and not [w for w in plan.waiting if not w.after and not w.long]:
            return
        if not ready:
            made.tick()
        elif crashes and tick % 11 == 0:  # a run must live to the fence: while the source is writable, the next one times and syncs again
            made.crash()
    raise AssertionError(made.sent[-5:])


def one(documents: Desired = PILOT) -> tuple[Envelope, World, Change]:
    made = prepared()
    plan = made.plan(documents)
    return saved(plan), made, next(change for change in plan.changes if change.action == "stop")


@pytest.mark.parametrize("documents", [PILOT, BOTH])
def test_a_plan_knows_nothing_that_only_its_run_will_make_and_admits_it_all_the_same(documents: Desired) -> None:
    made = prepared()
    shown = build(documents, made.snapshot())
    paths = {f"millpond.{key}" for key in ("cut", "run", "booting", "verified", "held")}
    told = {(field.path, field.after) for change in shown.changes for field in change.fields if field.path in paths}
    assert {after for _, after in told} == {UNKNOWN}
    assert {path for path, _ in told} >= {"millpond.cut", "millpond.run", "millpond.booting", "millpond.verified"}
    envelope = saved(shown)
    made.tick()
    performed = made.plan(documents).changes
    assert envelope.allowed("acme", performed) == list(performed)
    assert UNKNOWN not in {field.after for change in performed for field in change.fields if field.path in paths}


def refusals(envelope: Envelope, change: Change, tenant: str = "acme") -> list[str]:
    assert envelope.allowed(tenant, [change]) == []
    return [text.partition(": ")[2] for text in envelope.stale[tenant]]


def test_a_change_that_was_not_reviewed_is_stale() -> None:
    envelope, _, stop = one()
    assert envelope.allowed("acme", [stop]) == [stop]
    assert refusals(envelope, replace(stop, action="delete")) == ["this change was not reviewed"]
    assert envelope.allowed("acme", [stop]) == []
    assert refusals(saved(prepared().plan(desired())), stop) == ["this change was not reviewed"]
    assert refusals(envelope, stop, "other") == ["the tenant is not in the saved plan"]


def test_another_effect_or_another_value_is_stale() -> None:
    envelope, _, stop = one()
    assert refusals(envelope, replace(stop, effect=Effect.DELETE)) == ["delete was reviewed as update"]
    envelope, _, stop = one()
    other = replace(stop, fields=(FieldChange("status", "ACTIVE", "DELETED"),))
    assert refusals(envelope, other) == ["status would become 'DELETED', reviewed was 'SHUTOFF'"]
    envelope, _, stop = one()
    assert refusals(envelope, replace(stop, fields=(FieldChange("more", None, 1),))) == ["more was not reviewed"]


def test_what_was_not_known_and_times_are_not_compared() -> None:
    envelope, made, _ = one()
    create = next(change for change in made.plan(PILOT).changes if change.id == "acme/server/web-1#create")
    later = replace(create, fields=tuple(replace(f, after=UNKNOWN) if f.path == "ports" else f for f in create.fields))
    record = next(change for change in made.plan(PILOT).changes if change.action == "record")
    made.crash()
    again = next(change for change in made.plan(PILOT).changes if change.action == "record")
    assert record.fields != again.fields
    assert envelope.allowed("acme", [later, again]) == [later, again]
