from dataclasses import replace

import pytest

from millpond.model.change import UNKNOWN
from millpond.model.network import AddressPair, Agent, ExtraDhcpOption, Port
from millpond.model.snapshot import CloudState
from millpond.reconcilers.base import Goals
from millpond.reconcilers.network import port
from tests.reconcilers.builders import (
    CUTTING,
    EMPTY,
    HANDED_OVER,
    INVENTORY,
    LEG,
    PREPARED,
    T_DEFAULT,
    T_WEB,
    Stage,
    body,
    change,
    codes,
    desired,
    goals,
    ids,
    nic,
    snapshot,
    source,
    t_nic,
)

REPLICATE = goals()
NO_PORTS = replace(PREPARED, ports=())
OVN = (Agent("OVN Controller agent", "compute-1"),)
ON_OVN = replace(PREPARED, agents=OVN)
VIP = Port("port-vip", "vip", "n-app", "fa:16:3e:00:02:01", (replace(LEG.fixed_ips[0], ip_address="10.0.0.100"),), project_id="p-source")


def test_a_port_is_made_with_everything_but_its_device() -> None:
    rich = nic(
        1,
        allowed_address_pairs=(AddressPair("10.0.0.100"),),
        extra_dhcp_opts=(ExtraDhcpOption("mtu", "1400"),),
        tags=("blue",),
        description="front",
    )
    tenant = replace(INVENTORY, ports=(rich, nic(2)))
    found = port.plan(desired(tenant), snapshot(NO_PORTS, source(tenant)), REPLICATE)
    assert ids(found) == ["port/eth0-1#create", "port/eth0-1#mark", "port/eth0-2#create", "port/eth0-2#mark"]
    assert body(found, "port/eth0-1#create") == {
        "project_id": "p-target",
        "network_id": "t-n-app",
        "mac_address": "fa:16:3e:00:01:01",
        "name": "eth0-1",
        "description": "front",
        "admin_state_up": True,
        "fixed_ips": [{"subnet_id": "t-s-app", "ip_address": "10.0.0.11"}],
        "port_security_enabled": True,
        "allowed_address_pairs": [{"ip_address": "10.0.0.100", "mac_address": "fa:16:3e:00:01:01"}],
        "extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}],
        "binding:vnic_type": "normal",
        "security_groups": ["t-g-web"],
    }
    assert change(found, "port/eth0-1#mark").parameters["tags"] == ["blue", "millpond:source=port-1"]
    assert (change(found, "port/eth0-1#create").wave, change(found, "port/eth0-1#create").servers) == ("pilot", ("server-1",))


def test_no_groups_are_said_explicitly_and_default_in_an_untouched_project_is_left_to_neutron() -> None:
    bare, plain = nic(1, security_groups=()), nic(2, security_groups=("g-default",))
    found = port.plan(desired(replace(INVENTORY, ports=(bare, plain))), snapshot(EMPTY), REPLICATE)
    assert body(found, "port/eth0-1#create")["security_groups"] == []
    assert "security_groups" not in body(found, "port/eth0-2#create")
    shown = {field.path: field.after for field in change(found, "port/eth0-2#create").fields}
    assert shown["security_groups"] == [UNKNOWN]
    assert body(found, "port/eth0-2#create")["network_id"] == UNKNOWN


OUTAGE_ON_OVN = ["port/eth0-1#create_inside", "port/eth0-1#mark_inside"]


@pytest.mark.parametrize(
    ("target", "stages", "steps"),
    [
        (replace(NO_PORTS, agents=OVN), REPLICATE, []),
        (replace(NO_PORTS, agents=OVN), goals(Stage.CUT), OUTAGE_ON_OVN),
        (ON_OVN, CUTTING, []),
        (ON_OVN, REPLICATE, ["port/eth0-1#withdraw", "port/eth0-2#withdraw"]),
        (ON_OVN, goals(Stage.DISCARD, Stage.CUT), ["port/eth0-1#withdraw"]),
        (replace(ON_OVN, ports=(t_nic(1, device_id="x"), t_nic(2))), goals(Stage.CARRY_BACK, Stage.CUT), ["port/eth0-1#withdraw"]),
        (replace(ON_OVN, ports=(t_nic(1, device_id="x"),)), goals(rest=Stage.HELD), []),
        (PREPARED, goals(Stage.DISCARD, Stage.RETURN), []),
        (NO_PORTS, HANDED_OVER, []),
        (NO_PORTS, goals(Stage.HELD, Stage.HELD), []),
    ],
)
def test_where_a_port_stands_by_stage_and_mechanism(target: CloudState, stages: Goals, steps: list[str]) -> None:
    found = port.plan(desired(), snapshot(target), stages)
    assert ids(found) == steps
    assert all(change(found, id).outage for id in OUTAGE_ON_OVN if id in steps)


def test_an_unmarked_port_with_the_same_mac_is_adopted() -> None:
    crashed = t_nic(1, tags=(), marker="")
    found = port.plan(desired(), snapshot(replace(PREPARED, ports=(crashed, t_nic(2)))), REPLICATE)
    assert ids(found) == ["port/eth0-1#mark"]


def test_what_differs_is_updated_until_the_server_is_handed_over() -> None:
    changed = replace(PREPARED, ports=(t_nic(1, name="x", security_groups=()), t_nic(2, name="y")))
    half = goals(Stage.CUT, Stage.HANDED_OVER, {"server-2"})
    found = port.plan(desired(), snapshot(changed), half)
    assert ids(found) == ["port/eth0-1#update"]
    assert body(found, "port/eth0-1#update") == {"name": "eth0-1", "security_groups": ["t-g-web"]}


@pytest.mark.parametrize(("first", "second"), [("a", "b"), ("b", "a")])
def test_groups_stand_in_the_order_of_the_source_before_and_after_they_have_ids(first: str, second: str) -> None:
    """Or a saved plan that knew one of two groups would be refused half way."""
    tenant = desired(replace(INVENTORY, ports=(nic(1, security_groups=("g-web", "g-default")), nic(2))))
    default, web = replace(T_DEFAULT, id=first), replace(T_WEB, id=second)
    reviewed = body(port.plan(tenant, snapshot(replace(NO_PORTS, security_groups=(default,))), REPLICATE), "port/eth0-1#create")
    now = body(port.plan(tenant, snapshot(replace(NO_PORTS, security_groups=(default, web))), REPLICATE), "port/eth0-1#create")
    assert (reviewed["security_groups"], now["security_groups"]) == ([first, UNKNOWN], [first, second])
    there = replace(PREPARED, ports=(t_nic(1, security_groups=(second, first)), t_nic(2, security_groups=(second,))))
    there = replace(there, security_groups=(web, default))
    assert port.plan(tenant, snapshot(there), REPLICATE).steps == ()


def test_a_pair_without_mac_is_equal_to_one_with_the_ports_own() -> None:
    tenant = replace(INVENTORY, ports=(nic(1, allowed_address_pairs=(AddressPair("10.0.0.100"),)), nic(2)))
    filled = t_nic(1, allowed_address_pairs=(AddressPair("10.0.0.100", "FA:16:3E:00:01:01"),))
    assert port.plan(desired(tenant), snapshot(replace(PREPARED, ports=(filled, t_nic(2)))), REPLICATE).steps == ()


def test_another_mac_or_a_foreign_group_blocks_the_wave() -> None:
    wrong = replace(PREPARED, ports=(t_nic(1, mac_address="fa:16:3e:77:77:77"), t_nic(2)))
    found = port.plan(desired(), snapshot(wrong), REPLICATE)
    assert [(f.code, f.wave) for f in found.findings] == [("mac_differs", "pilot")]
    foreign = replace(INVENTORY, ports=(nic(1), nic(2, security_groups=("g-of-others",))))
    assert codes(port.plan(desired(foreign), snapshot(), REPLICATE)) == ["foreign_security_group"]


def test_an_admin_down_port_boots_up_and_goes_down_once_after_the_handover() -> None:
    down = replace(INVENTORY, ports=(nic(1, admin_state_up=False), nic(2)))
    found = port.plan(desired(down), snapshot(NO_PORTS, source(down)), REPLICATE)
    assert body(found, "port/eth0-1#create")["admin_state_up"] is True
    tags = change(found, "port/eth0-1#mark").parameters["tags"]
    assert tags == ["millpond:admin-down", "millpond:source=port-1"]
    assert codes(found) == ["port_admin_down"]
    up = t_nic(1, tags=tuple(tags))
    found = port.plan(desired(down), snapshot(replace(PREPARED, ports=(up, t_nic(2)))), HANDED_OVER)
    assert ids(found) == ["port/eth0-1#lower", "port/eth0-1#unmark"]
    lowered = replace(up, admin_state_up=False)
    found = port.plan(desired(down), snapshot(replace(PREPARED, ports=(lowered, t_nic(2)))), HANDED_OVER)
    assert ids(found) == ["port/eth0-1#unmark"]
    raised = replace(up, tags=("millpond:source=port-1",))
    assert port.plan(desired(down), snapshot(replace(PREPARED, ports=(raised, t_nic(2)))), HANDED_OVER).steps == ()


def test_an_unbound_port_that_holds_a_shared_address_goes_with_the_servers_that_share_it() -> None:
    pair = (AddressPair("10.0.0.100/32"),)
    tenant = replace(INVENTORY, ports=(nic(1, allowed_address_pairs=pair), nic(2), VIP))
    found = port.plan(desired(tenant), snapshot(NO_PORTS, source(tenant)), REPLICATE)
    assert change(found, "port/vip#create").servers == ("server-1",)
    on_ovn = replace(NO_PORTS, agents=OVN)
    assert ids(port.plan(desired(tenant), snapshot(on_ovn), REPLICATE)) == []
    assert "port/vip#create_inside" in ids(port.plan(desired(tenant), snapshot(on_ovn), goals(Stage.CUT)))


def test_ports_of_excluded_servers_and_of_services_are_not_carried() -> None:
    balancer = replace(VIP, id="lb", name="lb", device_owner="Octavia", device_id="lb-1")
    tenant = replace(INVENTORY, ports=(nic(1), nic(2), balancer))
    found = port.plan(desired(tenant, excluded=["server-2"]), snapshot(NO_PORTS), REPLICATE)
    assert ids(found) == ["port/eth0-1#create", "port/eth0-1#mark"]


def test_decommissioning_deletes_known_ports_and_stops_at_late_ones() -> None:
    leaving = replace(HANDED_OVER, decommission=True)
    late = replace(VIP, id="late", name="late")
    dhcp = replace(VIP, id="dhcp", device_owner="network:dhcp")
    found = port.plan(desired(), snapshot(here=source(ports=(*INVENTORY.ports, LEG, dhcp, late))), leaving)
    assert ids(found) == ["port/eth0-1#delete", "port/eth0-2#delete"]
    assert codes(found) == ["late_port"]
    assert ids(port.plan(desired(excluded=["server-2"]), snapshot(), leaving)) == ["port/eth0-1#delete"]


def test_a_port_of_another_service_is_not_deleted_though_the_inventory_names_it() -> None:
    leaving = replace(HANDED_OVER, decommission=True)
    balancer = replace(VIP, id="lb", name="lb", device_owner="Octavia", device_id="lb-1")
    tenant = replace(INVENTORY, ports=(*INVENTORY.ports, balancer))
    found = port.plan(desired(tenant), snapshot(here=source(tenant)), leaving)
    assert ids(found) == ["port/eth0-1#delete", "port/eth0-2#delete"]
    assert codes(found) == ["service_port"]
    apart = replace(balancer, network_id="n-other", device_owner="compute:nova", project_id="p-octavia")
    assert codes(port.plan(desired(), snapshot(here=source(ports=(*INVENTORY.ports, apart))), leaving)) == []
    kept = port.plan(desired(tenant, excluded=["n-app"]), snapshot(here=source(tenant)), leaving)
    assert (ids(kept), codes(kept)) == ([], [])


def test_a_large_tenant_is_planned_quickly_and_in_the_same_order() -> None:
    servers = tuple(
        replace(INVENTORY.servers[0], id=f"server-{n}", name=f"s{n}", port_ids=tuple(f"port-{n}-{k}" for k in range(3))) for n in range(300)
    )
    ports = tuple(
        nic(1, id=f"port-{n}-{k}", name=f"p{n}-{k}", mac_address=f"fa:16:3e:{k:02x}:{n >> 8:02x}:{n & 255:02x}")
        for n in range(300)
        for k in range(3)
    )
    tenant = replace(INVENTORY, servers=servers, ports=ports)
    found = port.plan(desired(tenant), snapshot(NO_PORTS, source(tenant)), REPLICATE)
    assert len(found.steps) == 1800
    assert len({step.id for step in found.steps}) == 1800
    again = port.plan(desired(tenant), snapshot(NO_PORTS, source(tenant)), REPLICATE)
    assert ids(found) == ids(again)
