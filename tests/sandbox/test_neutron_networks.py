"""Networks, subnets and lists of Neutron as the real openstacksdk sees them."""

from typing import Any

import pytest
from openstack.connection import Connection
from openstack.exceptions import BadRequestException, ConflictException, ForbiddenException, HttpException, NotFoundException

from tests.sandbox.running import Sandbox
from tests.sandbox.tenant import new_member


@pytest.fixture(scope="module")
def member(sandbox: Sandbox, target: Connection) -> Connection:
    return new_member(sandbox, target)


def vlan(number: int) -> dict[str, Any]:
    return {"provider_network_type": "vlan", "provider_physical_network": "datacentre", "provider_segmentation_id": number}


def kind(error: pytest.ExceptionInfo[HttpException]) -> str:
    response = error.value.response
    assert response is not None
    return str(response.json()["NeutronError"]["type"])


def test_a_vlan_belongs_to_one_network(target: Connection) -> None:
    made = target.network.create_network(name="blue", mtu=1400, **vlan(101))
    assert (made.provider_segmentation_id, made.mtu, made.status, made.revision_number) == (101, 1400, "ACTIVE", 0)
    with pytest.raises(ConflictException) as error:
        target.network.create_network(name="red", **vlan(101))
    assert kind(error) == "VlanIdInUse"
    chosen = target.network.create_network(provider_network_type="vlan", provider_physical_network="datacentre")
    assert chosen.provider_segmentation_id not in (None, 101)


@pytest.mark.parametrize(
    "segment",
    [
        {"provider_network_type": "vlan", "provider_segmentation_id": 7},
        {"provider_network_type": "vlan", "provider_physical_network": "nowhere"},
        {"provider_network_type": "vlan", "provider_physical_network": "datacentre", "provider_segmentation_id": 4095},
        {"provider_network_type": "flat", "provider_physical_network": "datacentre", "provider_segmentation_id": 1},
        {"provider_network_type": "vxlan", "provider_physical_network": "datacentre"},
        {"provider_network_type": "carrier-pigeon"},
        {"provider_segmentation_id": 7},
    ],
)
def test_impossible_segments_are_refused(target: Connection, segment: dict[str, Any]) -> None:
    with pytest.raises(BadRequestException):
        target.network.create_network(**segment)


def test_unknown_attributes_are_refused_and_depend_on_extensions(source: Connection, target: Connection) -> None:
    with pytest.raises(BadRequestException, match="Unrecognized attribute"):
        target.network.create_network(is_vlan_transparent=True)
    old, new = source.network, target.network
    assert old.post("/security-groups", json={"security_group": {"name": "x", "stateful": False}}).status_code == 400
    assert new.post("/security-groups", json={"security_group": {"name": "x", "stateful": False}}).status_code == 201
    aliases = {extension.alias for extension in old.extensions()}
    assert {"dvr", "l3-ha", "revision-if-match"} <= aliases
    assert "stateful-security-group" not in aliases


def test_a_tenant_sees_their_own_and_what_is_shared(target: Connection, member: Connection) -> None:
    hidden = target.network.create_network(name="hidden")
    shared = target.network.create_network(name="shared", is_shared=True)
    outside = target.network.create_network(name="outside", is_router_external=True)
    own = member.network.create_network(name="own")
    assert own.project_id == member.current_project_id
    assert {network.id for network in member.network.networks()} >= {own.id, shared.id, outside.id}
    assert hidden.id not in {network.id for network in member.network.networks()}
    assert member.network.get(f"/networks/{hidden.id}").status_code == 404
    assert "provider:network_type" not in member.network.get(f"/networks/{own.id}").json()["network"]
    assert "provider:network_type" in target.network.get(f"/networks/{own.id}").json()["network"]


def test_what_only_an_administrator_may_do(target: Connection, member: Connection) -> None:
    with pytest.raises(ForbiddenException) as error:
        member.network.create_network(name="mine", **vlan(500))
    assert kind(error) == "PolicyNotAuthorized"
    with pytest.raises(ForbiddenException):
        member.network.create_network(name="mine", is_shared=True)
    with pytest.raises(BadRequestException):
        member.network.create_network(name="mine", project_id=target.current_project_id)
    shared = target.network.create_network(name="shared-2", is_shared=True)
    with pytest.raises(NotFoundException):
        member.network.delete_network(shared.id, ignore_missing=False)
    for_tenant = target.network.create_network(name="for-tenant", project_id=member.current_project_id)
    assert member.network.get_network(for_tenant.id).name == "for-tenant"


def test_subnets_have_gateways_pools_and_order(target: Connection) -> None:
    network = target.network.create_network(name="subnets")
    made = target.network.create_subnet(
        network_id=network.id, ip_version=4, cidr="10.1.0.0/24", dns_nameservers=["10.9.9.9", "10.1.1.1"], gateway_ip="10.1.0.100"
    )
    assert made.allocation_pools == [{"start": "10.1.0.1", "end": "10.1.0.99"}, {"start": "10.1.0.101", "end": "10.1.0.254"}]
    assert made.dns_nameservers == ["10.9.9.9", "10.1.1.1"]
    bare = target.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.2.0.0/24", gateway_ip=None)
    assert bare.gateway_ip is None
    assert bare.allocation_pools == [{"start": "10.2.0.1", "end": "10.2.0.254"}]
    assert set(target.network.get_network(network.id).subnet_ids) == {made.id, bare.id}


def test_the_first_address_is_the_gateway_and_of_ipv6_the_networks_own(target: Connection, source: Connection) -> None:
    for cloud, gateway, first in ((target, "fd00:1::", "fd00:1::1"), (source, "fd00:1::1", "fd00:1::2")):
        network = cloud.network.create_network(name="six")
        subnet = cloud.network.create_subnet(network_id=network.id, ip_version=6, cidr="fd00:1::/64")
        assert (subnet.gateway_ip, subnet.allocation_pools) == (gateway, [{"start": first, "end": "fd00:1::ffff:ffff:ffff:ffff"}])
    four = target.network.create_subnet(network_id=target.network.find_network("six").id, ip_version=4, cidr="10.9.0.0/24")
    assert four.gateway_ip == "10.9.0.1"


@pytest.mark.parametrize(
    ("attributes", "status", "expected"),
    [
        ({"cidr": "10.3.0.0/25"}, 400, "InvalidInput"),
        ({"cidr": "10.4.0.0/24", "allocation_pools": [{"start": "10.4.1.2", "end": "10.4.1.9"}]}, 400, "OutOfBoundsAllocationPool"),
        ({"cidr": "10.4.0.0/24", "allocation_pools": [{"start": "10.4.0.9", "end": "10.4.0.2"}]}, 400, "InvalidAllocationPool"),
        (
            {"cidr": "10.4.0.0/24", "allocation_pools": [{"start": "10.4.0.1", "end": "10.4.0.2"}]},
            409,
            "GatewayConflictWithAllocationPools",
        ),
        ({"cidr": "fd00::/64"}, 400, "InvalidInput"),
        ({"cidr": "10.4.0.0/24", "ipv6_ra_mode": "slaac"}, 400, "InvalidInput"),
    ],
)
def test_subnets_that_cannot_be(target: Connection, attributes: dict[str, Any], status: int, expected: str) -> None:
    network = target.network.create_network(name="cannot-be")
    target.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.3.0.0/24")
    with pytest.raises(HttpException) as error:
        target.network.create_subnet(network_id=network.id, ip_version=4, **attributes)
    assert (error.value.status_code, kind(error)) == (status, expected)


def test_pools_can_be_fenced_and_opened_again(target: Connection) -> None:
    network = target.network.create_network(name="fence")
    subnet = target.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.5.0.0/24", is_dhcp_enabled=False)
    fenced = target.network.update_subnet(subnet, allocation_pools=[{"start": "10.5.0.240", "end": "10.5.0.241"}])
    assert fenced.allocation_pools == [{"start": "10.5.0.240", "end": "10.5.0.241"}]
    addresses = [target.network.create_port(network_id=network.id).fixed_ips[0]["ip_address"] for _ in range(2)]
    assert addresses == ["10.5.0.240", "10.5.0.241"]
    with pytest.raises(ConflictException) as error:
        target.network.create_port(network_id=network.id)
    assert kind(error) == "IpAddressGenerationFailure"
    outside = target.network.create_port(network_id=network.id, fixed_ips=[{"ip_address": "10.5.0.9"}])
    assert outside.fixed_ips == [{"subnet_id": subnet.id, "ip_address": "10.5.0.9"}]
    target.network.update_subnet(subnet, allocation_pools=[{"start": "10.5.0.2", "end": "10.5.0.254"}])
    assert target.network.create_port(network_id=network.id).fixed_ips[0]["ip_address"] == "10.5.0.2"


def test_a_used_subnet_and_network_stay(target: Connection) -> None:
    network = target.network.create_network(name="used")
    subnet = target.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.6.0.0/24")
    port = target.network.create_port(network_id=network.id)
    for delete in (target.network.delete_subnet, target.network.delete_network):
        with pytest.raises(ConflictException):
            delete(subnet.id if delete == target.network.delete_subnet else network.id)
    target.network.delete_port(port)
    target.network.delete_subnet(subnet)
    target.network.delete_network(network)
    assert target.network.find_network("used") is None


def test_lists_are_filtered_cut_sorted_and_paged(target: Connection) -> None:
    network = target.network.create_network(name="many")
    made = [target.network.create_port(network_id=network.id, name=f"p{n}", fixed_ips=[]) for n in range(5)]
    found = target.network.get(f"/ports?network_id={network.id}&name=p1&name=p3&fields=name").json()["ports"]
    assert found == [{"name": "p1"}, {"name": "p3"}]
    descending = target.network.get(f"/ports?network_id={network.id}&sort_key=name&sort_dir=desc").json()["ports"]
    assert [port["name"] for port in descending] == ["p4", "p3", "p2", "p1", "p0"]
    page = target.network.get(f"/ports?network_id={network.id}&limit=2").json()
    assert len(page["ports"]) == 2
    assert page["ports_links"][0]["rel"] == "next"
    paged = target.network.ports(network_id=network.id, limit=2)
    assert {port.id for port in paged} == {port.id for port in made}
    assert target.network.get("/ports?flavour=vanilla").status_code == 400


def test_the_old_release_ignores_unknown_filters(source: Connection) -> None:
    assert source.network.get("/ports?flavour=vanilla").status_code == 200


def test_tags_are_set_one_by_one_and_filtered(target: Connection) -> None:
    network = target.network.create_network(name="tagged")
    other = target.network.create_network(name="untagged")
    target.network.set_tags(network, ["millpond", "millpond:source=1"])
    target.network.put(f"/networks/{network.id}/tags/third").raise_for_status()
    assert [found.id for found in target.network.networks(tags="millpond,third")] == [network.id]
    assert other.id in {found.id for found in target.network.networks(not_tags="millpond")}
    assert target.network.delete(f"/networks/{network.id}/tags/third").status_code == 204
    assert target.network.delete(f"/networks/{network.id}/tags/third").status_code == 404
    assert set(target.network.get_network(network.id).tags) == {"millpond", "millpond:source=1"}


def test_if_match_refuses_what_has_moved_on(target: Connection) -> None:
    network = target.network.create_network(name="revised")
    changed = target.network.update_network(network, description="new", if_revision=network.revision_number)
    assert changed.revision_number == 1
    path, headers = f"/networks/{network.id}", {"If-Match": "revision_number=0"}
    assert target.network.put(path, json={"network": {"name": "x"}}, headers=headers).status_code == 412
    assert target.network.delete(path, headers=headers).status_code == 412
    assert target.network.get_network(network.id).name == "revised"


def test_quotas_are_shown_set_and_enforced(target: Connection, member: Connection) -> None:
    project = target.identity.create_project(name="small")
    target.network.update_quota(project.id, networks=2, subnets=7)
    for name in ("one", "two"):
        target.network.create_network(name=name, project_id=project.id)
    with pytest.raises(ConflictException) as error:
        target.network.create_network(name="three", project_id=project.id)
    assert kind(error) == "OverQuota"
    details = target.network.get_quota(project.id, details=True)
    assert details.networks == {"limit": 2, "used": 2, "reserved": 0}
    assert target.network.get_quota_default(project.id).subnets == 100
    with pytest.raises(ForbiddenException):
        member.network.update_quota(member.current_project_id, networks=1000)
    target.network.delete_quota(project.id)
    assert target.network.get_quota(project.id).networks == 100


def test_lists_that_are_empty_here_and_routes_that_do_not_exist(target: Connection) -> None:
    assert list(target.network.trunks()) == list(target.network.qos_policies()) == list(target.network.rbac_policies()) == []
    assert list(target.network.subnet_pools()) == list(target.network.address_scopes()) == []
    refused = target.network.get("/lbaas/loadbalancers")
    assert (refused.status_code, refused.json()["NeutronError"]["type"]) == (404, "HTTPNotFound")


def test_agents_are_for_administrators(target: Connection, member: Connection) -> None:
    hosts = {agent.host for agent in target.network.agents(agent_type="Open vSwitch agent")}
    assert {"target-compute-0", "target-compute-1", "target-compute-2"} <= hosts
    assert list(member.network.agents()) == []
