"""Neutron: networks, subnets, lists and their filters, tags, quotas."""

from typing import Any

import pytest

from tests.contract.coverage import covers
from tests.contract.ground import NOWHERE, Ground

POOLS = [{"start": "10.77.0.20", "end": "10.77.0.29"}]


def refused(ground: Ground, status: int, type: str, method: str, path: str, body: Any = None) -> str:
    answer = ground.admin.call(method, "network", path, body)
    assert (answer.status, answer.type) == (status, type), answer.body
    return answer.message


@covers("network.create network", "network.networks", "network.update network", "network.set_tags network", "network.delete network")
def test_a_network_on_a_vlan_of_the_providers(ground: Ground) -> None:
    network = ground.cloud.network
    body = ground.vlan(description="d", mtu=1450, admin_state_up=True, port_security_enabled=True)
    id = network.create("network", body)
    network.set_tags("network", id, ["millpond=1", "prod"])
    network.update("network", id, {"name": body["name"] + "-x", "description": "", "admin_state_up": False})
    [found] = [one for one in network.networks(ground.project_id) if one.id == id]
    assert (found.name, found.description, found.admin_state_up, found.project_id) == (body["name"] + "-x", "", False, ground.project_id)
    assert (found.network_type, found.physical_network, found.segmentation_id) == (
        "vlan",
        body["provider:physical_network"],
        body["provider:segmentation_id"],
    )
    assert (found.mtu, found.port_security_enabled, found.shared, found.external) == (1450, True, False, False)
    assert found.tags == ("millpond=1", "prod")
    network.set_tags("network", id, [])
    assert ground.admin.done("GET", "network", f"/networks/{id}")["network"]["tags"] == []
    network.delete("network", id)
    refused(ground, 404, "NetworkNotFound", "GET", f"/networks/{id}")
    refused(ground, 404, "NetworkNotFound", "DELETE", f"/networks/{id}")


def test_a_vlan_holds_one_network(ground: Ground) -> None:
    body = ground.vlan()
    ground.admin.done("POST", "network", "/networks", {"network": body})
    refused(ground, 409, "VlanIdInUse", "POST", "/networks", {"network": body})


def test_an_unknown_physical_network(ground: Ground) -> None:
    body = ground.vlan(**{"provider:physical_network": "nowhere"})
    refused(ground, 400, "InvalidInput", "POST", "/networks", {"network": body})


def test_provider_attributes_are_the_administrators(ground: Ground) -> None:
    body = ground.vlan()
    answer = ground.member.call("POST", "network", "/networks", {"network": body})
    assert (answer.status, answer.type) == (403, "PolicyNotAuthorized")
    id = ground.shared_network[0]
    assert "provider:segmentation_id" not in ground.member.done("GET", "network", f"/networks/{id}")["network"]
    assert ground.stranger.get("network", f"/networks/{id}").status == 404


def test_an_unknown_attribute_is_400(ground: Ground) -> None:
    said = refused(ground, 400, "HTTPBadRequest", "POST", "/networks", {"network": ground.vlan(colour="red")})
    assert "colour" in said
    refused(ground, 400, "HTTPBadRequest", "PUT", f"/networks/{ground.shared_network[0]}", {"network": {"colour": "red"}})


@covers("network.create subnet", "network.subnets", "network.update subnet", "network.set_tags subnet", "network.delete subnet")
def test_a_subnet_with_a_narrow_pool_that_is_opened_later(ground: Ground) -> None:
    network = ground.cloud.network
    net = network.create("network", ground.vlan())
    body: dict[str, Any] = {
        "network_id": net,
        "project_id": ground.project_id,
        "name": ground.name("subnet"),
        "description": "d",
        "cidr": "10.77.0.0/24",
        "ip_version": 4,
        "gateway_ip": "10.77.0.1",
        "enable_dhcp": False,
        "dns_nameservers": ["9.9.9.9", "1.1.1.1"],
        "host_routes": [{"destination": "192.168.7.0/24", "nexthop": "10.77.0.254"}],
        "allocation_pools": POOLS,
    }
    id = network.create("subnet", body)
    network.set_tags("subnet", id, ["millpond=2"])
    [found] = network.subnets(ground.project_id, [net])
    assert (found.id, found.name, found.cidr, found.gateway_ip, found.enable_dhcp) == (id, body["name"], "10.77.0.0/24", "10.77.0.1", False)
    assert found.dns_nameservers == ("9.9.9.9", "1.1.1.1")
    assert [(one.destination, one.nexthop) for one in found.host_routes] == [("192.168.7.0/24", "10.77.0.254")]
    assert [(one.start, one.end) for one in found.allocation_pools] == [("10.77.0.20", "10.77.0.29")]
    assert (found.ipv6_address_mode, found.ipv6_ra_mode, found.tags) == ("", "", ("millpond=2",))
    taken = ground.port(network_id=net)
    assert taken["fixed_ips"][0]["ip_address"].startswith("10.77.0.2")
    outside = ground.port(network_id=net, fixed_ips=[{"subnet_id": id, "ip_address": "10.77.0.200"}])
    assert outside["fixed_ips"] == [{"subnet_id": id, "ip_address": "10.77.0.200"}]
    wide = [{"start": "10.77.0.10", "end": "10.77.0.99"}, {"start": "10.77.0.150", "end": "10.77.0.210"}]
    network.update("subnet", id, {"allocation_pools": wide, "gateway_ip": None, "host_routes": [], "dns_nameservers": []})
    [changed] = [one for one in network.subnets(ground.project_id) if one.id == id]
    assert sorted((one.start, one.end) for one in changed.allocation_pools) == [
        ("10.77.0.10", "10.77.0.99"),
        ("10.77.0.150", "10.77.0.210"),
    ]
    assert (changed.gateway_ip, changed.host_routes, changed.dns_nameservers) == ("", (), ())
    refused(ground, 409, "SubnetInUse", "DELETE", f"/subnets/{id}")
    refused(ground, 409, "NetworkInUse", "DELETE", f"/networks/{net}")
    for port in (taken, outside):
        ground.admin.done("DELETE", "network", f"/ports/{port['id']}")
    network.delete("subnet", id)
    refused(ground, 404, "SubnetNotFound", "DELETE", f"/subnets/{id}")
    network.delete("network", net)


def test_a_subnet_of_ipv6_keeps_its_modes(ground: Ground) -> None:
    net = ground.admin.done("POST", "network", "/networks", {"network": ground.vlan()})["network"]["id"]
    modes = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    id = ground.subnet(net, cidr="fd00:77::/64", ip_version=6, enable_dhcp=True, **modes)
    [found] = ground.provider.network.subnets(ground.project_id, [net])
    assert (found.id, found.ipv6_ra_mode, found.ipv6_address_mode) == (id, "slaac", "slaac")
    body = {"network_id": net, "project_id": ground.project_id, "fixed_ips": [{"subnet_id": id, "ip_address": "fd00:77::5"}]}
    refused(ground, 400, "AllocationOnAutoAddressSubnet", "POST", "/ports", {"port": body})
    port = ground.port(network_id=net, mac_address="fa:16:3e:00:11:22", fixed_ips=[{"subnet_id": id}])
    assert port["fixed_ips"][0]["ip_address"] == "fd00:77::f816:3eff:fe00:1122"
    refused(ground, 400, "HTTPBadRequest", "PUT", f"/subnets/{id}", {"subnet": {"ipv6_ra_mode": "dhcpv6-stateful"}})


@pytest.mark.parametrize(
    ("fields", "status", "type"),
    [
        ({"cidr": "10.77.0.0/25"}, 400, "InvalidInput"),
        ({"cidr": "10.78.0.0/24", "allocation_pools": [{"start": "10.79.0.1", "end": "10.79.0.9"}]}, 400, "OutOfBoundsAllocationPool"),
        (
            {"cidr": "10.78.0.0/24", "gateway_ip": "10.78.0.5", "allocation_pools": [{"start": "10.78.0.2", "end": "10.78.0.9"}]},
            409,
            "GatewayConflictWithAllocationPools",
        ),
        ({"cidr": "10.78.0.0/24", "network_id": NOWHERE}, 404, "NetworkNotFound"),
        ({"cidr": "nonsense"}, 400, "InvalidInput"),
    ],
)
def test_subnets_that_cannot_be(ground: Ground, fields: dict[str, Any], status: int, type: str) -> None:
    body = {"network_id": ground.shared_network[0], "project_id": ground.project_id, "ip_version": 4, **fields}
    refused(ground, status, type, "POST", "/subnets", {"subnet": body})


def test_host_bits_of_a_prefix_are_dropped(ground: Ground) -> None:
    net = ground.admin.done("POST", "network", "/networks", {"network": ground.vlan()})["network"]["id"]
    id = ground.subnet(net, cidr="10.78.0.9/24")
    assert ground.admin.done("GET", "network", f"/subnets/{id}")["subnet"]["cidr"] == "10.78.0.0/24"


@covers("network.networks", "network.subnets")
def test_shared_and_external_networks_are_seen_by_all(ground: Ground) -> None:
    external = ground.external_network
    found = {one.id: one for one in ground.cloud.network.networks(ground.other_project_id)}
    assert found[external["id"]].external is True
    assert ground.shared_network[0] not in found
    subnets = ground.cloud.network.subnets(ground.other_project_id)
    assert set(external["subnets"]) <= {one.id for one in subnets}
    assert ground.shared_network[1] not in {one.id for one in subnets}


def test_lists_are_filtered(ground: Ground) -> None:
    net, subnet = ground.network()
    one = ground.port(network_id=net, name=ground.name("one"), fixed_ips=[{"subnet_id": subnet, "ip_address": "10.77.0.7"}])
    two = ground.port(network_id=net, device_id="contract-device")
    other, _ = ground.network()
    three = ground.port(network_id=other)

    def ids(**query: Any) -> set[str]:
        return {row["id"] for row in ground.admin.done("GET", "network", "/ports", **query)["ports"]} & {one["id"], two["id"], three["id"]}

    assert ids(network_id=net) == {one["id"], two["id"]}
    assert ids(network_id=[net, other]) == {one["id"], two["id"], three["id"]}
    assert ids(name=one["name"]) == {one["id"]}
    assert ids(network_id=net, device_id="contract-device") == {two["id"]}
    assert ids(fixed_ips="ip_address=10.77.0.7", network_id=net) == {one["id"]}
    assert ids(mac_address=one["mac_address"]) == {one["id"]}
    assert ids(project_id=ground.other_project_id) == set()
    [row] = ground.admin.done("GET", "network", "/ports", name=one["name"], fields="id")["ports"]
    assert row == {"id": one["id"]}


def test_tags_narrow_a_list(ground: Ground) -> None:
    tags = [ground.name("tag") for _ in range(3)]
    ports = [ground.port()["id"] for _ in range(3)]
    for id, some in zip(ports, (tags[:2], tags[1:2], tags[2:]), strict=True):
        ground.admin.done("PUT", "network", f"/ports/{id}/tags", {"tags": some})

    def found(**query: str) -> set[int]:
        rows = ground.admin.done("GET", "network", "/ports", project_id=ground.project_id, **query)["ports"]
        return {ports.index(row["id"]) for row in rows if row["id"] in ports}

    assert found(tags=tags[1]) == {0, 1}
    assert found(tags=",".join(tags[:2])) == {0}
    assert found(**{"tags-any": f"{tags[0]},{tags[2]}"}) == {0, 2}
    assert found(**{"not-tags": tags[1]}) == {2}
    assert found(**{"not-tags-any": f"{tags[0]},{tags[2]}"}) == {1}
    absent = ground.admin.call("PUT", "network", f"/ports/{NOWHERE}/tags", {"tags": []})
    assert (absent.status, absent.type) in ((404, "TagResourceNotFound"), (500, "HTTPInternalServerError"))  # the newest Neutrons stumble
    assert ground.admin.call("PUT", "network", f"/ports/{ports[0]}/tags", {"tags": ["x" * 300]}).status == 400


def test_paging_by_limit_and_marker_shows_each_once(ground: Ground) -> None:
    net, _ = ground.network()
    made = {ground.port(network_id=net)["id"] for _ in range(5)}
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        answer = ground.admin.done("GET", "network", "/ports", network_id=net, limit="2", **marker)
        assert len(answer["ports"]) <= 2
        seen += [row["id"] for row in answer["ports"]]
        if not any(link["rel"] == "next" for link in answer.body.get("ports_links", ())):
            break
        marker = {"marker": seen[-1]}
    absent = ground.admin.get("network", "/ports", network_id=net, limit="2", marker=NOWHERE)
    assert (absent.status, absent.type) == (404, "PortNotFound")
    assert set(seen) == made
    assert len(seen) == 5


@covers("network.agents", "network.extensions")
def test_agents_and_extensions(ground: Ground) -> None:
    network = ground.cloud.network
    assert {"Open vSwitch agent", "DHCP agent", "L3 agent"} <= {one.agent_type for one in network.agents()}
    assert all(one.alive and one.host for one in network.agents())
    assert {"router", "security-group", "quotas", "quota_details", "provider", "binding", "allowed-address-pairs"} <= network.extensions()
    assert ground.member.done("GET", "network", "/agents")["agents"] == []


@covers("network.quota", "network.update_quota")
def test_quotas_say_limit_and_use(ground: Ground) -> None:
    network = ground.cloud.network
    before = network.quota(ground.project_id)
    ground.port()
    after = network.quota(ground.project_id)
    assert after.used["port"] >= before.used["port"] + 1
    assert {"network", "subnet", "port", "router", "floatingip", "security_group", "security_group_rule"} <= set(after.limits)
    network.update_quota(ground.project_id, {"port": 299})
    assert network.quota(ground.project_id).limits["port"] == 299
    below = {"quota": {"port": 1}}
    if "quota-check-limit-default" in network.extensions():  # from 2023.2 on
        answer = ground.admin.call("PUT", "network", f"/quotas/{ground.project_id}", below)
        assert (answer.status, "must be greater than or equal to already used" in answer.message) == (400, True)
        below["quota"]["force"] = True
    ground.admin.done("PUT", "network", f"/quotas/{ground.project_id}", below)
    body = {"network_id": ground.shared_network[0], "project_id": ground.project_id}
    said = refused(ground, 409, "OverQuota", "POST", "/ports", {"port": body})
    network.update_quota(ground.project_id, {"port": 300})
    assert said == "Quota exceeded for resources: ['port']."
    assert ground.member.call("PUT", "network", f"/quotas/{ground.project_id}", {"quota": {"port": 1000}}).status == 403
    assert ground.admin.call("PUT", "network", f"/quotas/{ground.project_id}", {"quota": {"colour": 1}}).status == 400


@pytest.mark.parametrize("kind", ["network", "subnet", "port", "router", "floatingip", "security_group", "security_group_rule"])
def test_what_is_not_there(ground: Ground, kind: str) -> None:
    type = {"floatingip": "FloatingIPNotFound"}.get(kind, "".join(word.title() for word in kind.split("_")) + "NotFound")
    path = f"/{kind.replace('_', '-')}s/{NOWHERE}"
    refused(ground, 404, type, "GET", path)
    refused(ground, 404, type, "DELETE", path)
    if kind != "security_group_rule":
        refused(ground, 404, type, "PUT", path, {kind: {"description": "x"}})
