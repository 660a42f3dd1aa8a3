from dataclasses import replace

import pytest

from millpond.model.change import UNKNOWN
from millpond.model.finding import Severity
from millpond.model.site import Fabric
from millpond.model.snapshot import CloudState
from millpond.reconcilers.network import network, stretch
from tests.reconcilers.builders import (
    ALL,
    CUTTING,
    EMPTY,
    HANDED_OVER,
    INVENTORY,
    NETWORK,
    NO_TENANT,
    PREPARED,
    T_NETWORK,
    Stage,
    body,
    change,
    codes,
    desired,
    goals,
    ids,
    snapshot,
    source,
)

REPLICATE = goals()


def test_a_network_is_made_on_the_same_vlan_of_the_mapped_physical_network() -> None:
    found = network.plan(desired(), snapshot(EMPTY), REPLICATE)
    assert ids(found) == ["network/app#create", "network/app#mark"]
    assert body(found, "network/app#create") == {
        "project_id": "p-target",
        "name": "app",
        "description": "",
        "admin_state_up": True,
        "mtu": 1500,
        "port_security_enabled": True,
        "dns_domain": "",
        "provider:network_type": "vlan",
        "provider:physical_network": "datacentre",
        "provider:segmentation_id": 101,
    }
    assert change(found, "network/app#mark").after == ("acme/network/app#create",)
    assert change(found, "network/app#mark").parameters["tags"] == ["millpond:source=n-app", "prod"]


def test_nothing_is_known_of_a_project_that_does_not_exist_yet() -> None:
    found = network.plan(desired(), snapshot(NO_TENANT), REPLICATE)
    assert body(found, "network/app#create")["project_id"] == UNKNOWN


def test_a_prepared_network_needs_nothing() -> None:
    assert network.plan(desired(), snapshot(), REPLICATE).steps == ()


def test_an_unmarked_one_of_the_same_name_and_vlan_is_adopted() -> None:
    crashed = replace(T_NETWORK, tags=(), marker="")
    found = network.plan(desired(), snapshot(replace(PREPARED, networks=(crashed, *PREPARED.networks[1:]))), REPLICATE)
    assert ids(found) == ["network/app#mark"]
    assert change(found, "network/app#mark").parameters["id"] == "t-n-app"


def test_two_that_could_be_meant_are_a_blocker() -> None:
    twins = tuple(replace(T_NETWORK, id=id, tags=(), marker="") for id in ("one", "two"))
    found = network.plan(desired(), snapshot(replace(PREPARED, networks=(*twins, *PREPARED.networks[1:]))), REPLICATE)
    assert (ids(found), codes(found)) == ([], ["ambiguous_network"])


def test_a_difference_is_updated_before_the_handover_and_left_alone_after() -> None:
    renamed = replace(PREPARED, networks=(replace(T_NETWORK, name="mine", mtu=1400), *PREPARED.networks[1:]))
    found = network.plan(desired(), snapshot(renamed), CUTTING)
    assert body(found, "network/app#update") == {"name": "app", "mtu": 1500}
    one_arrived = goals(Stage.HANDED_OVER, Stage.CUT, {"server-1"})
    assert network.plan(desired(), snapshot(renamed), one_arrived).steps == ()


def test_a_network_deleted_after_the_handover_stays_deleted() -> None:
    assert network.plan(desired(), snapshot(EMPTY), HANDED_OVER).steps == ()


@pytest.mark.parametrize(
    ("target", "inventory", "code"),
    [
        (replace(EMPTY, networks=()), INVENTORY, "network_missing"),
        (replace(EMPTY, networks=(*EMPTY.networks, *EMPTY.networks)), INVENTORY, "ambiguous_network"),
        (EMPTY, replace(INVENTORY, networks=(replace(NETWORK, network_type="vxlan"), INVENTORY.networks[1])), "network_not_stretchable"),
        (replace(EMPTY, networks=(*EMPTY.networks, replace(T_NETWORK, marker="", project_id="x"))), INVENTORY, "vlan_in_use"),
    ],
)
def test_what_blocks(target: CloudState, inventory: object, code: str) -> None:
    found = network.plan(desired(inventory), snapshot(target), REPLICATE)  # type: ignore[arg-type]
    assert [(f.code, f.severity) for f in found.findings] == [(code, Severity.BLOCKER)]


def test_a_fabric_without_stretching_finds_every_network_by_name() -> None:
    shared = replace(T_NETWORK, marker="", tags=(), shared=True, project_id="t-admin")
    there = replace(EMPTY, networks=(*EMPTY.networks, shared))
    found = network.plan(desired(fabric=Fabric("none")), snapshot(there), REPLICATE)
    assert (ids(found), codes(found)) == ([], [])
    assert codes(network.plan(desired(fabric=Fabric("none")), snapshot(EMPTY), REPLICATE)) == ["network_missing"]


def test_an_excluded_network_is_not_made() -> None:
    assert network.plan(desired(excluded=["n-app"]), snapshot(EMPTY), REPLICATE).steps == ()


def test_decommissioning_deletes_what_the_inventory_names_and_nothing_else() -> None:
    late = replace(NETWORK, id="n-late", name="late")
    here = source(networks=(NETWORK, late, INVENTORY.networks[1]))
    found = network.plan(desired(), snapshot(PREPARED, here), replace(HANDED_OVER, decommission=True))
    assert ids(found) == ["network/app#delete"]
    assert change(found, "network/app#delete").danger
    assert codes(found) == ["late_network"]


def test_a_network_of_an_excluded_server_is_kept() -> None:
    found = network.plan(desired(excluded=["server-2"]), snapshot(), replace(HANDED_OVER, decommission=True))
    assert ids(found) == []


STRETCHED = replace(PREPARED, networks=(replace(T_NETWORK, tags=(*T_NETWORK.tags, "millpond:stretched")), *PREPARED.networks[1:]))


@pytest.mark.parametrize(
    ("target", "stages", "steps"),
    [
        (PREPARED, goals(), ["stretch/app#add"]),
        (STRETCHED, goals(), []),
        (PREPARED, CUTTING, ["stretch/app#add", "stretch/app#remove"]),
        (STRETCHED, CUTTING, ["stretch/app#remove"]),
        (STRETCHED, goals(Stage.HANDED_OVER, Stage.REPLICATE, {"server-1"}), []),
        (PREPARED, goals(Stage.HANDED_OVER, Stage.DISCARD, ALL), ["stretch/app#add"]),
        (PREPARED, goals(Stage.HANDED_OVER, Stage.HELD, ALL), []),
    ],
)
def test_a_network_is_stretched_while_servers_may_be_on_both_sides(target: CloudState, stages: object, steps: list[str]) -> None:
    assert ids(stretch.plan(desired(), snapshot(target), stages)) == steps  # type: ignore[arg-type]


def test_the_stretch_keeps_all_other_tags() -> None:
    found = stretch.plan(desired(), snapshot(), goals())
    assert change(found, "stretch/app#add").parameters == {
        "id": "t-n-app",
        "tags": ["millpond:source=n-app", "millpond:stretched", "prod"],
    }
