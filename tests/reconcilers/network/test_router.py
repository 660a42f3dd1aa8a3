from dataclasses import replace

from millpond.model.plan import Stage
from millpond.reconcilers.network import router
from tests.reconcilers.builders import (
    ALL,
    CUTTING,
    EMPTY,
    HANDED_OVER,
    INVENTORY,
    LEG,
    PREPARED,
    ROUTER,
    T_ROUTER,
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


def test_a_prepared_router_needs_nothing_and_is_never_given_its_gateway_here() -> None:
    assert router.plan(desired(), snapshot(), REPLICATE).steps == ()
    assert not {"external_gateway_info", "routes"} & set(body(router.plan(desired(), snapshot(EMPTY), CUTTING), "router/edge#create"))


def test_a_change_before_the_switch_is_put_right() -> None:
    renamed = replace(PREPARED, routers=(replace(T_ROUTER, name="mine", admin_state_up=False),))
    found = router.plan(desired(), snapshot(renamed), REPLICATE)
    assert body(found, "router/edge#update") == {"name": "edge", "admin_state_up": True}


def test_an_unmarked_one_of_our_project_is_adopted_and_another_projects_is_not() -> None:
    bare = replace(T_ROUTER, tags=(), marker="")
    ours = router.plan(desired(), snapshot(replace(PREPARED, routers=(bare,))), REPLICATE)
    assert (ids(ours), change(ours, "router/edge#mark").parameters["id"]) == (["router/edge#mark"], "t-r-edge")
    foreign = router.plan(desired(), snapshot(replace(PREPARED, routers=(replace(bare, project_id="p-x"),))), REPLICATE)
    assert ids(foreign) == ["router/edge#create", "router/edge#mark"]


def test_two_that_could_be_meant_are_a_blocker() -> None:
    twins = tuple(replace(T_ROUTER, id=id, tags=(), marker="") for id in ("one", "two"))
    found = router.plan(desired(), snapshot(replace(PREPARED, routers=twins)), REPLICATE)
    assert (ids(found), codes(found)) == ([], ["ambiguous_router"])
    assert "one" in found.findings[0].what


def test_routers_of_one_name_are_made_one_after_the_other() -> None:
    second = replace(ROUTER, id="r-edge-2")
    leg = replace(LEG, id="i-2", device_id="r-edge-2")
    tenant = replace(INVENTORY, routers=(ROUTER, second), router_ports=(LEG, leg))
    found = router.plan(desired(tenant), snapshot(EMPTY), REPLICATE)
    creates = [step for step in found.steps if step.action == "create"]
    marks = [step for step in found.steps if step.action == "mark"]
    assert len({str(step.address) for step in creates}) == 2
    assert creates[1].after == (marks[0].id,)


def test_it_belongs_to_the_servers_behind_it() -> None:
    found = router.plan(desired(), snapshot(EMPTY), REPLICATE)
    assert set(change(found, "router/edge#create").servers) == ALL


def test_a_router_of_an_excluded_network_stays_on_the_source() -> None:
    leaving = replace(HANDED_OVER, decommission=True)
    assert ids(router.plan(desired(excluded=["n-app"]), snapshot(here=source()), leaving)) == []


def test_detaching_in_a_decommissioning_is_dangerous_and_comes_first() -> None:
    found = router.plan(desired(), snapshot(), replace(HANDED_OVER, decommission=True))
    assert ids(found) == ["router/edge/10.0.0.1#detach", "router/edge#delete"]
    assert change(found, "router/edge#delete").after == ("acme/router/edge/10.0.0.1#detach",)
    assert all(change(found, id).danger and not change(found, id).reversible for id in ids(found))


def test_a_wave_that_goes_back_does_not_make_it_anew() -> None:
    assert ids(router.plan(desired(), snapshot(), goals(Stage.DISCARD, Stage.DISCARD, ALL))) == []
