"""A saved plan holds through the whole way that it shows, crashes included, and refuses everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.model.address import Address
from millpond.model.change import UNKNOWN, Change, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.plan import Plan, TenantPlan
from millpond.planning.build import build
from millpond.planning.envelope import Envelope
from tests.planning.situations import BOTH, PILOT, Situation, approved, back, done, leaving
from tests.planning.tenant import desired, prepared, world
from tests.planning.world import EPOCH, World, at

GROUP = "replication_group/pilot-ssd"


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


@pytest.mark.parametrize("step", ["reverse_sync", "reverse_suspend", "demote"])
def test_a_way_back_that_was_reviewed_while_it_copies_is_carried_on_after_a_crash(step: str) -> None:
    """Then the last sync back is made again, and the replica turned for it: that was done before the review."""
    on, made = carrying_back()
    made.advance(on, at(f"{GROUP}#reverse"))
    made.advance(on, lambda plan: not any(change.action == "reverse" for change in plan.changes))
    envelope = saved(made.plan(on))
    assert f"acme/{GROUP}#reverse" not in envelope.reviewed["acme"]
    made.advance(on, at(f"{GROUP}#{step}"))
    made.crash()
    sent = len(made.sent)

    def reviewed(plan: TenantPlan) -> bool:
        ready = [change for change in plan.changes if not change.after]
        assert envelope.allowed("acme", ready) == ready, envelope.stale
        return False

    assert made.advance(on, reviewed).steps == ()
    assert (f"acme/{GROUP}#reverse" in made.sent[sent:]) is (step == "demote")


def test_a_replica_is_turned_only_where_its_last_sync_back_was_reviewed() -> None:
    on, made = carrying_back()
    plan = made.plan(on)
    reverse = next(change for change in plan.changes if change.action == "reverse")
    others = [change for change in plan.changes if change.action not in ("reverse", "reverse_sync")]
    assert refusals(envelope_of(*others), reverse) == ["this change was not reviewed"]


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


def other_before(change: Change, before: object) -> Change:
    return replace(change, fields=tuple(replace(field, before=before) for field in change.fields))


def envelope_of(*changes: Change) -> Envelope:
    return saved(TenantPlan("acme", "sha256:0", steps=changes))


def rung(action: str, path: str, before: object, after: object, **more: object) -> Change:
    return Change(Address("acme", "subnet", "app"), action, fields=(FieldChange(path, before, after),), parameters=more)


def test_a_field_that_has_a_third_value_by_now_is_stale() -> None:
    envelope, _, stop = one()
    assert refusals(envelope, other_before(stop, "PAUSED")) == ["status is 'PAUSED', reviewed was a change from 'ACTIVE'"]
    envelope = envelope_of(rung("update", "pools", [{"start": "a"}], []))
    assert refusals(envelope, rung("update", "pools", [{"start": "b"}], [])) == [
        "pools is [{'start': 'b'}], reviewed was a change from [{'start': 'a'}]"
    ]


def test_a_field_may_hold_what_another_reviewed_rung_of_its_resource_makes_of_it() -> None:
    """At the review both rungs may show what was there then; and lists come back from a file where tuples went in."""
    fence, open_ = rung("fence", "pools", ["real"], ["narrow"]), rung("open", "pools", ["real"], ["wide"])
    later = rung("open", "pools", ("narrow",), ("wide",))
    assert envelope_of(fence, open_).allowed("acme", [later]) == [later]
    assert refusals(envelope_of(open_), later) != []
    assert refusals(envelope_of(replace(fence, address=Address("acme", "subnet", "db")), open_), later) != []
    assert refusals(envelope_of(rung("fence", "gateway", ["real"], ["narrow"]), open_), later) != []


def test_a_value_that_was_not_known_at_the_review_is_not_compared_with_what_was_there_before() -> None:
    now = rung("update", "cores", 20, 60, id="1")
    assert refusals(envelope_of(rung("update", "cores", None, 60, id="1")), now) != []
    assert envelope_of(rung("update", "cores", None, 60, id=UNKNOWN)).allowed("acme", [now]) == [now]
    assert envelope_of(rung("update", "cores", UNKNOWN, 60)).allowed("acme", [now]) == [now]


def test_a_value_that_only_the_step_itself_leaves_unknown_does_not_free_what_was_there_before() -> None:
    associate = rung("associate", "port_id", None, UNKNOWN)
    assert refusals(envelope_of(associate), rung("associate", "port_id", "a-port", "another")) != []


def test_times_and_steps_that_carry_on_may_find_anything_there() -> None:
    claim, record = rung("claim", "tags", ["a"], ["b"]), rung("record", "millpond.run", None, "one")
    envelope = envelope_of(claim, record)
    now = [other_before(claim, ["c"]), other_before(record, "two")]
    assert envelope.allowed("acme", now) == now


def test_what_was_not_known_and_times_are_not_compared() -> None:
    envelope, made, _ = one()
    create = next(change for change in made.plan(PILOT).changes if change.id == "acme/server/web-1#create")
    later = replace(create, fields=tuple(replace(f, after=UNKNOWN) if f.path == "ports" else f for f in create.fields))
    record = next(change for change in made.plan(PILOT).changes if change.action == "record")
    made.crash()
    again = next(change for change in made.plan(PILOT).changes if change.action == "record")
    assert record.fields != again.fields
    assert envelope.allowed("acme", [later, again]) == [later, again]
