"""Neutron: ports and security groups."""

import random
from typing import Any

import pytest

from tests.contract.coverage import covers
from tests.contract.ground import NOWHERE, Ground
from tests.contract.test_networks import refused


def mac() -> str:
    return "fa:16:3e:" + ":".join(f"{random.randrange(256):02x}" for _ in range(3))


@covers("network.create port", "network.ports", "network.port", "network.update port", "network.set_tags port", "network.delete port")
def test_a_port_with_the_mac_and_addresses_that_are_wanted(ground: Ground) -> None:
    network, (net, subnet), wanted = ground.cloud.network, ground.network(), mac()
    group = ground.security_group()["id"]
    body = {
        "project_id": ground.project_id,
        "network_id": net,
        "name": ground.name("port"),
        "description": "d",
        "mac_address": wanted.upper(),
        "fixed_ips": [{"subnet_id": subnet, "ip_address": "10.77.0.90"}, {"subnet_id": subnet, "ip_address": "10.77.0.30"}],
        "security_groups": [group],
        "port_security_enabled": True,
        "allowed_address_pairs": [{"ip_address": "10.77.0.200"}, {"ip_address": "10.99.0.0/16", "mac_address": mac()}],
        "extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}],
        "binding:vnic_type": "normal",
        "admin_state_up": True,
    }
    id = network.create("port", body)
    network.set_tags("port", id, ["millpond=3"])
    [found] = [one for one in network.ports(ground.project_id) if one.id == id]
    assert (found.mac_address, found.name, found.description, found.admin_state_up) == (wanted.upper(), body["name"], "d", True)
    assert {one.ip_address for one in found.fixed_ips} == {"10.77.0.90", "10.77.0.30"}
    assert (found.security_groups, found.port_security_enabled, found.vnic_type, found.tags) == ((group,), True, "normal", ("millpond=3",))
    assert {one.ip_address for one in found.allowed_address_pairs} == {"10.77.0.200", "10.99.0.0/16"}
    assert {one.mac_address.lower() for one in found.allowed_address_pairs if one.ip_address == "10.77.0.200"} == {wanted}
    assert [(one.opt_name, one.opt_value, one.ip_version) for one in found.extra_dhcp_opts] == [("mtu", "1400", 4)]
    assert (found.device_id, found.device_owner, found.host_id, found.status) == ("", "", "", "DOWN")
    again = {"network_id": net, "project_id": ground.project_id, "mac_address": wanted}
    refused(ground, 409, "MacAddressInUse", "POST", "/ports", {"port": again})
    network.update("port", id, {"admin_state_up": False, "security_groups": [], "allowed_address_pairs": []})
    [changed] = [one for one in network.ports(ground.project_id, [net]) if one.id == id]
    assert (changed.admin_state_up, changed.security_groups, changed.allowed_address_pairs) == (False, (), ())
    assert network.port(id) == changed
    network.delete("port", id)
    assert network.port(id) is None
    refused(ground, 404, "PortNotFound", "DELETE", f"/ports/{id}")


def test_a_mac_and_an_address_exist_once_in_a_network(ground: Ground) -> None:
    (net, subnet), (other, _), wanted = ground.network(), ground.network(), mac()
    address = [{"subnet_id": subnet, "ip_address": "10.77.0.50"}]
    ground.port(network_id=net, mac_address=wanted, fixed_ips=address)
    body: dict[str, Any] = {"network_id": net, "project_id": ground.project_id}
    said = refused(ground, 409, "MacAddressInUse", "POST", "/ports", {"port": {**body, "mac_address": wanted}})
    assert said == f"Unable to complete operation for network {net}. The mac address {wanted} is in use."
    said = refused(ground, 409, "IpAddressAlreadyAllocated", "POST", "/ports", {"port": {**body, "fixed_ips": address}})
    assert said == f"IP address 10.77.0.50 already allocated in subnet {subnet}"
    ground.port(network_id=other, mac_address=wanted)


@pytest.mark.parametrize(
    ("fields", "status", "type"),
    [
        ({"fixed_ips": [{"ip_address": "192.0.2.1"}]}, 400, "InvalidIpForNetwork"),
        ({"fixed_ips": [{"subnet_id": NOWHERE}]}, 404, "SubnetNotFound"),
        ({"security_groups": [NOWHERE]}, 404, "SecurityGroupNotFound"),
        ({"network_id": NOWHERE}, 404, "NetworkNotFound"),
        ({"mac_address": "nonsense"}, 400, "HTTPBadRequest"),
        (
            {"port_security_enabled": False, "allowed_address_pairs": [{"ip_address": "10.77.0.9"}]},
            409,
            "AddressPairAndPortSecurityRequired",
        ),
        ({"colour": "red"}, 400, "HTTPBadRequest"),
    ],
)
def test_ports_that_cannot_be(ground: Ground, fields: dict[str, Any], status: int, type: str) -> None:
    body = {"network_id": ground.shared_network[0], "project_id": ground.project_id, **fields}
    refused(ground, status, type, "POST", "/ports", {"port": body})


def test_a_subnet_that_is_full(ground: Ground) -> None:
    net = ground.admin.done("POST", "network", "/networks", {"network": ground.vlan()})["network"]["id"]
    ground.subnet(net, allocation_pools=[{"start": "10.77.0.20", "end": "10.77.0.20"}])
    ground.port(network_id=net)
    body = {"network_id": net, "project_id": ground.project_id}
    refused(ground, 409, "IpAddressGenerationFailure", "POST", "/ports", {"port": body})


def test_a_new_port_is_in_the_default_group_unless_told_otherwise(ground: Ground) -> None:
    [default] = ground.admin.done("GET", "network", "/security-groups", project_id=ground.project_id, name="default")["security_groups"]
    assert ground.port()["security_groups"] == [default["id"]]
    assert ground.port(security_groups=[])["security_groups"] == []
    open_ = ground.port(security_groups=[], port_security_enabled=False)
    assert (open_["port_security_enabled"], open_["security_groups"]) == (False, [])


def test_port_security_goes_off_after_the_groups(ground: Ground) -> None:
    path = f"/ports/{ground.port()['id']}"
    refused(ground, 409, "PortSecurityPortHasSecurityGroup", "PUT", path, {"port": {"port_security_enabled": False}})
    ground.admin.done("PUT", "network", path, {"port": {"port_security_enabled": False, "security_groups": []}})


def test_a_bound_port_keeps_its_mac(ground: Ground) -> None:
    port = ground.port()
    changed = ground.admin.done("PUT", "network", f"/ports/{port['id']}", {"port": {"mac_address": mac()}})["port"]
    assert changed["mac_address"] != port["mac_address"]
    ground.boot([ground.volume(bootable=True)], [port["id"]])
    refused(ground, 409, "PortBound", "PUT", f"/ports/{port['id']}", {"port": {"mac_address": mac()}})


def test_the_tenant_touches_its_own_ports_only(ground: Ground) -> None:
    id = ground.port()["id"]
    assert ground.stranger.get("network", f"/ports/{id}").status == 404
    assert ground.stranger.call("DELETE", "network", f"/ports/{id}").status == 404
    answer = ground.member.call("PUT", "network", f"/ports/{id}", {"port": {"binding:host_id": "here"}})
    assert (answer.status, answer.type) == (403, "PolicyNotAuthorized")
    assert "binding:host_id" not in ground.member.done("GET", "network", f"/ports/{id}")["port"]
    assert ground.member.call("DELETE", "network", f"/ports/{id}").status == 204


@covers(
    "network.create security_group",
    "network.create security_group_rule",
    "network.security_groups",
    "network.update security_group",
    "network.set_tags security_group",
    "network.delete security_group_rule",
    "network.delete security_group",
)
def test_a_security_group_and_its_rules(ground: Ground) -> None:
    network = ground.cloud.network
    body = {"project_id": ground.project_id, "name": ground.name("group"), "description": "d"}
    id = network.create("security_group", body)
    network.set_tags("security_group", id, ["millpond=4"])
    rule = {"security_group_id": id, "project_id": ground.project_id, "direction": "ingress", "ethertype": "IPv4"}
    made = network.create(
        "security_group_rule", {**rule, "protocol": "tcp", "port_range_min": 80, "port_range_max": 81, "remote_group_id": id}
    )
    network.create("security_group_rule", {**rule, "protocol": "icmp", "description": "ping"})
    network.create("security_group_rule", {**rule, "protocol": "112", "remote_ip_prefix": "10.0.0.0/8"})
    network.update("security_group", id, {"name": body["name"] + "-x", "description": ""})
    [found] = [one for one in network.security_groups(ground.project_id) if one.id == id]
    assert (found.name, found.description, found.tags, found.stateful) == (body["name"] + "-x", "", ("millpond=4",), True)
    egress = sorted(one.ethertype for one in found.rules if one.direction == "egress")
    assert egress == ["IPv4", "IPv6"]
    by_protocol = {one.protocol: one for one in found.rules if one.direction == "ingress"}
    assert (by_protocol["tcp"].port_range_min, by_protocol["tcp"].port_range_max, by_protocol["tcp"].remote_group_id) == (80, 81, id)
    assert by_protocol["icmp"].description == "ping"
    assert by_protocol["112"].remote_ip_prefix == "10.0.0.0/8"
    said = refused(
        ground, 409, "SecurityGroupRuleExists", "POST", "/security-group-rules", {"security_group_rule": {**rule, "protocol": "icmp"}}
    )
    assert "already exists" in said
    network.delete("security_group_rule", made)
    refused(ground, 404, "SecurityGroupRuleNotFound", "DELETE", f"/security-group-rules/{made}")
    port = ground.port(security_groups=[id])["id"]
    refused(ground, 409, "SecurityGroupInUse", "DELETE", f"/security-groups/{id}")
    ground.admin.done("DELETE", "network", f"/ports/{port}")
    network.delete("security_group", id)
    refused(ground, 404, "SecurityGroupNotFound", "DELETE", f"/security-groups/{id}")


def test_every_project_has_a_default_group_that_stays(ground: Ground) -> None:
    project = ground.new_project("groups")
    [default] = ground.provider.network.security_groups(project)
    assert default.name == "default"
    assert {(one.direction, one.ethertype, one.remote_group_id) for one in default.rules} == {
        ("egress", "IPv4", ""),
        ("egress", "IPv6", ""),
        ("ingress", "IPv4", default.id),
        ("ingress", "IPv6", default.id),
    }
    path = f"/security-groups/{default.id}"
    body = {"name": "default", "project_id": project}
    refused(ground, 409, "SecurityGroupDefaultAlreadyExists", "POST", "/security-groups", {"security_group": body})
    ground.provider.network.update("security_group", default.id, {"description": "mine"})
    refused(ground, 409, "SecurityGroupCannotUpdateDefault", "PUT", path, {"security_group": {"name": "other"}})


@pytest.mark.parametrize(
    ("fields", "status", "type"),
    [
        ({"protocol": "tcp", "port_range_min": 9, "port_range_max": 8}, 400, "SecurityGroupInvalidPortRange"),
        ({"port_range_min": 8, "port_range_max": 9}, 400, "SecurityGroupProtocolRequiredWithPorts"),
        ({"remote_ip_prefix": "fd00::/64"}, 400, "SecurityGroupRuleParameterConflict"),
        ({"remote_group_id": NOWHERE}, 404, "SecurityGroupNotFound"),
        ({"security_group_id": NOWHERE}, 404, "SecurityGroupNotFound"),
        ({"direction": "sideways"}, 400, "HTTPBadRequest"),
    ],
)
def test_rules_that_cannot_be(ground: Ground, fields: dict[str, Any], status: int, type: str) -> None:
    group = ground.once("group", lambda: ground.security_group())["id"]
    body = {"security_group_id": group, "project_id": ground.project_id, "direction": "ingress", "ethertype": "IPv4", **fields}
    refused(ground, status, type, "POST", "/security-group-rules", {"security_group_rule": body})
