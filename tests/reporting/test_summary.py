from dataclasses import replace

import pytest
from click import unstyle

from millpond.model.address import Side
from millpond.model.change import Change, Effect
from millpond.model.plan import OutageEstimate, Stage, TenantPlan
from millpond.reporting.change_text import resource_lines
from millpond.reporting.sequence import in_order
from millpond.reporting.summary import NO_CHANGES, counts, destroyed_line, is_quiet, migration_line, plan_line

from . import examples


def change(name: str, effect: Effect, action: str = "x", side: Side = Side.TARGET, after: tuple[str, ...] = ()) -> Change:
    return Change(examples.address("server", name), action, effect=effect, side=side, after=after)


def test_a_resource_counts_once_however_many_rungs_it_climbs() -> None:
    changes = [
        change("a", Effect.CREATE),
        change("a", Effect.UPDATE, "mark"),
        change("b", Effect.UPDATE, "lock"),
        change("b", Effect.UPDATE, "stop"),
    ]
    assert str(counts(changes)) == "1 to add, 1 to change, 0 to destroy"


def test_a_replacement_counts_twice() -> None:
    assert str(counts([change("a", Effect.DELETE), change("a", Effect.CREATE, "y")])) == "1 to add, 0 to change, 1 to destroy"


@pytest.mark.parametrize(
    ("kind", "rungs", "said"),
    [
        ("replication_group", {"safety_snapshot:web-1": Effect.CREATE, "reverse": Effect.UPDATE}, "0 to add, 1 to change, 0 to destroy"),
        ("replication_group", {"drop_safety_snapshot:web-1:x": Effect.DELETE}, "0 to add, 1 to change, 0 to destroy"),
        ("floating_ip", {"delete": Effect.DELETE, "park": Effect.CREATE}, "0 to add, 0 to change, 1 to destroy"),
        ("floating_ip", {"park": Effect.CREATE}, "1 to add, 0 to change, 0 to destroy"),
    ],
)
def test_what_is_made_beside_a_resource_makes_no_other_of_it(kind: str, rungs: dict[str, Effect], said: str) -> None:
    changes = tuple(Change(examples.address(kind, "one"), action, effect=effect) for action, effect in rungs.items())
    assert str(counts(changes)) == said
    header = unstyle(resource_lines(changes)[0])
    assert ("will be updated in-place" in header, "will be destroyed" in header) == ("1 to change" in said, "1 to destroy" in said)
    assert "must be replaced" not in header


def test_what_is_destroyed_and_no_danger_is_told_apart() -> None:
    free = change("spare", Effect.DELETE)
    grave = replace(change("web", Effect.DELETE), danger=True)
    said = [
        ([free], "Of those to destroy none is named at the top; 1 only served the migration."),
        ([free, grave], "Of those to destroy one is named at the top; 1 only served the migration."),
        ([grave], ""),
    ]
    for steps, line in said:
        assert destroyed_line(examples.plan(TenantPlan("acme", examples.DIGEST, steps=tuple(steps)))) == line


def test_the_same_address_on_both_sides_is_two_resources() -> None:
    assert str(counts([change("a", Effect.DELETE, side=Side.SOURCE), change("a", Effect.CREATE)])) == "1 to add, 0 to change, 1 to destroy"
    assert str(counts([change("a", Effect.UPDATE, side=Side.SOURCE), change("a", Effect.UPDATE)])) == "0 to add, 2 to change, 0 to destroy"


@pytest.mark.parametrize(
    ("tenant", "line"),
    [
        (examples.QUIET, NO_CHANGES),
        (examples.GLOBEX, "Plan: 0 to add, 0 to change, 0 to destroy."),
        (replace(examples.QUIET, findings=(examples.PASSWORDS,)), NO_CHANGES),
        (replace(examples.QUIET, findings=(examples.UNDECIDED,)), "Plan: 0 to add, 0 to change, 0 to destroy."),
        (replace(examples.QUIET, drift=examples.DRIFT), NO_CHANGES),
        (examples.ACME, "Plan: 4 to add, 4 to change, 1 to destroy."),
    ],
)
def test_the_line_that_ci_tools_parse(tenant: TenantPlan, line: str) -> None:
    plan = examples.plan(tenant)
    assert plan_line(plan) == line
    assert is_quiet(plan) == (line == NO_CHANGES)


def test_an_orphan_in_an_outage_is_not_quiet() -> None:
    orphan = replace(examples.ORPHAN, severity=examples.UNDECIDED.severity)
    assert is_quiet(examples.plan(examples.QUIET, findings=(examples.ORPHAN,)))
    assert not is_quiet(examples.plan(examples.QUIET, findings=(orphan,)))


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        (Stage.CUT, "Migration: 1 cutover (2 servers), 0 rollbacks, 0 decommissions; outage about 52 s, critical path db-1."),
        (Stage.DISCARD, "Migration: 0 cutovers, 1 rollback (2 servers), 0 decommissions; outage about 52 s, critical path db-1."),
        (Stage.CARRY_BACK, "Migration: 0 cutovers, 1 rollback (2 servers), 0 decommissions; outage about 52 s, critical path db-1."),
        (Stage.RETURN, "Migration: 0 cutovers, 1 rollback (2 servers), 0 decommissions; outage about 52 s, critical path db-1."),
        (Stage.DECOMMISSION, "Migration: 0 cutovers, 0 rollbacks, 1 decommission; outage about 52 s, critical path db-1."),
    ],
)
def test_the_migration_line(stage: Stage, line: str) -> None:
    tenant = replace(examples.ACME, waves=(replace(examples.CORE, stage=stage),))
    assert migration_line(examples.plan(tenant)) == line


def test_a_tenant_without_waves_is_decommissioned_all_the_same() -> None:
    end = replace(change("4711", Effect.DELETE), address=examples.address("source_project", "4711"))
    tenant = replace(examples.QUIET, waves=(), steps=(end,))
    assert migration_line(examples.plan(tenant)) == "Migration: 0 cutovers, 0 rollbacks, 1 decommission."


def test_a_wave_that_was_cut_long_ago_is_no_cutover() -> None:
    tenant = replace(examples.ACME, waves=(replace(examples.PILOT, stage=Stage.CUT),), outage=OutageEstimate())
    assert migration_line(examples.plan(tenant)) == "Migration: 0 cutovers, 0 rollbacks, 0 decommissions."


def test_changes_come_in_the_order_in_which_they_can_be_done() -> None:
    first, second, third = (change(name, Effect.UPDATE) for name in "abc")
    steps = (replace(third, after=(second.id,)), replace(second, after=(first.id, "of/another#plan")), first)
    assert [step.address.name for step in in_order(steps)] == ["a", "b", "c"]


def test_changes_on_a_circle_are_not_lost() -> None:
    first, second = change("a", Effect.UPDATE), change("b", Effect.UPDATE)
    circle = (replace(first, after=(second.id,)), replace(second, after=(first.id,)))
    assert in_order(circle) == list(circle)
