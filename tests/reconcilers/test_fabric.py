from typing import cast

import pytest

from millpond.errors import InvalidDocument, InvariantBroken
from millpond.model.address import Address
from millpond.model.change import UNKNOWN, Change
from millpond.model.network import Network
from millpond.model.site import Fabric
from millpond.providers.ports import Providers
from millpond.reconcilers.fabric import driver
from millpond.reconcilers.fabric.none import Shared
from millpond.reconcilers.fabric.provider_vlan import ProviderVlan
from millpond.reconcilers.network import neutron_calls
from millpond.reconcilers.twins import ambiguous, once_per, twin
from tests.reconcilers.builders import PREPARED, T_NETWORK, snapshot

NOBODY = cast("Providers", None)


def test_drivers_are_found_by_their_entry_points() -> None:
    assert isinstance(driver(Fabric("none")), Shared)
    assert isinstance(driver(Fabric("provider-vlan")), ProviderVlan)
    with pytest.raises(InvalidDocument) as caught:
        driver(Fabric("evpn"))
    assert "'evpn'" in caught.value.problems[0].what
    assert "provider-vlan" in caught.value.problems[0].fix


@pytest.mark.parametrize(("kind", "says"), [("vlan", ""), ("vxlan", "its type is vxlan"), ("", "its type is not known")])
def test_only_a_vlan_can_be_made_on_the_same_vlan(kind: str, says: str) -> None:
    why = ProviderVlan().refusal(Network("n", "n", network_type=kind), Fabric())
    assert why.startswith(says)
    assert bool(why) == (kind != "vlan")


def test_a_physical_network_that_is_not_mapped_keeps_its_name() -> None:
    network = Network("n", "n", network_type="vlan", physical_network="physnet9", segmentation_id=7)
    assert ProviderVlan().attributes(network, Fabric())["provider:physical_network"] == "physnet9"


def test_nothing_is_sent_while_an_id_is_not_known() -> None:
    step = Change(Address("acme", "port", "x"), "create", parameters={"call": "create", "body": {"fixed_ips": [{"subnet_id": UNKNOWN}]}})
    with pytest.raises(InvariantBroken, match="does not exist yet"):
        neutron_calls.perform(step, NOBODY)


def test_twins_are_found_by_their_marker_and_only_if_there_is_one() -> None:
    assert twin(snapshot(), "networks", "n-app") == T_NETWORK
    assert twin(snapshot(), "networks", "n-other") is None
    doubled = snapshot(type(PREPARED)(networks=(T_NETWORK, T_NETWORK)))
    assert twin(doubled, "networks", "n-app") is None
    assert len(ambiguous(doubled, "networks", "n-app")) == 2


def test_an_index_is_built_once_per_object_and_not_per_value() -> None:
    built: list[tuple[int, ...]] = []
    size = once_per(lambda items: built.append(items) or len(items))  # type: ignore[func-returns-value]
    one, equal = tuple(range(3)), tuple(range(3))
    assert (size(one), size(one), size(equal)) == (3, 3, 3)
    assert len(built) == 2
