from dataclasses import replace

import pytest

from millpond.model.change import UNKNOWN
from millpond.model.compute import Flavor
from millpond.model.desired import Desired
from millpond.model.manifest import Reference, ServerValues
from millpond.reconcilers.compute import flavor
from millpond.reconcilers.compute.flavor import OURS
from tests.planning.situations import BOTH, done
from tests.planning.tenant import INVENTORY, SITE, SMALL, desired, world
from tests.planning.world import World
from tests.reconcilers.kinds import body, change, codes, ids, planned


def among(*flavors: Flavor) -> World:
    made = world()
    made.target.compute.flavors_ = {one.id: one for one in flavors}
    return made


def chosen(documents: Desired, made: World) -> str | None:
    found = flavor.existing(documents, made.snapshot(), documents.inventory.servers[0])
    return found.id if found else None


@pytest.mark.parametrize(
    ("there", "id"),
    [
        ([replace(SMALL, id="a", name="other"), replace(SMALL, id="b")], "b"),
        ([replace(SMALL, id="z", name="z"), replace(SMALL, id="y", name="y")], "y"),
        ([replace(SMALL, id="a", ram=4096)], None),
        ([replace(SMALL, id="a", extra_specs={"hw:cpu_policy": "dedicated"})], None),
        ([replace(SMALL, id="a", is_public=False)], None),
    ],
)
def test_the_same_specification_is_found_by_name_first(there: list[Flavor], id: str | None) -> None:
    assert chosen(desired(), among(*there)) == id


def test_the_manifest_and_the_map_choose_by_name() -> None:
    made = among(replace(SMALL, id="a"), replace(SMALL, id="big", name="m2.large", ram=8192))
    mapped = replace(desired(), site=replace(SITE, maps=replace(SITE.maps, flavors={"m1.small": "m2.large"})))
    assert chosen(mapped, made) == "big"
    stated = replace(mapped, server_values={"server-1": ServerValues(Reference("web-1"), flavor="none")})
    assert codes(planned(flavor, stated, made)) == [("missing_flavor", "pilot")]


def test_a_private_one_is_made_with_specs_and_access_under_a_free_name() -> None:
    pinned = replace(SMALL, extra_specs={"hw:cpu_policy": "dedicated"}, swap=512)
    tenant = replace(INVENTORY, servers=tuple(replace(server, flavor=pinned) for server in INVENTORY.servers))
    found = planned(flavor, desired(tenant), among(replace(SMALL, id="a")))
    assert ids(found) == ["acme-m1.small#create", "acme-m1.small#extra_specs", "acme-m1.small#access"]
    assert body(found, "#create") == {
        "name": "acme-m1.small",
        "vcpus": 1,
        "ram": 2048,
        "disk": 0,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "swap": 512,
        "os-flavor-access:is_public": False,
        "description": "millpond: made for tenant acme",
    }
    assert change(found, "#access").parameters == {"flavor_id": UNKNOWN, "project_id": UNKNOWN}


def test_what_a_crash_left_of_a_private_one_is_completed() -> None:
    pinned = replace(SMALL, extra_specs={"hw:cpu_policy": "dedicated"})
    tenant = replace(INVENTORY, servers=tuple(replace(server, flavor=pinned) for server in INVENTORY.servers))
    made = world(tenant)
    made.advance(desired(tenant), lambda plan: any(step.action == "extra_specs" and not step.after for step in plan.steps))
    assert ids(planned(flavor, desired(tenant), made)) == ["acme-m1.small#extra_specs", "acme-m1.small#access"]
    made.advance(desired(tenant))
    assert ids(planned(flavor, desired(tenant), made)) == []


def test_another_tenants_private_flavor_is_left_alone() -> None:
    made = among(replace(SMALL, id="a", is_public=False, description=OURS + "other"))
    assert ids(planned(flavor, desired(), made)) == ["acme-m1.small#create", "acme-m1.small#access"]


def test_handed_over_servers_need_none() -> None:
    made = done(BOTH)
    made.target.compute.flavors_ = {}
    assert planned(flavor, BOTH, made).steps == ()
