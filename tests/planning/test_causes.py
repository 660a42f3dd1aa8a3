"""What one entry of the site file holds on many resources is told once, by its cause, and holds every wave that it held."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from millpond.model.address import Address
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.identity import RoleAssignment
from millpond.model.manifest import Reference, ServerValues
from millpond.model.plan import Plan
from millpond.model.plan_document import PlanDocument
from millpond.model.site import PoolEnd
from millpond.planning.causes import told_once
from millpond.reporting.plan_from_json import from_json
from millpond.reporting.plan_json import to_json
from millpond.schemas import schema_text
from tests.planning.situations import flags
from tests.planning.tenant import INVENTORY, SITE, VOLUMES, desired, prepared, world
from tests.planning.world import World


def sited(**values: Any) -> Desired:
    return flags(pilot=True, rest=True, base=desired(site=replace(SITE, **values)))


def mapped(**maps: Any) -> Desired:
    return sited(maps=replace(SITE.maps, **maps))


def told(documents: Desired, made: World | None = None) -> list[tuple[str, str, str]]:
    """(address, wave, what)"""
    return [(str(one.address), one.wave, one.what) for one in (made or world()).plan(documents).blockers]


def test_a_slip_in_a_pool_pair_is_one_blocker_for_each_wave_that_names_the_pair() -> None:
    slip = replace(SITE.pool_pairs[0], source=PoolEnd("ibox-a", "pool-7"))
    plan = prepared().plan(sited(pool_pairs=(slip,)))
    pilot, rest = (one for one in plan.blockers if one.code == "no_pool_pair")
    assert {str(one.address) for one in (pilot, rest)} == {"acme/pool/ibox-a:pool-1"}
    assert (pilot.wave, rest.wave) == ("pilot", "rest")
    assert pilot.what == "no pool pair leads from pool pool-1 of ibox-a; it is needed for 2 volumes: web-1-data, web-1-root"
    assert rest.what.endswith("1 volume: web-2-root")
    assert pilot.why == "it is not known where its volumes shall go; pool pair `ssd` leads from pool pool-7, which ibox-a does not have"
    assert pilot.fix == "correct the source pool of `ssd` under pool_pairs in millpond.yaml, or add the pair"
    held = {step.wave for step in plan.steps if step.kind == "gate" and step.reason == "held by blockers"}  # type: ignore[union-attr]
    assert held == {"pilot", "rest"}


def test_a_pair_that_is_missing_is_to_be_added() -> None:
    other = replace(SITE.pool_pairs[0], source=PoolEnd("ibox-a", "pool-2"))
    made = world()
    array = made.arrays["ibox-a"]
    (pool,) = array.pools()
    array.pools = lambda: (pool, replace(pool, name="pool-2"))  # type: ignore[method-assign]
    found = made.plan(sited(pool_pairs=(other,))).blockers[0]
    assert (found.why, found.fix) == ("it is not known where its volumes shall go", "add the pair under pool_pairs in millpond.yaml")


def test_a_backend_of_which_no_array_has_a_volume_is_one_cause_and_a_lost_volume_is_its_own() -> None:
    made = world()
    array = made.arrays["ibox-a"]
    for disk in VOLUMES[:2]:
        del array.volumes_[array.by_name(disk.backend_name).id]
    lost = [one for one in made.plan(sited()).blockers if one.code == "not_on_array"]
    assert [(str(one.address), one.wave) for one in lost] == [("acme/volume/web-1-data", "pilot"), ("acme/volume/web-1-root", "pilot")]
    elsewhere = replace(INVENTORY, volumes=(*(replace(disk, host="hosta@lvm#lvm") for disk in VOLUMES[:2]), VOLUMES[2]))
    assert told(flags(pilot=True, rest=True, base=desired(elsewhere)), made) == [
        (
            "acme/backend/hosta@lvm#lvm",
            "pilot",
            "no source array has any volume of hosta@lvm#lvm; it is needed for 2 volumes: web-1-data, web-1-root",
        )
    ]


@pytest.mark.parametrize(
    ("documents", "blockers"),
    [
        (
            mapped(flavors={"m1.small": "none"}),
            [
                ("acme/flavor/none", "pilot", "the target has no flavor `none`; it is needed for 1 server: web-1"),
                ("acme/flavor/none", "rest", "the target has no flavor `none`; it is needed for 1 server: web-2"),
            ],
        ),
        (
            mapped(volume_types={"ssd": "none"}),
            [
                ("acme/volume_type/none", "pilot", "the target has no volume type `none`; it is needed for 2 volumes: web-1-data, web-1-root"),
                ("acme/volume_type/none", "rest", "the target has no volume type `none`; it is needed for 1 volume: web-2-root"),
            ],
        ),
        (
            mapped(domains={"Default": "none"}),
            [("acme/domain/none", "", "the target has no domain `none`; it is needed for 1 user: ada")],
        ),
    ],
)  # fmt: skip
def test_what_a_map_leads_astray_is_told_by_where_it_leads(documents: Desired, blockers: list[tuple[str, str, str]]) -> None:
    assert told(documents) == blockers


def test_roles_are_told_by_the_role_and_few_who_have_it_are_named() -> None:
    people = tuple(RoleAssignment(name, "Default", "member", f"u-{name}", "role-member") for name in ("eve", "dan", "cy", "bo", "ada"))
    documents = desired(replace(INVENTORY, role_assignments=people), replace(SITE, maps=replace(SITE.maps, roles={"member": "none"})))
    (found,) = world().plan(documents).blockers
    assert (found.code, str(found.address), found.wave) == ("missing_role", "acme/role/none", "")
    assert found.what.endswith("it is needed for 5 role assignments: ada:member, bo:member, cy:member and 2 more")
    assert found.why.startswith("maps.roles in millpond.yaml maps `member` to it")


def test_what_the_manifest_asks_for_one_server_is_told_of_that_server() -> None:
    stated = replace(
        sited(),
        server_values={id: ServerValues(Reference(id), flavor="none") for id in ("server-1", "server-2")},
        places={"server-1": "tenants/acme.yaml:12:7"},
    )
    found = world().plan(stated).blockers
    assert [(str(one.address), one.wave, one.why) for one in found] == [
        ("acme/server/web-1", "pilot", "tenants/acme.yaml:12:7 asks for it"),
        ("acme/server/web-2", "rest", "tenants/acme.yaml asks for it"),
    ]
    assert found[0].fix == "create the flavor on the target, or name another one"


def test_the_plan_is_the_same_after_it_was_saved_and_read() -> None:
    made = world()
    plan = made.plan(mapped(flavors={"m1.small": "none"}))
    document = PlanDocument(Plan(made.snapshot().now, "0", (plan,), plan.digest), made.snapshot().now + timedelta(days=1))
    saved = to_json(document)
    Draft202012Validator(json.loads(schema_text("plan"))).validate(json.loads(json.dumps(saved)))
    assert from_json(saved).plan.tenants[0].findings == plan.findings


def test_only_what_says_the_same_of_the_same_wave_is_taken_together() -> None:
    def of(name: str, **values: Any) -> Finding:
        finding = Finding("missing_flavor", Severity.BLOCKER, Address("acme", "server", name), "none", wave="w", cause=CAUSE)
        return replace(finding, **values)

    found = told_once([of("a"), of("@1"), of("b", wave="v"), of("c", why="another entry"), of("d", cause=None)])
    assert [(one.address.kind, one.wave, one.why, one.what) for one in found] == [
        ("flavor", "w", "", "none; it is needed for 2 servers: a, @1"),
        ("flavor", "v", "", "none; it is needed for 1 server: b"),
        ("flavor", "w", "another entry", "none; it is needed for 1 server: c"),
        ("server", "w", "", "none"),
    ]
    assert {one.cause for one in found} == {None}


CAUSE = Address("acme", "flavor", "none")
