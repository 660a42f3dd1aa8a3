from dataclasses import replace

from millpond.model.address import Side
from millpond.model.change import UNKNOWN
from millpond.model.site import Fabric
from millpond.reconcilers.network import stretch
from tests.reconcilers.builders import (
    ALL,
    CUTTING,
    EMPTY,
    HANDED_OVER,
    INVENTORY,
    NETWORK,
    PREPARED,
    T_NETWORK,
    change,
    desired,
    goals,
    ids,
    snapshot,
)

STRETCHED = replace(PREPARED, networks=(replace(T_NETWORK, tags=(*T_NETWORK.tags, "millpond:stretched")), *PREPARED.networks[1:]))


def test_before_the_network_exists_the_stretch_is_planned_with_what_will_be_there() -> None:
    found = stretch.plan(desired(), snapshot(EMPTY), goals())
    (add,) = found.steps
    assert change(found, "stretch/app#add").parameters == {
        "id": UNKNOWN,
        "tags": ["millpond:source=n-app", "millpond:stretched", "prod"],
    }
    assert (change(found, "stretch/app#add").side, set(add.servers)) == (Side.FABRIC, set(ALL))


def test_the_end_of_it_keeps_all_other_tags_and_follows_its_beginning() -> None:
    assert change(stretch.plan(desired(), snapshot(STRETCHED), CUTTING), "stretch/app#remove").parameters["tags"] == [
        "millpond:source=n-app",
        "prod",
    ]
    assert change(stretch.plan(desired(), snapshot(), CUTTING), "stretch/app#remove").after == ("acme/stretch/app#add",)


def test_what_cannot_be_stretched_is_left_alone() -> None:
    vxlan = replace(INVENTORY, networks=(replace(NETWORK, network_type="vxlan"), *INVENTORY.networks[1:]))
    assert stretch.plan(desired(vxlan), snapshot(EMPTY), goals()).steps == ()
    assert stretch.plan(desired(fabric=Fabric("none")), snapshot(EMPTY), goals()).steps == ()
    assert stretch.plan(desired(excluded=["n-app"]), snapshot(EMPTY), goals()).steps == ()


def test_doubles_are_not_stretched() -> None:
    doubled = replace(PREPARED, networks=(T_NETWORK, replace(T_NETWORK, id="t-2"), *PREPARED.networks[1:]))
    assert stretch.plan(desired(), snapshot(doubled), goals()).steps == ()


def test_a_decommissioning_stretches_nothing() -> None:
    assert ids(stretch.plan(desired(), snapshot(), replace(HANDED_OVER, decommission=True))) == []
