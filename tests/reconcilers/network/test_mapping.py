from dataclasses import replace

import pytest

from millpond.model.change import UNKNOWN
from millpond.model.network import FixedIP, Subnet
from millpond.model.site import Fabric
from millpond.model.snapshot import CloudState
from millpond.reconcilers.network.mapping import (
    carried,
    fixed_ips,
    is_derived,
    network_id,
    network_of,
    shown_fixed_ips,
    subnet_of,
    target_project,
)
from tests.reconcilers.builders import (
    EMPTY,
    EXTERNAL,
    INTERNET,
    INTERNET_SUBNET,
    INVENTORY,
    NETWORK,
    NO_TENANT,
    PREPARED,
    SUBNET,
    T_NETWORK,
    T_SUBNET,
    desired,
    snapshot,
)

SLAAC = replace(SUBNET, id="s-six", cidr="2001:db8::/64", ipv6_address_mode="slaac", ipv6_ra_mode="slaac")
SIX = replace(INVENTORY, subnets=(*INVENTORY.subnets, SLAAC))
T_SIX = replace(SLAAC, id="t-s-six", network_id="t-n-app", marker="s-six")


def test_the_tenants_own_networks_are_carried() -> None:
    others = (
        replace(NETWORK, id="n-shared", shared=True),
        replace(NETWORK, id="n-foreign", project_id="p-admin"),
        replace(NETWORK, id="n-out", external=True),
    )
    tenant = replace(INVENTORY, networks=(*INVENTORY.networks, *others))
    assert carried(desired(tenant)) == {"n-app"}
    assert carried(desired(tenant, excluded=["n-app"])) == frozenset()
    assert carried(desired(tenant, fabric=Fabric("none"))) == frozenset()


def test_a_carried_network_is_its_twin_whatever_it_is_called() -> None:
    renamed = replace(PREPARED, networks=(replace(T_NETWORK, name="mine"), replace(T_NETWORK, id="decoy", marker=""), INTERNET))
    assert network_id(desired(), snapshot(renamed), "n-app") == "t-n-app"
    assert network_id(desired(), snapshot(EMPTY), "n-app") == UNKNOWN


def test_an_external_one_goes_by_the_name_that_the_site_maps_it_to() -> None:
    assert network_of(desired(), snapshot(), EXTERNAL.id) == INTERNET
    inside = replace(INTERNET, external=False)
    for networks in ((), (INTERNET, replace(INTERNET, id="second")), (inside,)):
        assert network_of(desired(), snapshot(CloudState("target", networks=networks)), EXTERNAL.id) is None
    assert network_of(desired(), snapshot(), "n-unheard-of") is None


def test_a_subnet_goes_by_marker_on_carried_networks_and_by_cidr_on_mapped_ones() -> None:
    assert subnet_of(desired(), snapshot(), "s-app") == T_SUBNET
    unmarked = replace(PREPARED, subnets=(replace(T_SUBNET, marker="", tags=()), INTERNET_SUBNET))
    assert subnet_of(desired(), snapshot(unmarked), "s-app") is None
    assert subnet_of(desired(), snapshot(), "s-ext") == INTERNET_SUBNET
    elsewhere = (replace(INTERNET_SUBNET, network_id="t-other"), replace(INTERNET_SUBNET, id="x", cidr="198.51.100.0/24"))
    assert subnet_of(desired(), snapshot(replace(PREPARED, subnets=elsewhere)), "s-ext") is None
    assert subnet_of(desired(), snapshot(), "s-unheard-of") is None


def test_addresses_are_kept_and_those_that_follow_from_the_mac_are_not_named() -> None:
    there = replace(PREPARED, subnets=(*PREPARED.subnets, T_SIX))
    addresses = (FixedIP("s-six", "2001:db8::f816:3eff:fe00:101"), FixedIP("s-app", "10.0.0.11"))
    wanted = fixed_ips(desired(SIX), snapshot(there), addresses)
    assert wanted == [{"subnet_id": "t-s-app", "ip_address": "10.0.0.11"}, {"subnet_id": "t-s-six"}]
    given = (FixedIP("t-s-app", "10.0.0.11"), FixedIP("t-s-six", "2001:db8::f816:3eff:fe00:101"))
    assert shown_fixed_ips(snapshot(there), given) == wanted


def test_before_a_subnet_exists_its_kind_is_known_already() -> None:
    rows = fixed_ips(desired(SIX), snapshot(EMPTY), (FixedIP("s-app", "10.0.0.11"), FixedIP("s-six", "2001:db8::1")))
    assert sorted(rows, key=len) == [{"subnet_id": UNKNOWN}, {"subnet_id": UNKNOWN, "ip_address": "10.0.0.11"}]


@pytest.mark.parametrize(("four", "six"), [("a", "b"), ("b", "a")])
def test_the_order_of_addresses_is_the_same_before_and_after_there_are_ids(four: str, six: str) -> None:
    """Or a saved plan would be refused half way, for the ids that its own networks were given."""
    stateful = replace(SLAAC, ipv6_address_mode="dhcpv6-stateful", ipv6_ra_mode="dhcpv6-stateful")
    tenant = desired(replace(INVENTORY, subnets=(*INVENTORY.subnets, stateful)))
    addresses = (FixedIP("s-six", "2001:db8::1"), FixedIP("s-app", "10.0.0.11"))
    subnets = (replace(T_SUBNET, id=four), replace(T_SIX, id=six, ipv6_address_mode="dhcpv6-stateful"))
    there = snapshot(replace(PREPARED, subnets=subnets))
    before = fixed_ips(tenant, snapshot(EMPTY), addresses)
    after = fixed_ips(tenant, there, addresses)
    assert [row["ip_address"] for row in before] == [row["ip_address"] for row in after]
    given = (FixedIP(six, "2001:db8::1"), FixedIP(four, "10.0.0.11"))
    assert shown_fixed_ips(there, given) == shown_fixed_ips(there, given[::-1]) == after


@pytest.mark.parametrize(("mode", "derived"), [("", False), ("slaac", True), ("dhcpv6-stateless", True), ("dhcpv6-stateful", False)])
def test_which_addresses_follow_from_the_mac(mode: str, derived: bool) -> None:
    assert is_derived(Subnet("s", "s", "n", "2001:db8::/64", ipv6_address_mode=mode)) is derived


def test_the_project_is_unknown_until_it_is_there() -> None:
    assert target_project(snapshot()) == "p-target"
    assert target_project(snapshot(NO_TENANT)) == UNKNOWN
