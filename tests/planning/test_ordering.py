"""The one table of orderings between kinds: every pattern means a step that some plan has, and rules relate what they say."""

from __future__ import annotations

import pytest

from millpond.model.address import Address
from millpond.model.change import Change
from millpond.planning.ordering import RULES, Rule, ordered
from tests.planning.plan_text import depths
from tests.planning.tenant import desired, prepared, world
from tests.planning.walk_cases import CASES


def step(name: str, action: str, kind: str = "volume", **values: object) -> Change:
    return Change(Address("acme", kind, name), action, **values)  # type: ignore[arg-type]


def after(steps: tuple[Change, ...], rule: Rule) -> dict[str, set[str]]:
    return {s.id.removeprefix("acme/"): {id.removeprefix("acme/") for id in s.after} for s in ordered(steps, [rule])}


@pytest.mark.parametrize(
    ("by", "related"),
    [("tenant", {"b", "c", "d"}), ("wave", {"b", "c"}), ("server", {"b"}), ("source", {"d"})],
)
def test_a_rule_relates_steps_of_the_same_tenant_wave_server_or_object(by: str, related: set[str]) -> None:
    later = step("a", "late", wave="w1", servers=("s1",), source_id="x")
    others = (
        step("b", "early", wave="w1", servers=("s1", "s2"), source_id="y"),
        step("c", "early", wave="w1", servers=("s2",), source_id="z"),
        step("d", "early", wave="w2", servers=("s3",), source_id="x"),
    )
    found = after((later, *others), Rule(("volume#late",), ("volume#early",), by))
    assert found["volume/a#late"] == {f"volume/{name}#early" for name in related}


def test_steps_of_no_wave_precede_those_of_every_wave_and_a_step_never_itself() -> None:
    steps = (step("a", "go", wave="w1"), step("b", "go"), step("c", "go", wave="w2"))
    found = after(steps, Rule(("volume#*",), ("volume#go",), "wave"))
    assert found == {"volume/a#go": {"volume/b#go"}, "volume/b#go": set(), "volume/c#go": {"volume/b#go"}}


def test_what_concerns_no_server_goes_by_its_wave() -> None:
    steps = (step("a", "late", wave="w1"), step("b", "early", wave="w1"), step("c", "early", wave="w1", servers=("s1",)))
    assert after(steps, Rule(("volume#late",), ("volume#early",), "server"))["volume/a#late"] == {"volume/b#early"}


def test_the_verb_ends_at_a_colon_and_edges_of_the_kind_itself_stay() -> None:
    steps = (step("a", "add:1", after=("acme/volume/b#make", "acme/volume/gone#make")), step("b", "make"))
    assert after(steps, Rule(("volume#add",), ("volume#other",)))["volume/a#add:1"] == {"volume/b#make"}


def test_every_kind_of_the_table_is_one_that_plans_have() -> None:
    """A pattern that no situation knows is a misspelt one, or stands for a step that is gone."""
    seen: set[str] = set()
    for situation in CASES.values():
        documents, made = situation()
        for found in made.plan(documents).steps:
            seen |= {f"{found.kind}#{found.action.partition(':')[0]}", f"{found.kind}#*"}
    kinds = {pattern.partition("#")[0] for pattern in seen}
    patterns = {pattern for rule in RULES for pattern in (*rule.later, *rule.earlier)}
    assert {pattern.partition("#")[0] for pattern in patterns} <= kinds | {"flavor", "server_group"}


def test_a_plan_of_nothing_yet_is_ordered_too() -> None:
    plan = world().plan(desired())
    assert len(depths(plan.steps)) == len(plan.steps)
    assert prepared().plan(desired()).steps == ()
