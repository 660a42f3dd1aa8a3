from dataclasses import replace

from millpond.model.change import UNKNOWN
from millpond.model.plan import Stage
from millpond.reconcilers.network import floating_ip
from millpond.reconcilers.network.segments import standings
from tests.reconcilers.builders import (
    ADDRESS,
    ALL,
    EMPTY,
    HANDED_OVER,
    INVENTORY,
    PREPARED,
    T_ADDRESS,
    body,
    change,
    codes,
    desired,
    goals,
    ids,
    snapshot,
    source,
)

LOOSE = replace(ADDRESS, id="f-2", floating_ip_address="203.0.113.21", port_id="", fixed_ip_address="", router_id="")
WITH_LOOSE = replace(INVENTORY, floating_ips=(ADDRESS, LOOSE))
LEAVING = replace(HANDED_OVER, decommission=True)


def test_one_that_is_associated_belongs_to_its_segment_and_another_to_none() -> None:
    places = floating_ip.segment_of(desired(WITH_LOOSE), standings(desired(WITH_LOOSE), snapshot(), goals()))
    assert set(places) == {"f-1"}
    by_router = replace(INVENTORY, floating_ips=(replace(ADDRESS, port_id="port-of-somebody"),))
    assert set(floating_ip.segment_of(desired(by_router), standings(desired(by_router), snapshot(), goals()))) == {"f-1"}


def test_one_that_is_not_associated_is_reserved_until_every_wave_has_arrived() -> None:
    wanted = ["floating_ip/203.0.113.21#create", "floating_ip/203.0.113.21#mark"]
    assert ids(floating_ip.plan(desired(WITH_LOOSE), snapshot(), goals())) == wanted
    one_arrived = goals(Stage.HANDED_OVER, Stage.REPLICATE, {"server-1"})
    assert ids(floating_ip.plan(desired(WITH_LOOSE), snapshot(), one_arrived)) == wanted
    assert ids(floating_ip.plan(desired(WITH_LOOSE), snapshot(), HANDED_OVER)) == []


def test_the_address_itself_is_asked_for_and_never_another() -> None:
    found = floating_ip.plan(desired(), snapshot(replace(EMPTY, networks=())), goals())
    asked = body(found, "floating_ip/203.0.113.20#create")
    assert (asked["floating_ip_address"], asked["floating_network_id"]) == ("203.0.113.20", UNKNOWN)
    assert set(change(found, "floating_ip/203.0.113.20#create").servers) == ALL


def test_an_unmarked_one_with_the_address_is_adopted() -> None:
    bare = replace(PREPARED, floating_ips=(replace(T_ADDRESS, tags=(), marker=""),))
    assert ids(floating_ip.plan(desired(), snapshot(bare), goals())) == ["floating_ip/203.0.113.20#mark"]
    foreign = replace(PREPARED, floating_ips=(replace(T_ADDRESS, tags=(), marker="", project_id="p-x"),))
    assert ids(floating_ip.plan(desired(), snapshot(foreign), goals())) == [
        "floating_ip/203.0.113.20#create",
        "floating_ip/203.0.113.20#mark",
    ]


def test_only_its_description_is_put_right() -> None:
    changed = replace(PREPARED, floating_ips=(replace(T_ADDRESS, description="mine", port_id="t-port-2"),))
    assert body(floating_ip.plan(desired(), snapshot(changed), goals()), "floating_ip/203.0.113.20#update") == {"description": "front door"}


def test_one_of_an_excluded_server_stays_in_a_decommissioning() -> None:
    assert ids(floating_ip.plan(desired(excluded=["server-1"]), snapshot(here=source()), LEAVING)) == []


def test_one_that_nobody_discovered_is_told_and_kept() -> None:
    late = replace(LOOSE, id="f-late")
    found = floating_ip.plan(desired(), snapshot(here=source(floating_ips=(late,))), LEAVING)
    assert codes(found) == ["late_floating_ip"]
    assert ids(found) == ["floating_ip/203.0.113.20#park"]


def test_an_address_is_parked_on_the_network_it_is_from() -> None:
    kept = replace(ADDRESS, id="k-1", floating_network_id="n-other")
    here = source(floating_ips=(), parked=(kept,))
    assert floating_ip.is_parked(snapshot(here=here), "n-ext", ADDRESS.floating_ip_address) == ""
    assert floating_ip.is_parked(snapshot(here=here), "n-other", ADDRESS.floating_ip_address) == "k-1"
    assert ids(floating_ip.plan(desired(), snapshot(here=here), LEAVING)) == ["floating_ip/203.0.113.20#park"]
