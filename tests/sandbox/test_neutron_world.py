"""What Neutron does by itself and with the other services of the world: agents, Nova's ports, two clouds on one VLAN."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.releases import ANTELOPE, QUEENS
from millpond.sandbox.core.table import Row
from millpond.sandbox.neutron.collection import SERVICE
from millpond.sandbox.neutron.digest import digest
from millpond.sandbox.neutron.service import NeutronService
from millpond.sandbox.simulation import Simulation, assemble

MAC = "fa:16:3e:00:11:22"


@pytest.fixture
def world() -> Iterator[Simulation]:
    """The old cloud on ML2/OVS, the new one on ML2/OVN."""
    made = assemble(releases={"source": QUEENS, "target": ANTELOPE.with_ml2("ovn")})
    yield made
    assert made.events.failures == []
    made.close()


@pytest.fixture
def source(world: Simulation) -> NeutronService:
    return world.clouds["source"].neutron


@pytest.fixture
def target(world: Simulation) -> NeutronService:
    return world.clouds["target"].neutron


def make_network(neutron: NeutronService, dhcp: bool = False, vlan: int = 101) -> Row:
    segment = {"provider:network_type": "vlan", "provider:physical_network": "datacentre", "provider:segmentation_id": vlan}
    network = neutron.create_network("acme", name="blue", **segment)
    neutron.create_subnet("acme", network_id=network["id"], cidr="10.0.0.0/24", enable_dhcp=dhcp)
    return network


def make_port(neutron: NeutronService, network: Row, ip: str = "10.0.0.9", mac: str = MAC) -> Row:
    return neutron.create_port("acme", network_id=network["id"], mac_address=mac, fixed_ips=[{"ip_address": ip}])


def run(neutron: NeutronService, port: Row, server: str = "server") -> None:
    """As Nova does it."""
    neutron.bindings.bind_port(port["id"], server, f"{neutron.cloud.name}-compute-0")
    assert neutron.bindings.port_active(port["id"])


def kinds(world: Simulation) -> list[str]:
    return [violation["kind"] for violation in world.violations()]


def automatic(neutron: NeutronService, network: Row) -> list[tuple[str, list[str]]]:
    ports = neutron.ports.table.where(network_id=network["id"])
    return [(port["device_owner"], [item["ip_address"] for item in port["fixed_ips"]]) for port in ports]


def test_every_dhcp_agent_takes_an_address(world: Simulation, source: NeutronService) -> None:
    network = make_network(source, dhcp=True)
    assert automatic(source, network) == []
    world.clock.advance(5)
    world.events.run_due()
    assert automatic(source, network) == [("network:dhcp", ["10.0.0.2"]), ("network:dhcp", ["10.0.0.3"])]
    assert {port["status"] for port in source.ports.table} == {"ACTIVE"}
    [subnet] = source.subnets.table
    source.subnets.table.update(subnet["id"], enable_dhcp=False)
    source.consumers.serve_dhcp(network["id"])
    assert automatic(source, network) == []


def test_a_dhcp_agent_adopts_a_reserved_port_and_lives_without_addresses(world: Simulation, source: NeutronService) -> None:
    network = make_network(source, dhcp=True)
    [subnet] = source.subnets.table
    source.subnets.table.update(subnet["id"], allocation_pools=[{"start": "10.0.0.250", "end": "10.0.0.250"}])
    reserved = {"device_owner": "network:dhcp", "device_id": "reserved_dhcp_port", "fixed_ips": [{"ip_address": "10.0.0.77"}]}
    source.create_port("acme", network_id=network["id"], **reserved)
    source.create_port("acme", network_id=network["id"])
    world.clock.advance(5)
    world.events.run_due()
    assert automatic(source, network) == [("network:dhcp", ["10.0.0.77"]), ("", ["10.0.0.250"])]


def test_ovn_takes_an_address_for_metadata_at_once(target: NeutronService) -> None:
    network = make_network(target, dhcp=True)
    assert automatic(target, network) == [("network:distributed", ["10.0.0.2"])]
    bare = make_network(target, dhcp=False, vlan=102)
    assert automatic(target, bare) == [("network:distributed", [])]
    [subnet] = target.subnets.table.where(network_id=network["id"])
    target.subnets.delete(SERVICE, subnet["id"])
    assert automatic(target, network) == [("network:distributed", [])]
    target.networks.delete(SERVICE, network["id"])
    assert network["id"] not in target.networks.table


def test_nova_binds_uses_and_frees_a_port(source: NeutronService) -> None:
    port = make_port(source, make_network(source))
    assert source.bindings.port_for_boot(port["id"], "acme") is port
    run(source, port)
    assert (port["device_id"], port["device_owner"], port["binding:host_id"]) == ("server", "compute:nova", "source-compute-0")
    for project, status in (("acme", 409), ("other", 409)):
        with pytest.raises(ApiError) as error:
            source.bindings.port_for_boot(port["id"], project)
        assert error.value.status == status
    source.bindings.port_down(port["id"])
    assert (port["status"], port["binding:vif_type"]) == ("DOWN", "ovs")
    source.bindings.unbind_port(port["id"], delete_if_created_by_nova=False)
    assert (port["device_id"], port["device_owner"], port["binding:vif_type"], port["mac_address"]) == ("", "", "unbound", MAC)
    with pytest.raises(ApiError) as wrong:
        source.bindings.port_for_boot(port["id"], "other")
    assert wrong.value.status == 400


def test_a_port_that_is_switched_off_never_comes_up(source: NeutronService) -> None:
    port = make_port(source, make_network(source))
    source.ports.update(SERVICE, port["id"], {"admin_state_up": False})
    source.bindings.bind_port(port["id"], "server", "source-compute-0")
    assert not source.bindings.port_active(port["id"])
    source.ports.update(SERVICE, port["id"], {"admin_state_up": True})
    assert port["status"] == "ACTIVE"


def test_a_dns_name_must_be_the_servers_hostname(source: NeutronService) -> None:
    port = make_port(source, make_network(source))
    source.ports.update(SERVICE, port["id"], {"dns_name": "web"})
    assert source.bindings.port_for_boot(port["id"], "acme", "web") is port
    with pytest.raises(ApiError) as error:
        source.bindings.port_for_boot(port["id"], "acme", "db")
    assert error.value.status == 409


def test_ports_that_nova_made_go_with_the_server(source: NeutronService) -> None:
    network = make_network(source)
    port = source.bindings.create_port_for_nova("acme", network["id"], "10.0.0.50", ["default"])
    assert source.security_groups.require(port["security_groups"][0])["name"] == "default"
    run(source, port)
    source.bindings.unbind_port(port["id"], delete_if_created_by_nova=True)
    source.bindings.unbind_port(port["id"], delete_if_created_by_nova=True)
    assert source.ports.get(port["id"]) is None


def test_addresses_stand_in_the_order_of_the_nics(source: NeutronService) -> None:
    network = make_network(source)
    first, second = make_port(source, network), make_port(source, network, "10.0.0.4", "fa:16:3e:00:11:23")
    for port in (first, second):
        run(source, port)
    addresses = source.bindings.server_addresses("server", [second["id"], first["id"]])
    assert [item["addr"] for item in addresses["blue"]] == ["10.0.0.4", "10.0.0.9"]
    assert addresses["blue"][1]["OS-EXT-IPS-MAC:mac_addr"] == MAC
    assert [item["addr"] for item in source.bindings.server_addresses("server")["blue"]] == ["10.0.0.9", "10.0.0.4"]


def test_an_early_port_on_ovn_swallows_the_traffic_of_a_running_server(
    world: Simulation, source: NeutronService, target: NeutronService
) -> None:
    run(source, make_port(source, make_network(source)))
    make_port(target, make_network(target))
    assert kinds(world) == ["unbound_port_swallows_traffic"]


def test_a_port_on_ovn_after_the_stop_is_right(world: Simulation, source: NeutronService, target: NeutronService) -> None:
    old = make_port(source, make_network(source))
    run(source, old)
    source.bindings.port_down(old["id"])
    new = make_port(target, make_network(target))
    run(target, new)
    assert kinds(world) == []
    target.bindings.unbind_port(new["id"], delete_if_created_by_nova=False)
    source.bindings.port_active(old["id"])
    assert kinds(world) == ["unbound_port_swallows_traffic"]


def test_early_ports_are_harmless_on_ovs_and_on_other_vlans() -> None:
    world = assemble(releases={"source": QUEENS, "target": ANTELOPE})
    source, target = (world.clouds[name].neutron for name in ("source", "target"))
    run(source, make_port(source, make_network(source)))
    make_port(target, make_network(target))
    assert kinds(world) == []
    ovn = assemble(releases={"source": QUEENS, "target": ANTELOPE.with_ml2("ovn")})
    source, target = (ovn.clouds[name].neutron for name in ("source", "target"))
    run(source, make_port(source, make_network(source)))
    make_port(target, make_network(target, vlan=102))
    assert kinds(ovn) == []


def _routed(neutron: NeutronService) -> Row:
    make_network(neutron)
    [subnet] = neutron.subnets.table
    router = neutron.create_router("acme", name="router")
    return neutron.add_router_interface(router["id"], subnet["id"])


def test_two_live_gateways_are_a_violation(world: Simulation, source: NeutronService, target: NeutronService) -> None:
    old = _routed(source)
    source.ports.update(SERVICE, old["id"], {"admin_state_up": False})
    _routed(target)
    assert kinds(world) == []
    source.ports.update(SERVICE, old["id"], {"admin_state_up": True})
    source.ports.update(SERVICE, old["id"], {"name": "again"})
    assert kinds(world) == ["gateway_twice"]


def test_ovn_does_not_switch_off_one_port_of_a_router(world: Simulation, source: NeutronService, target: NeutronService) -> None:
    new = _routed(target)
    target.ports.update(SERVICE, new["id"], {"admin_state_up": False})
    router = target.routers.require(new["device_id"])
    target.routers.update(SERVICE, router["id"], {"admin_state_up": False})
    _routed(source)
    assert kinds(world) == []
    target.routers.update(SERVICE, router["id"], {"admin_state_up": True})
    assert kinds(world) == ["gateway_twice"]


def test_one_external_address_on_two_routers_is_a_violation(world: Simulation, source: NeutronService, target: NeutronService) -> None:
    for neutron in (source, target):
        outside = neutron.create_network("admin", **{"router:external": True})
        neutron.create_subnet("admin", network_id=outside["id"], cidr="203.0.113.0/24", enable_dhcp=False)
        assert kinds(world) == []
        router = neutron.create_router("acme", external_gateway_info={"network_id": outside["id"]})
        chosen = {"network_id": outside["id"], "external_fixed_ips": [{"ip_address": "203.0.113.5"}]}
        neutron.routers.update(SERVICE, router["id"], {"external_gateway_info": chosen})
        neutron.routers.update(SERVICE, router["id"], {"external_gateway_info": None})
        neutron.routers.update(SERVICE, router["id"], {"external_gateway_info": chosen})
    assert kinds(world) == ["external_address_twice"]


def test_a_floating_ip_on_both_clouds_is_a_violation(world: Simulation, source: NeutronService, target: NeutronService) -> None:
    for neutron in (source, target):
        outside = neutron.create_network("admin", **{"router:external": True})
        own = "203.0.113.101" if neutron is source else "203.0.113.201"
        pools = [{"start": own, "end": own}]
        neutron.create_subnet("admin", network_id=outside["id"], cidr="203.0.113.0/24", allocation_pools=pools, enable_dhcp=False)
        network = make_network(neutron, vlan=101 if neutron is source else 102)
        [subnet] = neutron.subnets.table.where(network_id=network["id"])
        router = neutron.create_router("acme", external_gateway_info={"network_id": outside["id"]})
        neutron.add_router_interface(router["id"], subnet["id"])
        port = make_port(neutron, network)
        row = neutron.create_floatingip("acme", floating_network_id=outside["id"], floating_ip_address="203.0.113.9")
        assert kinds(world) == []
        neutron.floatingips.update(SERVICE, row["id"], {"port_id": port["id"]})
    assert kinds(world) == ["floating_ip_twice"]


def test_it_all_survives_a_restart(tmp_path: Path) -> None:
    world = assemble(tmp_path / "state.sqlite")
    network = make_network(world.clouds["source"].neutron, dhcp=True)
    world.close()
    again = assemble(tmp_path / "state.sqlite")
    neutron = again.clouds["source"].neutron
    assert neutron.networks.require(network["id"])["name"] == "blue"
    again.clock.advance(5)
    again.events.run_due()
    assert len(automatic(neutron, network)) == 2
    assert len(neutron.agents.table.where(agent_type="Open vSwitch agent")) == 5


def test_the_digest_does_not_depend_on_when_things_happened(world: Simulation, source: NeutronService) -> None:
    port = make_port(source, make_network(source))
    before = digest(source)
    world.clock.advance(60)
    source.ports.update(SERVICE, port["id"], {"name": "other"})
    assert digest(source) != before
    source.ports.update(SERVICE, port["id"], {"name": ""})
    assert digest(source) == before
