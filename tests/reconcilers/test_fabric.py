from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from millpond.errors import InvalidDocument, InvariantBroken
from millpond.model.address import Address
from millpond.model.change import UNKNOWN, Change, FieldChange
from millpond.model.network import Network
from millpond.model.site import Fabric
from millpond.providers.ports import Providers
from millpond.reconcilers.base import KindPlan, Scope
from millpond.reconcilers.fabric import Stretch, driver
from millpond.reconcilers.fabric.none import Shared
from millpond.reconcilers.fabric.provider_vlan import ProviderVlan
from millpond.reconcilers.network import neutron_calls, stretch
from millpond.reconcilers.twins import ambiguous, once_per, twin
from tests.reconcilers.builders import NOBODY, PREPARED, T_NETWORK, desired, goals, ids, snapshot


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


class Tunnels:
    """A driver of somebody else's: what it joined stands in its switches alone."""

    carries = True

    def __init__(self) -> None:
        self.joined: dict[str, str] = {}

    def refusal(self, network: Network, fabric: Fabric) -> str:
        return ""

    def attributes(self, network: Network, fabric: Fabric) -> Mapping[str, Any]:
        return {}

    def observe(self, providers: Providers, networks: Sequence[Network]) -> Mapping[str, str]:
        return {network.id: self.joined[network.id] for network in networks if network.id in self.joined}

    def plan(self, stretches: Sequence[Stretch]) -> KindPlan:
        return KindPlan(tuple(map(self._join, (one for one in stretches if one.twin and one.wanted and one.state != "up"))))

    def _join(self, one: Stretch) -> Change:
        id = one.twin.id if one.twin else ""
        return Change(one.address, "join", fields=(FieldChange("tunnel", one.state, "up"),), parameters={"id": id})

    def perform(self, change: Change, providers: Providers) -> None:
        self.joined[change.parameters["id"]] = "up"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fabric:
    """As a package would bring it."""
    metadata = tmp_path / "tunnels-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tunnels\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[millpond.fabric]\ntunnels = {__name__}:Tunnels\n")
    monkeypatch.syspath_prepend(tmp_path)
    return Fabric("tunnels")


def test_a_foreign_driver_sees_its_own_stretches_and_goes_on_from_there(installed: Fabric) -> None:
    providers = cast("Providers", SimpleNamespace(site=SimpleNamespace(fabric=installed)))
    documents, seen = desired(fabric=installed), snapshot()
    scope = Scope("acme", "p-source", "p-target", seen)
    before = stretch.plan(documents, seen.with_facts(stretch.observe(providers, scope), seen.now), goals())
    assert ids(before) == ["stretch/app#join"]
    stretch.perform(cast("Change", before.steps[0]), providers)
    after = seen.with_facts(stretch.observe(providers, scope), seen.now)
    assert after.fabric.stretches == {T_NETWORK.id: "up"}
    assert ids(stretch.plan(documents, after, goals())) == []
