from __future__ import annotations

from dataclasses import replace

import pytest

from millpond.model.desired import Desired
from millpond.reconcilers.storage import group_name, replication_group
from millpond.reconcilers.storage.replication import groups
from tests.planning.arrays import GIB
from tests.planning.situations import BOTH, PILOT, one_wave
from tests.planning.tenant import desired, world
from tests.planning.world import World, at, flagged
from tests.reconcilers.kinds import codes, planned

FORMER, OURS = "millpond-acme-pilot-ssd", "millpond-acme_pilot_ssd"
MEMBERS = ["add_member:web-1-root", "add_member:web-1-data"]
STAGES = [
    *(("precreate", step) for step in (*MEMBERS, "create_remote_group", "add_remote_member:web-1-data", "pair", "nothing more")),
    *(("manage", step) for step in (*MEMBERS, "pair", "nothing more")),
]


def of(tenant: str, wave: str) -> str:
    base = one_wave()
    documents = replace(base, manifest=replace(base.manifest, name=tenant), waves=(replace(base.waves[0], name=wave),))
    (group,) = groups(documents, world().snapshot())
    return group.name


def test_two_tenants_never_come_to_one_name() -> None:
    assert of("acme", "eu-core") != of("acme-eu", "core")
    assert of("acme", "core-ssd") != of("acme", "core")


@pytest.mark.parametrize("name", [group_name.name, group_name.former])
@pytest.mark.parametrize("adoption", ["precreate", "manage"])
def test_a_name_says_whose_it_is_and_how_its_volumes_are_adopted(name: object, adoption: str) -> None:
    assert callable(name)
    made = name("acme", "core", "ssd", adoption)
    assert (group_name.is_of("acme", made), group_name.is_of("beta", made)) == (True, False)
    assert (group_name.adoption_in(made, "ssd"), group_name.adoption_in(made, "nl")) == (adoption, "")


def begun_before(step: str, documents: Desired) -> World:
    """By a version that joined the names by hyphens."""
    made = world()
    made.tick()
    made.advance(documents, at(step))
    for array in made.arrays.values():
        array.groups_ = {id: replace(g, name=g.name.replace("_", "-")) for id, g in array.groups_.items()}
    made.crash()
    return made


@pytest.mark.parametrize(("adoption", "step"), STAGES)
def test_a_group_of_a_former_name_stays_its_waves(adoption: str, step: str) -> None:
    """From its first member to its removal, and nothing of it is left on either array."""
    documents = desired(adoption=adoption)
    label = "pilot-ssd-manage" if adoption == "manage" else "pilot-ssd"
    made = begun_before(f"replication_group/{label}#{step}", documents)
    known = {array.name: array.groups() for array in made.arrays.values()}
    assert made.advance(documents).blockers == ()
    assert {group.name for array in made.arrays.values() for group in array.groups()} == {FORMER + label.removeprefix("pilot-ssd")}
    assert all({group.id for group in known[array.name]} <= {group.id for group in array.groups()} for array in made.arrays.values())
    made.tick(3600)
    on = flagged(documents, pilot={"cutover": True}, rest={"cutover": True})
    made.advance(on)
    assert codes(planned(replication_group, on, made)) == []
    made.advance(flagged(on, keep_pairs_until=made.now))
    assert [group for array in made.arrays.values() for group in array.groups()] == []


def test_a_group_of_a_former_name_that_is_another_tenants_is_in_nobodys_way() -> None:
    made = world()
    array = made.arrays["ibox-a"]
    theirs = array.create_group(FORMER, "pool-1")
    array.add_member(theirs, array.make("openstack-vol-of-another-tenant", GIB))
    made.tick()
    assert made.advance(desired()).blockers == ()
    assert sorted((group.name, len(group.members)) for group in array.groups()) == [(FORMER, 1), (OURS, 2)]
    made.tick(3600)
    made.advance(PILOT)
    made.advance(BOTH)
    made.advance(flagged(BOTH, keep_pairs_until=made.now))
    assert [group.name for group in array.groups()] == [FORMER]
