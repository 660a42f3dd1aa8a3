"""Routers and floating IPs of Neutron as the real openstacksdk sees them."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection
from openstack.exceptions import BadRequestException, ConflictException, ForbiddenException, NotFoundException

from tests.sandbox.running import Sandbox
from tests.sandbox.tenant import new_member
from tests.sandbox.test_neutron_networks import kind


@pytest.fixture(scope="module")
def member(sandbox: Sandbox, target: Connection) -> Connection:
    return new_member(sandbox, target)


@pytest.fixture(scope="module")
def outside(target: Connection) -> Any:
    """An external network, 203.0.113.0/24, of whose addresses .10 to .19 are handed out."""
    made = target.network.create_network(name="outside", is_router_external=True)
    pools = [{"start": "203.0.113.10", "end": "203.0.113.19"}]
    target.network.create_subnet(network_id=made.id, ip_version=4, cidr="203.0.113.0/24", allocation_pools=pools, is_dhcp_enabled=False)
    return made


@dataclass
class Segment:
    network: Any
    subnet: Any
    router: Any


@pytest.fixture
def segment(target: Connection, outside: Any) -> Segment:
    """A network with a subnet, 10.0.0.0/24, behind a router to the outside."""
    network = target.network.create_network(name="inside")
    subnet = target.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.0.0.0/24", is_dhcp_enabled=False)
    router = target.network.create_router(name="router", external_gateway_info={"network_id": outside.id})
    target.network.add_interface_to_router(router, subnet_id=subnet.id)
    return Segment(network, subnet, router)


@pytest.fixture(autouse=True)
def clean(target: Connection) -> Any:
    yield
    for floatingip in target.network.ips():
        target.network.delete_ip(floatingip)
    for router in target.network.routers():
        target.network.put(f"/routers/{router.id}", json={"router": {"routes": []}})
        for port in target.network.ports(device_id=router.id, device_owner="network:router_interface"):
            target.network.remove_interface_from_router(router, port_id=port.id)
        target.network.delete_router(router)


def interface(target: Connection, router: Any) -> Any:
    [port] = list(target.network.ports(device_id=router.id, device_owner="network:router_interface"))
    return port


def wait_for(target: Connection, port: Any, status: str) -> None:
    for _ in range(100):
        if target.network.get_port(port.id).status == status:
            return
        time.sleep(0.02)
    raise AssertionError(f"{port.id} did not become {status}")


def test_an_interface_by_port_keeps_mac_and_address(target: Connection, segment: Segment) -> None:
    target.network.remove_interface_from_router(segment.router, subnet_id=segment.subnet.id)
    assert list(target.network.ports(device_id=segment.router.id, device_owner="network:router_interface")) == []
    port = target.network.create_port(
        network_id=segment.network.id, mac_address="fa:16:3e:01:02:03", fixed_ips=[{"ip_address": "10.0.0.1"}], security_groups=[]
    )
    answer = target.network.add_interface_to_router(segment.router, port_id=port.id)
    assert (answer["port_id"], answer["subnet_id"]) == (port.id, segment.subnet.id)
    attached = interface(target, segment.router)
    assert (attached.id, attached.mac_address, attached.fixed_ips[0]["ip_address"]) == (port.id, "fa:16:3e:01:02:03", "10.0.0.1")
    wait_for(target, attached, "ACTIVE")
    with pytest.raises(ConflictException) as error:
        target.network.delete_port(port.id, ignore_missing=False)
    assert kind(error) == "ServicePortInUse"
    target.network.remove_interface_from_router(segment.router, port_id=port.id)
    with pytest.raises(NotFoundException):
        target.network.get_port(port.id)


def test_an_interface_can_be_switched_off_and_on(target: Connection, segment: Segment) -> None:
    port = interface(target, segment.router)
    wait_for(target, port, "ACTIVE")
    assert target.network.update_port(port, is_admin_state_up=False).status == "DOWN"
    assert target.network.update_port(port, is_admin_state_up=True).status == "ACTIVE"


def test_interfaces_that_cannot_be(target: Connection, segment: Segment) -> None:
    with pytest.raises(BadRequestException, match="already has a port on subnet"):
        target.network.add_interface_to_router(segment.router, subnet_id=segment.subnet.id)
    network = target.network.create_network(name="second")
    bare = target.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.1.0.0/24", gateway_ip=None)
    with pytest.raises(BadRequestException, match="must have a gateway IP"):
        target.network.add_interface_to_router(segment.router, subnet_id=bare.id)
    overlapping = target.network.create_network(name="third")
    same = target.network.create_subnet(network_id=overlapping.id, ip_version=4, cidr="10.0.0.0/16")
    with pytest.raises(BadRequestException, match="overlaps"):
        target.network.add_interface_to_router(segment.router, subnet_id=same.id)
    with pytest.raises(NotFoundException):
        target.network.remove_interface_from_router(segment.router, subnet_id=bare.id)
    used = target.network.create_port(network_id=network.id, device_id="somebody")
    with pytest.raises(ConflictException):
        target.network.add_interface_to_router(segment.router, port_id=used.id)


def test_routes_need_a_next_hop_that_is_attached(target: Connection, segment: Segment) -> None:
    route = {"destination": "192.168.0.0/16", "nexthop": "10.0.0.200"}
    changed = target.network.update_router(segment.router, routes=[route])
    assert changed.routes == [route]
    for nexthop in ("172.16.0.1", "10.0.0.1"):
        with pytest.raises(BadRequestException) as bad:
            target.network.update_router(segment.router, routes=[{**route, "nexthop": nexthop}])
        assert kind(bad) == "InvalidRoutes"
    with pytest.raises(ConflictException) as error:
        target.network.remove_interface_from_router(segment.router, subnet_id=segment.subnet.id)
    assert kind(error) == "RouterInterfaceInUseByRoute"
    with pytest.raises(ConflictException) as error:
        target.network.delete_router(segment.router)
    assert kind(error) == "RouterInUse"


def test_a_gateway_has_an_address_that_an_administrator_may_choose(
    target: Connection, member: Connection, outside: Any, segment: Segment
) -> None:
    chosen = {"network_id": outside.id, "enable_snat": False, "external_fixed_ips": [{"ip_address": "203.0.113.250"}]}
    info = target.network.update_router(segment.router, external_gateway_info=chosen).external_gateway_info
    assert (info["enable_snat"], info["external_fixed_ips"][0]["ip_address"]) == (False, "203.0.113.250")
    assert target.network.update_router(segment.router, external_gateway_info={}).external_gateway_info is None
    assert list(target.network.ports(device_owner="network:router_gateway")) == []
    own = member.network.create_router(name="own", external_gateway_info={"network_id": outside.id})
    assert own.external_gateway_info["external_fixed_ips"][0]["ip_address"].startswith("203.0.113.1")
    with pytest.raises(ForbiddenException):
        member.network.update_router(own, external_gateway_info=chosen)
    with pytest.raises(BadRequestException):
        target.network.update_router(segment.router, external_gateway_info={"network_id": segment.network.id})


def test_a_floating_ip_is_reserved_then_associated(target: Connection, outside: Any, segment: Segment) -> None:
    reserved = target.network.create_ip(floating_network_id=outside.id, floating_ip_address="203.0.113.99")
    assert (reserved.floating_ip_address, reserved.status, reserved.port_id) == ("203.0.113.99", "DOWN", None)
    with pytest.raises(ConflictException) as error:
        target.network.create_ip(floating_network_id=outside.id, floating_ip_address="203.0.113.99")
    assert kind(error) == "IpAddressAlreadyAllocated"
    port = target.network.create_port(network_id=segment.network.id)
    used = target.network.update_ip(reserved, port_id=port.id)
    assert (used.router_id, used.fixed_ip_address) == (segment.router.id, port.fixed_ips[0]["ip_address"])
    with pytest.raises(ConflictException) as error:
        target.network.remove_interface_from_router(segment.router, subnet_id=segment.subnet.id)
    assert kind(error) == "RouterInterfaceInUseByFloatingIP"
    with pytest.raises(ConflictException) as error:
        target.network.update_router(segment.router, external_gateway_info={})
    assert kind(error) == "RouterExternalGatewayInUseByFloatingIp"
    second = target.network.create_ip(floating_network_id=outside.id)
    with pytest.raises(ConflictException) as error:
        target.network.update_ip(second, port_id=port.id)
    assert kind(error) == "FloatingIPPortAlreadyAssociated"
    free = target.network.update_ip(reserved, port_id=None)
    assert (free.status, free.router_id, free.fixed_ip_address) == ("DOWN", None, None)


def test_a_floating_ip_needs_a_router_in_between(target: Connection, outside: Any) -> None:
    network = target.network.create_network(name="island")
    target.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.9.0.0/24")
    port = target.network.create_port(network_id=network.id)
    floatingip = target.network.create_ip(floating_network_id=outside.id)
    with pytest.raises(NotFoundException) as error:
        target.network.update_ip(floatingip, port_id=port.id)
    assert kind(error) == "ExternalGatewayForFloatingIPNotFound"
    with pytest.raises(BadRequestException):
        target.network.create_ip(floating_network_id=network.id)


def test_a_port_that_goes_frees_its_floating_ip(target: Connection, outside: Any, segment: Segment) -> None:
    port = target.network.create_port(network_id=segment.network.id)
    floatingip = target.network.create_ip(floating_network_id=outside.id, port_id=port.id)
    target.network.delete_port(port)
    assert target.network.get_ip(floatingip.id).port_id is None


def test_a_tenant_takes_what_the_pool_gives(member: Connection, outside: Any) -> None:
    with pytest.raises(ForbiddenException):
        member.network.create_ip(floating_network_id=outside.id, floating_ip_address="203.0.113.98")
    made = [member.network.create_ip(floating_network_id=outside.id) for _ in range(10)]
    assert {floatingip.floating_ip_address for floatingip in made} == {f"203.0.113.{n}" for n in range(10, 20)}
    with pytest.raises(ConflictException) as error:
        member.network.create_ip(floating_network_id=outside.id)
    assert kind(error) == "IpAddressGenerationFailure"


def test_the_openstack_client_reads_it_all(sandbox: Sandbox, segment: Segment) -> None:
    def run(*words: str) -> Any:
        command = [str(Path(sys.executable).with_name("openstack")), "--os-cloud", "target-admin", *words, "-f", "json"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, env=sandbox.environment()).stdout)

    shown = run("router", "show", "router")
    assert shown["interfaces_info"][0]["ip_address"] == "10.0.0.1"
    owners = [row["Fixed IP Addresses"][0]["ip_address"] for row in run("port", "list", "--router", "router")]
    assert sorted(owners) == ["10.0.0.1", "203.0.113.10"]
