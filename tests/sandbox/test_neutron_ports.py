"""Ports and security groups of Neutron as the real openstacksdk sees them."""

from collections.abc import Iterator
from typing import Any

import pytest
from openstack.connection import Connection
from openstack.exceptions import BadRequestException, ConflictException, ForbiddenException, HttpException, NotFoundException

from tests.sandbox.running import Sandbox
from tests.sandbox.tenant import new_member
from tests.sandbox.test_neutron_networks import kind

MAC = "fa:16:3e:aa:bb:01"


@pytest.fixture(scope="module")
def member(sandbox: Sandbox, target: Connection) -> Connection:
    return new_member(sandbox, target)


@pytest.fixture
def network(target: Connection) -> Iterator[Any]:
    """One with a subnet, 10.0.0.0/24, without DHCP."""
    made = target.network.create_network(name="ports")
    target.network.create_subnet(network_id=made.id, ip_version=4, cidr="10.0.0.0/24", is_dhcp_enabled=False)
    yield made
    for port in target.network.ports(network_id=made.id):
        target.network.delete_port(port)
    target.network.delete_network(made)


def test_a_port_keeps_the_mac_and_addresses_it_is_given(target: Connection, network: Any) -> None:
    wanted = [{"ip_address": "10.0.0.9"}, {"ip_address": "10.0.0.3"}]
    port = target.network.create_port(network_id=network.id, mac_address=MAC.upper(), fixed_ips=wanted, security_groups=[])
    assert port.mac_address == MAC.upper()
    assert [item["ip_address"] for item in port.fixed_ips] == ["10.0.0.9", "10.0.0.3"]
    assert (port.status, port.binding_vif_type, port.security_group_ids) == ("DOWN", "unbound", [])
    assert [found.id for found in target.network.ports(fixed_ips="ip_address=10.0.0.3", network_id=network.id)] == [port.id]
    assert [found.id for found in target.network.ports(mac_address=MAC, network_id=network.id)] == [port.id]


def test_a_mac_and_an_address_exist_once_per_network(target: Connection, network: Any) -> None:
    target.network.create_port(network_id=network.id, mac_address=MAC, fixed_ips=[{"ip_address": "10.0.0.9"}])
    with pytest.raises(ConflictException) as error:
        target.network.create_port(network_id=network.id, mac_address=MAC)
    assert kind(error) == "MacAddressInUse"
    with pytest.raises(ConflictException) as error:
        target.network.create_port(network_id=network.id, fixed_ips=[{"ip_address": "10.0.0.9"}])
    assert kind(error) == "IpAddressAlreadyAllocated"
    with pytest.raises(BadRequestException) as bad:
        target.network.create_port(network_id=network.id, fixed_ips=[{"ip_address": "192.0.2.1"}])
    assert kind(bad) == "InvalidIpForNetwork"


def test_bulk_creation_is_all_or_nothing(target: Connection, network: Any) -> None:
    good = {"network_id": network.id, "fixed_ips": [{"ip_address": "10.0.0.20"}]}
    with pytest.raises(ConflictException):
        list(target.network.create_ports([good, good]))
    assert list(target.network.ports(network_id=network.id)) == []
    made = list(target.network.create_ports([{"network_id": network.id, "name": name} for name in ("a", "b")]))
    assert [port.name for port in made] == ["a", "b"]


def test_groups_and_port_security_go_together(target: Connection, network: Any) -> None:
    default = target.network.create_port(network_id=network.id)
    group = target.network.get_security_group(default.security_group_ids[0])
    assert (group.name, group.project_id) == ("default", target.current_project_id)
    with pytest.raises(ConflictException) as error:
        target.network.update_port(default, is_port_security_enabled=False)
    assert kind(error) == "PortSecurityPortHasSecurityGroup"
    with pytest.raises(BadRequestException):
        target.network.create_port(network_id=network.id, is_port_security_enabled=False, security_groups=[group.id])
    open_ = target.network.create_port(network_id=network.id, is_port_security_enabled=False)
    assert open_.security_group_ids == []
    with pytest.raises(ConflictException):
        target.network.update_port(open_, allowed_address_pairs=[{"ip_address": "10.0.0.200"}])
    pairs = [{"ip_address": "10.0.0.200"}]
    paired = target.network.create_port(network_id=network.id, allowed_address_pairs=pairs)
    assert paired.allowed_address_pairs == [{"ip_address": "10.0.0.200", "mac_address": paired.mac_address}]


def test_carried_attributes_come_back(target: Connection, network: Any) -> None:
    wanted = {
        "name": "nic",
        "description": "first",
        "extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}],
        "binding_vnic_type": "direct",
        "binding_profile": {"trusted": "true"},
        "dns_name": "web",
        "device_id": "here",
        "device_owner": "tenant:vip",
    }
    port = target.network.create_port(network_id=network.id, **wanted)
    assert {name: getattr(port, name) for name in wanted} == wanted
    assert port.dns_assignment[0]["hostname"] == "web"
    changed = target.network.update_port(port, device_id="", device_owner="", binding_host_id="target-compute-1")
    assert (changed.binding_vif_type, changed.binding_host_id) == ("ovs", "target-compute-1")
    assert target.network.update_port(port, binding_host_id="nowhere").binding_vif_type == "binding_failed"


def test_dhcp_options_stay_until_they_are_taken_away(target: Connection, network: Any) -> None:
    option = {"opt_name": "mtu", "opt_value": "1400"}
    port = target.network.create_port(network_id=network.id, extra_dhcp_opts=[option])
    assert port.extra_dhcp_opts == [{**option, "ip_version": 4}]
    second = {"opt_name": "router", "opt_value": "10.0.0.1"}
    changed = target.network.update_port(port, extra_dhcp_opts=[second])
    assert [item["opt_name"] for item in changed.extra_dhcp_opts] == ["mtu", "router"]
    changed = target.network.update_port(port, extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": None}])
    assert [item["opt_name"] for item in changed.extra_dhcp_opts] == ["router"]


def test_a_bound_port_keeps_its_mac(target: Connection, network: Any) -> None:
    port = target.network.create_port(network_id=network.id)
    assert target.network.update_port(port, mac_address=MAC).mac_address == MAC
    target.network.update_port(port, binding_host_id="target-compute-0")
    with pytest.raises(ConflictException) as error:
        target.network.update_port(port, mac_address="fa:16:3e:aa:bb:02")
    assert kind(error) == "PortBound"


def test_an_update_by_subnet_keeps_the_address(target: Connection, network: Any) -> None:
    port = target.network.create_port(network_id=network.id, fixed_ips=[{"ip_address": "10.0.0.77"}])
    subnet_id = port.fixed_ips[0]["subnet_id"]
    same = target.network.update_port(port, fixed_ips=[{"subnet_id": subnet_id}])
    assert same.fixed_ips == [{"subnet_id": subnet_id, "ip_address": "10.0.0.77"}]
    moved = target.network.update_port(port, fixed_ips=[{"ip_address": "10.0.0.78"}])
    assert [item["ip_address"] for item in moved.fixed_ips] == ["10.0.0.78"]


def test_slaac_addresses_follow_the_mac(target: Connection, network: Any) -> None:
    target.network.create_subnet(network_id=network.id, ip_version=6, cidr="fd00:1::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    port = target.network.create_port(network_id=network.id, mac_address=MAC)
    assert port.fixed_ips[1]["ip_address"] == "fd00:1::f816:3eff:feaa:bb01"
    with pytest.raises(BadRequestException) as error:
        target.network.create_port(network_id=network.id, fixed_ips=[{"ip_address": "fd00:1::5"}])
    assert kind(error) == "AllocationOnAutoAddressSubnet"
    with pytest.raises(BadRequestException):
        target.network.create_subnet(network_id=network.id, ip_version=6, cidr="fd00:2::/80", ipv6_address_mode="slaac")


def test_a_tenant_on_a_shared_network(target: Connection, member: Connection) -> None:
    shared = target.network.create_network(name="shared", is_shared=True)
    target.network.create_subnet(network_id=shared.id, ip_version=4, cidr="10.7.0.0/24", is_dhcp_enabled=False)
    port = member.network.create_port(network_id=shared.id)
    assert port.project_id == member.current_project_id
    body = member.network.get(f"/ports/{port.id}").json()["port"]
    assert "binding:host_id" not in body
    assert "binding:vnic_type" in body
    for attributes in ({"mac_address": MAC}, {"fixed_ips": [{"ip_address": "10.7.0.9"}]}, {"device_owner": "network:dhcp"}):
        with pytest.raises(ForbiddenException):
            member.network.create_port(network_id=shared.id, **attributes)
    foreign = target.network.create_port(network_id=shared.id)
    assert member.network.get(f"/ports/{foreign.id}").status_code == 404


def test_the_default_group_appears_with_the_first_look(target: Connection) -> None:
    project = target.identity.create_project(name="untouched")
    [group] = list(target.network.security_groups(project_id=project.id))
    assert group.name == "default"
    rules = {(rule["direction"], rule["ethertype"], rule["remote_group_id"]) for rule in group.security_group_rules}
    own = group.id
    assert rules == {("egress", "IPv4", None), ("egress", "IPv6", None), ("ingress", "IPv4", own), ("ingress", "IPv6", own)}
    with pytest.raises(ConflictException):
        target.network.create_security_group(name="default", project_id=project.id)
    with pytest.raises(ConflictException):
        target.network.update_security_group(group, name="other")


def test_rules_that_mean_the_same_are_duplicates(target: Connection) -> None:
    group = target.network.create_security_group(name="web")
    assert {rule["direction"] for rule in group.security_group_rules} == {"egress"}

    def allow(**attributes: Any) -> Any:
        return target.network.create_security_group_rule(security_group_id=group.id, direction="ingress", **attributes)

    rule = allow(protocol="tcp", port_range_min=80, port_range_max=80, remote_ip_prefix="10.0.0.0/8")
    assert (rule.protocol, rule.remote_ip_prefix, rule.ether_type) == ("tcp", "10.0.0.0/8", "IPv4")
    with pytest.raises(ConflictException) as error:
        allow(protocol="6", port_range_min=80, port_range_max=80, remote_ip_prefix="10.0.0.0/8")
    assert kind(error) == "SecurityGroupRuleExists"
    allow(protocol="udp")
    with pytest.raises(ConflictException):
        allow(protocol="udp", remote_ip_prefix="0.0.0.0/0")
    target.network.delete_security_group_rule(rule)
    assert target.network.get_security_group(group.id).revision_number == 3


@pytest.mark.parametrize(
    "attributes",
    [
        {"port_range_min": 80, "port_range_max": 80},
        {"protocol": "tcp", "port_range_min": 90, "port_range_max": 80},
        {"protocol": "carrier-pigeon"},
        {"protocol": "icmp", "port_range_max": 3},
        {"remote_ip_prefix": "fd00::/64"},
        {"remote_ip_prefix": "10.0.0.0/99"},
    ],
)
def test_rules_that_make_no_sense(target: Connection, attributes: dict[str, Any]) -> None:
    group = target.network.find_security_group("default", project_id=target.current_project_id)
    with pytest.raises(BadRequestException):
        target.network.create_security_group_rule(security_group_id=group.id, direction="ingress", **attributes)


def test_a_group_in_use_stays(target: Connection, network: Any) -> None:
    group, peer = (target.network.create_security_group(name=name) for name in ("used", "peer"))
    rule = target.network.create_security_group_rule(security_group_id=peer.id, direction="ingress", remote_group_id=group.id)
    port = target.network.create_port(network_id=network.id, security_groups=[group.id])
    with pytest.raises(ConflictException) as error:
        target.network.delete_security_group(group)
    assert kind(error) == "SecurityGroupInUse"
    target.network.delete_port(port)
    target.network.delete_security_group(group)
    with pytest.raises(NotFoundException):
        target.network.get_security_group_rule(rule.id)


def test_groups_that_do_not_exist(target: Connection, network: Any) -> None:
    with pytest.raises(HttpException) as error:
        target.network.create_port(network_id=network.id, security_groups=["4a7d1e0c-0000-0000-0000-000000000000"])
    assert (error.value.status_code, kind(error)) == (404, "SecurityGroupNotFound")
