from dataclasses import replace

from millpond.model.identity import Project
from millpond.reconcilers.identity import project
from tests.planning.situations import PILOT, done
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, world
from tests.planning.world import flagged
from tests.reconcilers.kinds import body, change, codes, ids, planned


def test_it_is_made_marked_and_described() -> None:
    tagged = replace(INVENTORY, project=replace(INVENTORY.project, tags=("gold", "millpond", "millpond:source=other")))
    found = planned(project, desired(tagged), world(tagged))
    assert ids(found) == ["acme#create"]
    assert body(found, "#create") == {
        "name": "acme",
        "domain_id": "d-customers",
        "description": "shop",
        "enabled": True,
        "tags": ["gold", "millpond", "millpond:source=p-source"],
    }


def test_one_of_that_name_is_adopted_aloud() -> None:
    made = world()
    made.target.identity.rows["p-old"] = Project("p-old", "acme", "d-customers", tags=("millpond",))
    found = planned(project, desired(), made)
    assert ids(found) == ["acme#mark:millpond:source=p-source"]
    assert change(found, "source=p-source").parameters == {"project_id": "p-old", "tag": "millpond:source=p-source"}
    assert codes(found) == [("project_adopted", "")]


def test_more_than_one_or_no_domain_blocks() -> None:
    made = world()
    for id in ("p-1", "p-2"):
        made.target.identity.rows[id] = Project(id, "acme", "d-customers")
    assert codes(planned(project, desired(), made)) == [("ambiguous_project", "")]
    elsewhere = flagged(desired(), target=replace(desired().manifest.target, domain="nowhere"))
    found = planned(project, elsewhere, world())
    assert (ids(found), codes(found)) == ([], [("missing_domain", "")])


def test_nothing_is_done_to_it_once_it_stands_or_is_the_tenants() -> None:
    assert planned(project, desired(), prepared()).steps == ()
    made = done()
    id = next(iter(made.target.identity.rows))
    made.target.identity.rows[id] = replace(made.target.identity.rows[id], tags=(), description="mine")
    assert planned(project, replace(PILOT, site=SITE), made).steps == ()
