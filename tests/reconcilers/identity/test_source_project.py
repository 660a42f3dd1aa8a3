from dataclasses import replace

from millpond.model.address import Side
from millpond.model.desired import Desired
from millpond.planning.digest import tenant_digest
from millpond.reconcilers.identity import source_project
from millpond.reconcilers.identity.source_project import admission_tag
from tests.planning.situations import BOTH, approved, done, leaving
from tests.planning.tenant import PROJECT, desired, prepared, world
from tests.planning.world import World, flagged
from tests.reconcilers.kinds import change, ids, planned


def tagged(made: World, *tags: str) -> World:
    made.source.identity.rows[PROJECT.id] = replace(made.source.identity.rows[PROJECT.id], tags=tags)
    return made


def rungs(documents: Desired, made: World) -> list[str]:
    return [id.removeprefix("acme#") for id in ids(planned(source_project, documents, made))]


def test_a_project_that_is_migrated_says_so_on_the_source() -> None:
    found = planned(source_project, desired(), world())
    assert ids(found) == ["acme#tag"]
    assert (change(found, "#tag").side, change(found, "#tag").parameters) == (Side.SOURCE, {"project_id": PROJECT.id, "tag": "millpond"})
    assert rungs(desired(), prepared()) == []


def test_a_project_that_is_gone_asks_for_nothing() -> None:
    made = prepared()
    del made.source.identity.rows[PROJECT.id]
    assert rungs(desired(), made) == []


def test_a_decommissioning_is_admitted_by_the_digest_that_was_approved_and_the_project_dies_last() -> None:
    made = done(BOTH)
    on = approved(made, leaving())
    found = planned(source_project, on, made)
    assert rungs(on, made) == ["admit_decommission", "delete"]
    whole = next(step for step in made.plan(on).changes if step.action == "admit_decommission")
    assert whole.parameters["tag"] == admission_tag(tenant_digest(on))
    dies = change(found, "#delete")
    assert (dies.danger, dies.reversible, dies.after) == (True, False, ("acme/source_project/acme#admit_decommission",))
    tagged(made, "millpond", admission_tag(tenant_digest(on)))
    assert [step.action for step in made.plan(on).changes if step.kind == "source_project"] == ["delete"]


def test_an_admission_is_for_one_digest() -> None:
    one, other = admission_tag("sha256:" + "a" * 64), admission_tag("sha256:" + "b" * 64)
    assert one != other
    assert one.startswith(admission_tag(""))
    assert len(one) <= 60  # Keystone's longest tag (keystone/resource/schema.py)
    made = tagged(done(BOTH), "millpond", one)
    assert rungs(approved(made, leaving()), made) == ["admit_decommission", "delete"]


def test_a_project_with_something_excluded_in_it_stays() -> None:
    made = done(BOTH)
    excluding = replace(leaving(), excluded=frozenset({"server-9"}))
    assert rungs(approved(made, excluding), made) == ["admit_decommission"]


def test_an_admission_does_not_outlive_its_flag() -> None:
    tag = admission_tag("sha256:" + "a" * 64)
    made = tagged(done(BOTH), "millpond", tag)
    assert rungs(BOTH, made) == ["remember", f"revoke:{tag}"]
    found = planned(source_project, BOTH, made)
    assert change(found, f"#revoke:{tag}").after == ("acme/source_project/acme#remember",)
    assert change(found, "#remember").parameters["tag"] == "millpond:decommission-begun"
    assert rungs(BOTH, tagged(made, "millpond", tag, "millpond:decommission-begun")) == [f"revoke:{tag}"]
    assert rungs(BOTH, tagged(made, "millpond", "millpond:decommission-begun")) == []


def test_a_flag_that_still_stands_revokes_nothing_while_its_approval_has_expired() -> None:
    """Admitted once is admitted: the next run finishes."""
    made = done(BOTH)
    on = leaving()
    tagged(made, "millpond", admission_tag(tenant_digest(on)))
    assert not [id for id in rungs(on, made) if "revoke" in id]
    assert rungs(flagged(on, decommission=False), made)[0] == "remember"
