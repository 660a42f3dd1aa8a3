from dataclasses import replace

import pytest

from millpond.model.change import UNKNOWN, Change
from millpond.model.finding import Severity
from millpond.model.marker import SWITCHED_TAG
from millpond.model.network import FloatingIP
from millpond.model.snapshot import CloudState, Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.network import floating_ip, router, segment
from millpond.reconcilers.network.segments import Direction, Phase, segments, standings
from tests.reconcilers.builders import (
    ADDRESS,
    ALL,
    CUTTING,
    EMPTY,
    FENCED,
    HANDED_OVER,
    INTERNET,
    INVENTORY,
    LEG,
    NETWORK,
    PREPARED,
    ROUTER,
    T_ADDRESS,
    T_LEG,
    T_ROUTER,
    T_WAITING_LEG,
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
PARKED = FloatingIP("k-1", "203.0.113.10", "n-ext", description="millpond: parked")
BARE = replace(ROUTER, gateway_network_id="", external_fixed_ips=(), routes=())
FREED = replace(ADDRESS, port_id="", fixed_ip_address="", router_id="")
OFF = replace(FENCED, ports=INVENTORY.ports, routers=(BARE,), floating_ips=(FREED,), parked=(PARKED,))
TWIN_READY = replace(PREPARED, ports=(*PREPARED.ports, T_WAITING_LEG))
T_GATEWAY = replace(ROUTER.external_fixed_ips[0], subnet_id="t-s-ext")
T_LIVE_ROUTER = replace(T_ROUTER, gateway_network_id="t-ext", external_fixed_ips=(T_GATEWAY,), routes=ROUTER.routes)
LIVE = replace(
    PREPARED,
    ports=(*PREPARED.ports, T_LEG),
    routers=(T_LIVE_ROUTER,),
    floating_ips=(replace(T_ADDRESS, port_id="t-port-1", fixed_ip_address="10.0.0.11", router_id="t-r-edge"),),
)
ONWARD = [
    "segment/edge/10.0.0.1#create_port",
    "segment/edge/10.0.0.1#mark_port",
    "segment/edge#begin",
    "segment/edge#clear_routes",
    "segment/edge/203.0.113.20#dissociate",
    "segment/edge#clear_gateway",
    "segment/edge/10.0.0.1#detach",
    "segment/edge/203.0.113.10#park",
    "segment/edge/10.0.0.1#attach",
    "segment/edge#set_gateway",
    "segment/edge#set_routes",
    "segment/edge/203.0.113.20#associate",
    "segment/edge#finish",
]
BACK = [
    "segment/edge#begin_back",
    "segment/edge/10.0.0.1#create_port",
    "segment/edge#clear_routes",
    "segment/edge/203.0.113.20#dissociate",
    "segment/edge#clear_gateway",
    "segment/edge/10.0.0.1#detach",
    "segment/edge/203.0.113.10#release",
    "segment/edge/10.0.0.1#attach",
    "segment/edge#set_gateway",
    "segment/edge#set_routes",
    "segment/edge/203.0.113.20#associate",
    "segment/edge#finish_back",
]


def tagged(state: CloudState, tag: str) -> CloudState:
    return replace(state, routers=tuple(replace(r, tags=(tag,)) for r in state.routers))


SWITCHING, SWITCHED = tagged(OFF, "millpond:switching"), tagged(OFF, "millpond:switched")
BEGUN = tagged(FENCED, "millpond:switching")


def test_the_switch_goes_off_on_the_source_before_it_comes_on_on_the_target() -> None:
    found = segment.plan(desired(), snapshot(), CUTTING)
    assert ids(found) == ONWARD
    assert change(found, "segment/edge/10.0.0.1#detach").after == (
        "acme/segment/edge#clear_routes",
        "acme/segment/edge/203.0.113.20#dissociate",
    )
    assert "acme/segment/edge/10.0.0.1#detach" in change(found, "segment/edge/10.0.0.1#attach").after
    assert all(change(found, id).servers == ("server-1", "server-2") for id in ONWARD)
    assert [id for id in ONWARD if change(found, id).danger] == ["segment/edge#clear_gateway", "segment/edge/10.0.0.1#detach"]


def test_the_twin_port_has_the_mac_and_address_of_the_gateway() -> None:
    port = body(segment.plan(desired(), snapshot(), CUTTING), "segment/edge/10.0.0.1#create_port")
    assert (port["mac_address"], port["fixed_ips"]) == (LEG.mac_address, [{"subnet_id": "t-s-app", "ip_address": "10.0.0.1"}])


def test_gateway_routes_and_floating_ips_are_the_same_on_the_target() -> None:
    found = segment.plan(desired(), snapshot(TWIN_READY, SWITCHING), HANDED_OVER)
    assert ids(found) == ONWARD[8:]
    assert body(found, "segment/edge#set_gateway") == {
        "external_gateway_info": {
            "network_id": "t-ext",
            "enable_snat": True,
            "external_fixed_ips": [{"ip_address": "203.0.113.10", "subnet_id": "t-s-ext"}],
        }
    }
    assert body(found, "segment/edge#set_routes") == {"routes": [{"destination": "192.168.0.0/16", "nexthop": "10.0.0.11"}]}
    assert body(found, "segment/edge/203.0.113.20#associate") == {"port_id": "t-port-1", "fixed_ip_address": "10.0.0.11"}
    other = change(found, "segment/edge/10.0.0.1#attach").parameters["other"]
    assert other == {"project_id": "p-source", "routers": ["r-edge"], "addresses": ["10.0.0.1"], "networks": ["n-app"]}


def test_a_subnet_of_the_external_network_that_is_not_known_is_left_to_neutron() -> None:
    found = segment.plan(desired(), snapshot(replace(TWIN_READY, subnets=PREPARED.subnets[:1]), SWITCHING), HANDED_OVER)
    assert body(found, "segment/edge#set_gateway")["external_gateway_info"]["external_fixed_ips"] == [{"ip_address": "203.0.113.10"}]


UNMARKED = replace(PREPARED, ports=(*PREPARED.ports, replace(T_WAITING_LEG, tags=(), marker="")))
NO_GATEWAY_YET = replace(LIVE, routers=(T_ROUTER,), floating_ips=(T_ADDRESS,))


@pytest.mark.parametrize(
    ("seen", "left"),
    [
        (snapshot(UNMARKED), ONWARD[1:]),
        (snapshot(TWIN_READY), ONWARD[2:]),
        (snapshot(TWIN_READY, BEGUN), ONWARD[3:]),
        (snapshot(TWIN_READY, replace(BEGUN, routers=(replace(BEGUN.routers[0], routes=()),))), ONWARD[4:]),
        (snapshot(TWIN_READY, replace(SWITCHING, ports=FENCED.ports, parked=())), [*ONWARD[6:]]),
        (snapshot(TWIN_READY, replace(SWITCHING, parked=())), ONWARD[7:]),
        (snapshot(NO_GATEWAY_YET, SWITCHING), ONWARD[9:]),
        (snapshot(LIVE, SWITCHING), ["segment/edge#finish"]),
        (snapshot(LIVE, SWITCHED), []),
        (snapshot(PREPARED, SWITCHED), []),
        (snapshot(EMPTY, SWITCHED), []),
    ],
)
def test_a_crash_in_the_switch_goes_on_where_it_was_and_what_is_done_is_the_tenants(seen: Snapshot, left: list[str]) -> None:
    assert ids(segment.plan(desired(), seen, HANDED_OVER)) == left


RETURNING = goals(Stage.DISCARD, Stage.CARRY_BACK, ALL)
PORT_AGAIN = replace(LEG, id="i-new", device_id="", device_owner="")
BACK_ON = replace(FENCED, routers=(replace(ROUTER, tags=("millpond:switching",)),))


@pytest.mark.parametrize(
    ("seen", "left"),
    [
        (snapshot(LIVE, SWITCHED), BACK),
        (snapshot(LIVE, SWITCHING), BACK[1:]),
        (snapshot(LIVE, replace(SWITCHING, ports=(*OFF.ports, PORT_AGAIN))), BACK[2:]),
        (snapshot(PREPARED, replace(SWITCHING, ports=(*OFF.ports, PORT_AGAIN))), BACK[6:]),
        (snapshot(PREPARED, replace(SWITCHING, ports=(*OFF.ports, LEG), parked=())), BACK[8:]),
        (snapshot(PREPARED, BACK_ON), ["segment/edge#finish_back"]),
        (snapshot(PREPARED, FENCED), []),
        (snapshot(TWIN_READY, FENCED), ["segment/edge/10.0.0.1#delete_port"]),
        (
            snapshot(TWIN_READY, SWITCHING),
            ["segment/edge/10.0.0.1#create_port", "segment/edge/10.0.0.1#delete_port", *BACK[6:]],
        ),
    ],
)
def test_the_way_back_is_the_mirror_image_from_wherever_it_begins(seen: Snapshot, left: list[str]) -> None:
    assert ids(segment.plan(desired(), seen, RETURNING)) == left


def test_the_source_gets_its_interface_and_gateway_back_as_they_were() -> None:
    found = segment.plan(desired(), snapshot(LIVE, SWITCHED), RETURNING)
    port = body(found, "segment/edge/10.0.0.1#create_port")
    assert (port["network_id"], port["mac_address"], port["project_id"]) == ("n-app", LEG.mac_address, "p-source")
    gateway = body(found, "segment/edge#set_gateway")["external_gateway_info"]
    assert gateway["external_fixed_ips"] == [{"ip_address": "203.0.113.10", "subnet_id": "s-ext"}]
    assert change(found, "segment/edge/10.0.0.1#attach").parameters["port_id"] == UNKNOWN
    assert change(found, "segment/edge#set_gateway").parameters["other"] == {
        "project_id": "p-target",
        "routers": ["r-edge"],
        "addresses": ["10.0.0.1"],
        "networks": ["t-n-app"],
    }
    assert change(found, "segment/edge/203.0.113.10#release").parameters["id"] == "k-1"
    assert body(found, "segment/edge/203.0.113.20#associate")["port_id"] == "port-1"


def test_what_the_tenant_associated_on_the_target_does_not_hold_a_rollback() -> None:
    new = replace(T_ADDRESS, id="t-new", floating_ip_address="203.0.113.77", tags=(), marker="", port_id="t-port-2", router_id="t-r-edge")
    found = segment.plan(desired(), snapshot(replace(LIVE, floating_ips=(*LIVE.floating_ips, new)), SWITCHED), RETURNING)
    assert change(found, "segment/edge/203.0.113.77#dissociate").parameters["id"] == "t-new"


MIXED = goals(Stage.HANDED_OVER, Stage.REPLICATE, {"server-1"})


@pytest.mark.parametrize(
    ("seen", "stages", "steps"),
    [
        (snapshot(), REPLICATE, []),
        (snapshot(), MIXED, []),
        (snapshot(LIVE, SWITCHED), goals(Stage.HANDED_OVER, Stage.CARRY_BACK, ALL), []),
        (snapshot(TWIN_READY, SWITCHING), MIXED, ONWARD[8:]),
        (snapshot(PREPARED, SWITCHING), MIXED, ["segment/edge/10.0.0.1#create_port", *BACK[6:]]),
        (snapshot(TWIN_READY, SWITCHING), goals(Stage.HANDED_OVER, Stage.HELD, ALL), []),
        (snapshot(PREPARED, replace(FENCED, ports=INVENTORY.ports)), REPLICATE, []),
    ],
)
def test_while_waves_differ_the_gateway_stays_where_it_is(seen: Snapshot, stages: Goals, steps: list[str]) -> None:
    assert ids(segment.plan(desired(), seen, stages)) == steps


def test_two_live_gateways_are_a_blocker_and_nothing_else() -> None:
    for stages in (HANDED_OVER, RETURNING):
        found = segment.plan(desired(), snapshot(LIVE, BEGUN), stages)
        assert (ids(found), [(f.code, f.severity) for f in found.findings]) == ([], [("two_gateways", Severity.BLOCKER)])


def test_what_the_inventory_does_not_name_holds_the_switch() -> None:
    late_leg = replace(LEG, id="i-late", fixed_ips=(replace(LEG.fixed_ips[0], ip_address="10.0.0.250"),))
    late_address = replace(ADDRESS, id="f-late", floating_ip_address="203.0.113.99")
    here = replace(FENCED, ports=(*FENCED.ports, late_leg), floating_ips=(ADDRESS, late_address))
    assert codes(segment.plan(desired(), snapshot(here=here), CUTTING)) == ["late_on_segment", "late_on_segment"]


@pytest.mark.parametrize("stage", [Stage.REPLICATE, Stage.CUT])
def test_excluded_servers_are_told_from_the_first_plan_on_that_their_gateway_leaves(stage: Stage) -> None:
    found = segment.plan(desired(excluded=["server-2"]), snapshot(), goals(stage))
    assert codes(found) == ["excluded_loses_gateway"]
    assert found.findings[0].what == "excluded servers stay on a segment whose gateway moves: web-2"
    assert found.findings[0].severity is Severity.WARNING
    assert "router of their own" in found.findings[0].fix


def test_what_boots_from_an_image_is_not_said_to_be_taken_into_the_migration_as_it_is() -> None:
    on = desired(excluded=["server-2"])
    servers = tuple(replace(one, image_id="image-1") if one.id == "server-2" else one for one in on.inventory.servers)
    booted = replace(on, inventory=replace(on.inventory, servers=servers))
    (plain,), (found,) = (segment.plan(one, snapshot(), goals(Stage.CUT)).findings for one in (on, booted))
    assert plain.fix.endswith("take them into the migration")
    assert found.fix == f"{plain.fix}: what boots from an image only once its root disk is a volume"


@pytest.mark.parametrize("stages", [goals(Stage.HANDED_OVER), replace(goals(Stage.DECOMMISSION), decommission=True)])
def test_excluded_servers_are_told_before_the_source_goes_that_their_gateway_has_left(stages: Goals) -> None:
    routers = tuple(replace(one, tags=(*one.tags, SWITCHED_TAG)) for one in snapshot().source.routers)
    seen = snapshot()
    seen = replace(seen, source=replace(seen.source, routers=routers, ports=()))
    found = segment.plan(desired(excluded=["server-2"]), seen, stages)
    assert codes(found) == ["excluded_loses_gateway"]
    assert found.findings[0].what == "excluded servers stay on a segment whose gateway is on the target: web-2"
    assert "decommissioning deletes its router" in found.findings[0].why


def test_a_router_that_is_gone_cannot_take_the_gateway_back() -> None:
    found = segment.plan(desired(), snapshot(LIVE, replace(OFF, routers=())), RETURNING)
    assert (ids(found), codes(found)) == ([], ["router_gone"])


EMPTY_NETWORK = replace(NETWORK, id="n-empty", name="empty", segmentation_id=102)
LONELY = replace(INVENTORY, networks=(*INVENTORY.networks, EMPTY_NETWORK))


def test_networks_are_joined_by_routers() -> None:
    leg = replace(LEG, id="i-empty", network_id="n-empty", fixed_ips=(replace(LEG.fixed_ips[0], ip_address="10.1.0.1"),))
    apart, joined = segments(desired(LONELY)), segments(desired(replace(LONELY, router_ports=(LEG, leg))))
    assert [(s.name, s.networks, s.servers) for s in apart] == [("edge", ("n-app",), ("server-1", "server-2")), ("empty", ("n-empty",), ())]
    assert [(s.networks, s.routers) for s in joined] == [(("n-app", "n-empty"), ("r-edge",))]


@pytest.mark.parametrize(
    ("stages", "direction", "settled"),
    [
        (REPLICATE, Direction.BACK, False),
        (MIXED, Direction.STAY, False),
        (goals(Stage.HANDED_OVER, Stage.CUT, {"server-1"}), Direction.ONWARD, False),
        (HANDED_OVER, Direction.ONWARD, True),
    ],
)
def test_a_network_without_servers_follows_when_every_wave_has_arrived(stages: Goals, direction: Direction, settled: bool) -> None:
    empty = standings(desired(LONELY), snapshot(), stages)[1]
    assert (empty.direction, empty.settled) == (direction, settled)


def test_a_tenant_without_servers_follows_its_flag() -> None:
    nobody = replace(INVENTORY, servers=(), ports=(), floating_ips=())
    assert standings(desired(nobody), snapshot(), Goals())[0].direction is Direction.BACK
    assert standings(desired(nobody, cutover=True), snapshot(), Goals())[0].direction is Direction.ONWARD


def test_decommissioning_takes_routers_that_are_gone_for_switched() -> None:
    leaving = replace(HANDED_OVER, decommission=True)
    assert standings(desired(), snapshot(here=source(routers=())), leaving)[0].phase is Phase.SWITCHED


def test_routers_and_floating_ips_stand_ready_without_gateway_and_association() -> None:
    found = router.plan(desired(), snapshot(EMPTY), REPLICATE)
    assert ids(found) == ["router/edge#create", "router/edge#mark"]
    assert body(found, "router/edge#create") == {"project_id": "p-target", "name": "edge", "description": "", "admin_state_up": True}
    found = floating_ip.plan(desired(), snapshot(EMPTY), REPLICATE)
    assert ids(found) == ["floating_ip/203.0.113.20#create", "floating_ip/203.0.113.20#mark"]
    assert change(found, "floating_ip/203.0.113.20#create").parameters == {
        "call": "create",
        "resource": "floatingip",
        "body": {
            "project_id": "p-target",
            "floating_network_id": INTERNET.id,
            "floating_ip_address": "203.0.113.20",
            "description": "front door",
        },
    }


@pytest.mark.parametrize("kind", [router, floating_ip])
def test_from_the_switch_on_routers_and_floating_ips_are_the_tenants(kind: object) -> None:
    assert ids(kind.plan(desired(), snapshot(EMPTY, SWITCHED), HANDED_OVER)) == []  # type: ignore[attr-defined]
    assert ids(kind.plan(desired(), snapshot(), HANDED_OVER)) == []  # type: ignore[attr-defined]


LEAVING = replace(HANDED_OVER, decommission=True)


@pytest.mark.parametrize(
    ("here", "steps"),
    [
        (SWITCHED, ["floating_ip/203.0.113.20#delete", "floating_ip/203.0.113.20#park"]),
        (replace(SWITCHED, floating_ips=()), ["floating_ip/203.0.113.20#park"]),
        (replace(SWITCHED, floating_ips=(), parked=(replace(PARKED, floating_ip_address="203.0.113.20"),)), []),
    ],
)
def test_a_floating_ip_that_goes_is_parked(here: CloudState, steps: list[str]) -> None:
    assert ids(floating_ip.plan(desired(), snapshot(LIVE, here), LEAVING)) == steps


def test_a_parked_address_is_the_logins_own() -> None:
    found = floating_ip.plan(desired(), snapshot(LIVE, SWITCHED), LEAVING)
    assert body(found, "floating_ip/203.0.113.20#park") == {
        "floating_network_id": "n-ext",
        "floating_ip_address": "203.0.113.20",
        "description": "millpond: parked",
    }
    assert change(found, "floating_ip/203.0.113.20#park").after == ("acme/floating_ip/203.0.113.20#delete",)


def test_a_router_goes_with_what_is_left_on_it() -> None:
    assert ids(router.plan(desired(), snapshot(LIVE, SWITCHED), LEAVING)) == ["router/edge#delete"]
    found = router.plan(desired(), snapshot(LIVE, replace(SWITCHED, ports=FENCED.ports)), LEAVING)
    assert ids(found) == ["router/edge/10.0.0.1#detach", "router/edge#delete"]
    elsewhere = replace(LEG, id="i-late", network_id="n-late")
    late = router.plan(desired(), snapshot(LIVE, replace(SWITCHED, ports=(elsewhere,))), LEAVING)
    assert codes(late) == ["late_router_interface"]
    assert codes(router.plan(desired(), snapshot(LIVE, replace(SWITCHED, routers=(replace(BARE, id="r-late"),))), LEAVING)) == [
        "late_router"
    ]


def test_every_change_says_why_and_has_an_id_of_its_own() -> None:
    for seen, stages in ((snapshot(), CUTTING), (snapshot(LIVE, SWITCHED), RETURNING)):
        steps = segment.plan(desired(), seen, stages).steps
        assert all(isinstance(step, Change) and step.reason and step.fields for step in steps)
        assert len({step.id for step in steps}) == len(steps)
