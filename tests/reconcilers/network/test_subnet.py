from dataclasses import replace

import pytest

from millpond.model.change import UNKNOWN
from millpond.model.network import AddressPair, AllocationPool, FixedIP, Port
from millpond.model.snapshot import CloudState, Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.network import subnet
from millpond.reconcilers.network.fence import choose, ranges
from tests.reconcilers.builders import (
    ALL,
    CUTTING,
    EMPTY,
    FENCE,
    FENCED,
    HANDED_OVER,
    INVENTORY,
    LEG,
    PREPARED,
    ROUTER,
    SUBNET,
    T_NETWORK,
    T_SUBNET,
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
)

REPLICATE = goals()
SWITCHED = replace(FENCED, routers=(replace(ROUTER, tags=("millpond:switched",)),))
REAL = replace(PREPARED, subnets=(replace(T_SUBNET, allocation_pools=SUBNET.allocation_pools), *PREPARED.subnets[1:]))
WITH_NETWORK = replace(EMPTY, networks=(T_NETWORK, *EMPTY.networks))
RESERVE = [f"subnet/app-v4/10.0.0.{last}#reserve" for last in (254, 253, 252, 251)]
FREE = [f"subnet/app-v4/10.0.0.{last}#free" for last in (251, 252, 253, 254)]


def test_the_highest_free_addresses_are_reserved_before_the_subnet_has_them_as_its_pool() -> None:
    found = subnet.plan(desired(), snapshot(WITH_NETWORK, source()), REPLICATE)
    assert ids(found) == [*RESERVE, "subnet/app-v4#create", "subnet/app-v4#mark"]
    assert body(found, RESERVE[0]) == {
        "network_id": "n-app",
        "name": "millpond-fence",
        "device_owner": "millpond:fence",
        "fixed_ips": [{"subnet_id": "s-app", "ip_address": "10.0.0.254"}],
        "security_groups": [],
    }
    assert change(found, "subnet/app-v4#create").after == tuple(f"acme/{id}" for id in RESERVE)
    assert body(found, "subnet/app-v4#create") == {
        "project_id": "p-target",
        "network_id": "t-n-app",
        "cidr": "10.0.0.0/24",
        "ip_version": 4,
        "allocation_pools": [{"start": "10.0.0.251", "end": "10.0.0.254"}],
        "name": "app-v4",
        "description": "",
        "gateway_ip": "10.0.0.1",
        "dns_nameservers": ["9.9.9.9"],
        "host_routes": [],
        "enable_dhcp": True,
    }


def test_a_crash_between_two_reservations_goes_on_with_the_rest() -> None:
    half = source(ports=(*INVENTORY.ports, LEG, *FENCE[2:]))
    found = subnet.plan(desired(), snapshot(WITH_NETWORK, half), REPLICATE)
    assert ids(found)[:2] == ["subnet/app-v4/10.0.0.252#reserve", "subnet/app-v4/10.0.0.251#reserve"]
    assert body(found, "subnet/app-v4#create")["allocation_pools"] == [{"start": "10.0.0.251", "end": "10.0.0.254"}]


def test_a_fenced_subnet_needs_nothing() -> None:
    assert subnet.plan(desired(), snapshot(), REPLICATE).steps == ()


def test_no_gateway_is_said_explicitly() -> None:
    isolated = replace(INVENTORY, subnets=(replace(SUBNET, gateway_ip=""), INVENTORY.subnets[1]))
    found = subnet.plan(desired(isolated), snapshot(WITH_NETWORK), REPLICATE)
    assert body(found, "subnet/app-v4#create")["gateway_ip"] is None


def test_addresses_that_follow_from_the_mac_need_no_fence() -> None:
    slaac = replace(SUBNET, cidr="2001:db8::/64", ip_version=6, ipv6_address_mode="slaac", ipv6_ra_mode="slaac", gateway_ip="2001:db8::1")
    tenant = replace(INVENTORY, subnets=(slaac, INVENTORY.subnets[1]))
    found = subnet.plan(desired(tenant), snapshot(WITH_NETWORK, source(tenant)), CUTTING)
    assert ids(found) == ["subnet/app-v4#create", "subnet/app-v4#mark"]
    assert body(found, "subnet/app-v4#create")["ipv6_ra_mode"] == "slaac"


def test_a_subnet_without_room_is_a_blocker_with_numbers() -> None:
    small = replace(SUBNET, allocation_pools=(AllocationPool("10.0.0.11", "10.0.0.14"),))
    found = subnet.plan(desired(replace(INVENTORY, subnets=(small,))), snapshot(WITH_NETWORK, source()), REPLICATE)
    assert (ids(found), codes(found)) == ([], ["no_room_for_fence"])
    assert "has 2 free addresses in its pools, 4 are needed" in found.findings[0].what


def test_the_end_of_the_last_cut_opens_the_subnet_and_then_frees_the_fence() -> None:
    found = subnet.plan(desired(), snapshot(), CUTTING)
    assert ids(found) == ["subnet/app-v4#open", *FREE]
    assert body(found, "subnet/app-v4#open") == {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.254"}]}
    assert change(found, FREE[0]).after == ("acme/subnet/app-v4#open",)
    assert change(found, FREE[0]).parameters["id"] == "fence-251"


def test_a_plan_from_nothing_holds_the_whole_way() -> None:
    found = subnet.plan(desired(), snapshot(EMPTY, source()), CUTTING)
    assert ids(found) == [*RESERVE, "subnet/app-v4#create", "subnet/app-v4#mark", "subnet/app-v4#open", *FREE]
    assert "acme/subnet/app-v4#mark" in change(found, "subnet/app-v4#open").after
    assert change(found, FREE[0]).parameters["id"] == UNKNOWN


@pytest.mark.parametrize(
    ("seen", "stages", "steps"),
    [
        (snapshot(PREPARED, SWITCHED), HANDED_OVER, ["subnet/app-v4#open", *FREE]),
        (snapshot(REAL, SWITCHED), HANDED_OVER, FREE),
        (snapshot(REAL, replace(SWITCHED, ports=INVENTORY.ports)), HANDED_OVER, []),
        (snapshot(replace(REAL, subnets=()), replace(SWITCHED, ports=INVENTORY.ports)), HANDED_OVER, []),
        (snapshot(REAL, replace(SWITCHED, ports=INVENTORY.ports)), goals(Stage.HANDED_OVER, Stage.HELD, ALL), []),
        (
            snapshot(REAL, replace(SWITCHED, ports=INVENTORY.ports)),
            goals(Stage.HANDED_OVER, Stage.CARRY_BACK, ALL),
            [*RESERVE, "subnet/app-v4#fence"],
        ),
    ],
)
def test_a_settled_subnet_is_opened_once_and_fenced_again_when_a_wave_returns(seen: Snapshot, stages: Goals, steps: list[str]) -> None:
    assert ids(subnet.plan(desired(), seen, stages)) == steps


def test_the_fence_is_reserved_again_before_the_pools_are_narrowed() -> None:
    seen = snapshot(REAL, replace(SWITCHED, ports=INVENTORY.ports))
    found = subnet.plan(desired(), seen, goals(Stage.HANDED_OVER, Stage.DISCARD, ALL))
    assert change(found, "subnet/app-v4#fence").after == tuple(f"acme/{id}" for id in RESERVE)


def test_what_the_target_gave_away_meanwhile_is_kept_from_the_source() -> None:
    own = Port("t-new", "mine", "t-n-app", "fa:16:3e:09:09:09", (FixedIP("t-s-app", "10.0.0.99"),), project_id="p-target")
    fence = choose(SUBNET, INVENTORY.ports, REAL.subnets[0], (*PREPARED.ports, own), 4)
    assert fence.lacking == ("10.0.0.99", "10.0.0.254", "10.0.0.253", "10.0.0.252")


def test_an_address_that_guests_share_among_themselves_is_not_free() -> None:
    keepalived = nic(1, allowed_address_pairs=(AddressPair("10.0.0.254"), AddressPair("10.0.0.253/32")))
    assert choose(SUBNET, (keepalived,), None, (), 1).lacking == ("10.0.0.252",)


def test_a_large_pool_is_not_walked_through() -> None:
    huge = replace(SUBNET, cidr="2001:db8::/64", allocation_pools=(AllocationPool("2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff"),))
    assert choose(huge, (), None, (), 2).addresses == ["2001:db8::ffff:ffff:ffff:fffe", "2001:db8::ffff:ffff:ffff:ffff"]


@pytest.mark.parametrize(
    ("addresses", "pools"),
    [
        ([], []),
        (["10.0.0.9", "10.0.0.10", "10.0.0.12"], [("10.0.0.9", "10.0.0.10"), ("10.0.0.12", "10.0.0.12")]),
        (["10.0.1.0", "10.0.0.255"], [("10.0.0.255", "10.0.1.0")]),
    ],
)
def test_ranges(addresses: list[str], pools: list[tuple[str, str]]) -> None:
    assert ranges(addresses) == [{"start": start, "end": end} for start, end in pools]


def test_a_difference_is_updated_while_the_subnet_is_not_the_tenants() -> None:
    changed = replace(PREPARED, subnets=(replace(T_SUBNET, dns_nameservers=(), enable_dhcp=False), *PREPARED.subnets[1:]))
    found = subnet.plan(desired(), snapshot(changed), REPLICATE)
    assert body(found, "subnet/app-v4#update") == {"dns_nameservers": ["9.9.9.9"], "enable_dhcp": True}


@pytest.mark.parametrize(
    ("target", "here", "steps"),
    [
        (REAL, source(), ["subnet/app-v4#delete"]),
        (PREPARED, FENCED, ["subnet/app-v4#open", *FREE, "subnet/app-v4#delete"]),
        (REAL, source(subnets=()), []),
    ],
)
def test_decommissioning_takes_the_fence_with_the_subnet(target: CloudState, here: CloudState, steps: list[str]) -> None:
    found = subnet.plan(desired(), snapshot(target, here), replace(HANDED_OVER, decommission=True))
    assert ids(found) == steps
