"""Neutron: routers, their interfaces and gateways, floating IPs."""

from typing import Any
from uuid import uuid4

import pytest

from tests.contract.coverage import covers
from tests.contract.ground import Ground
from tests.contract.test_networks import refused
from tests.contract.test_ports import mac


def router(ground: Ground, **fields: Any) -> str:
    body = {"name": ground.name("router"), "project_id": ground.project_id, **fields}
    return str(ground.admin.done("POST", "network", "/routers", {"router": body})["router"]["id"])


def gateway(ground: Ground) -> dict[str, Any]:
    return {"external_gateway_info": {"network_id": ground.external_network["id"]}}


def interface(ground: Ground, id: str, net: str, subnet: str, address: str = "10.77.0.1") -> dict[str, Any]:
    """A port that has become the router's, as Millpond makes it."""
    fixed = [{"subnet_id": subnet, "ip_address": address}]
    port = ground.port(network_id=net, fixed_ips=fixed, security_groups=[], port_security_enabled=False)
    ground.admin.done("PUT", "network", f"/routers/{id}/add_router_interface", {"port_id": port["id"]})
    return port


@covers(
    "network.create router",
    "network.router",
    "network.routers",
    "network.update router",
    "network.set_tags router",
    "network.add_router_interface",
    "network.remove_router_interface",
    "network.delete router",
)
def test_a_router_takes_a_port_as_its_interface(ground: Ground) -> None:
    network, (net, subnet), wanted = ground.cloud.network, ground.network(), mac()
    id = network.create(
        "router", {"project_id": ground.project_id, "name": ground.name("router"), "description": "d", "admin_state_up": True}
    )
    network.set_tags("router", id, ["millpond=5"])
    fixed = [{"subnet_id": subnet, "ip_address": "10.77.0.1"}]
    port = ground.port(network_id=net, mac_address=wanted, fixed_ips=fixed, security_groups=[], port_security_enabled=False)
    network.add_router_interface(id, port["id"])
    leg = ground.admin.done("GET", "network", f"/ports/{port['id']}")["port"]
    assert (leg["device_id"], leg["mac_address"], leg["fixed_ips"]) == (id, wanted, fixed)
    assert leg["device_owner"].startswith("network:")
    again = ground.admin.call("PUT", "network", f"/routers/{id}/add_router_interface", {"port_id": port["id"]})
    assert (again.status, again.type) == (409, "PortInUse")
    refused(ground, 409, "ServicePortInUse", "DELETE", f"/ports/{port['id']}")
    refused(ground, 409, "RouterInUse", "DELETE", f"/routers/{id}")
    routes = [{"destination": "10.99.0.0/16", "nexthop": "10.77.0.254"}]
    network.update("router", id, {"routes": routes, "description": "", "admin_state_up": False})
    [found] = [one for one in network.routers(ground.project_id) if one.id == id]
    assert (found.description, found.admin_state_up, found.tags) == ("", False, ("millpond=5",))
    assert [(one.destination, one.nexthop) for one in found.routes] == [("10.99.0.0/16", "10.77.0.254")]
    assert (found.gateway_network_id, found.external_fixed_ips) == ("", ())
    alone = network.router(id)
    assert alone is not None
    assert (alone.id, alone.tags, alone.routes) == (id, found.tags, found.routes)
    assert network.router(str(uuid4())) is None
    said = ground.admin.call("PUT", "network", f"/routers/{id}/remove_router_interface", {"port_id": port["id"]})
    assert (said.status, said.type) == (409, "RouterInterfaceInUseByRoute")
    network.update("router", id, {"routes": []})
    network.remove_router_interface(id, port["id"])
    refused(ground, 404, "PortNotFound", "GET", f"/ports/{port['id']}")
    gone = ground.admin.call("PUT", "network", f"/routers/{id}/remove_router_interface", {"port_id": port["id"]})
    assert gone.status == 404
    network.delete("router", id)
    refused(ground, 404, "RouterNotFound", "DELETE", f"/routers/{id}")


def test_routes_lead_over_attached_subnets(ground: Ground) -> None:
    id = router(ground)
    body = {"router": {"routes": [{"destination": "10.99.0.0/16", "nexthop": "10.77.0.254"}]}}
    refused(ground, 400, "InvalidRoutes", "PUT", f"/routers/{id}", body)


def test_a_subnet_has_one_leg_per_router(ground: Ground) -> None:
    (net, subnet), id = ground.network(), router(ground)
    interface(ground, id, net, subnet)
    port = ground.port(network_id=net)["id"]
    answer = ground.admin.call("PUT", "network", f"/routers/{id}/add_router_interface", {"port_id": port})
    assert (answer.status, answer.type) == (400, "BadRequest")


@covers("network.update router", "network.routers")
def test_a_gateway_with_the_address_that_is_wanted(ground: Ground) -> None:
    network, external = ground.cloud.network, ground.external_network
    id = router(ground)
    network.update("router", id, gateway(ground))
    [given] = ground.admin.done("GET", "network", f"/routers/{id}")["router"]["external_gateway_info"]["external_fixed_ips"]
    network.update("router", id, {"external_gateway_info": {}})
    [found] = [one for one in network.routers(ground.project_id) if one.id == id]
    assert (found.gateway_network_id, found.external_fixed_ips) == ("", ())
    wanted = {"network_id": external["id"], "enable_snat": True, "external_fixed_ips": [given]}
    network.update("router", id, {"external_gateway_info": wanted})
    [found] = [one for one in network.routers(ground.project_id) if one.id == id]
    assert (found.gateway_network_id, found.enable_snat) == (external["id"], True)
    assert [(one.subnet_id, one.ip_address) for one in found.external_fixed_ips] == [(given["subnet_id"], given["ip_address"])]
    body = {"floating_network_id": external["id"], "project_id": ground.project_id, "floating_ip_address": given["ip_address"]}
    refused(ground, 409, "IpAddressAlreadyAllocated", "POST", "/floatingips", {"floatingip": body})


def test_external_addresses_are_the_administrators_to_choose(ground: Ground) -> None:
    external = ground.external_network["id"]
    body = {"floatingip": {"floating_network_id": external, "floating_ip_address": "203.0.113.250"}}
    answer = ground.member.call("POST", "network", "/floatingips", body)
    assert (answer.status, answer.type) == (403, "PolicyNotAuthorized")
    id = ground.shared_network[0]
    refused(ground, 400, "BadRequest", "POST", "/routers", {"router": {"external_gateway_info": {"network_id": id}}})


@pytest.fixture
def routed(ground: Ground) -> tuple[str, str, str, dict[str, Any]]:
    """Router with gateway, its leg in a network, and a port in that network."""

    def make() -> tuple[str, str, str, dict[str, Any]]:
        (net, subnet), id = ground.network(), router(ground, **gateway(ground))
        leg = interface(ground, id, net, subnet)
        return id, str(leg["id"]), subnet, ground.port(network_id=net)

    return ground.once("routed", make)


@covers(
    "network.create floatingip",
    "network.floating_ip",
    "network.floating_ips",
    "network.update floatingip",
    "network.set_tags floatingip",
    "network.delete floatingip",
)
def test_a_floating_ip_is_reserved_associated_and_taken_away(ground: Ground, routed: tuple[str, str, str, dict[str, Any]]) -> None:
    network, (router_id, leg, _, port), external = ground.cloud.network, routed, ground.external_network["id"]
    id = network.create("floatingip", {"project_id": ground.project_id, "floating_network_id": external, "description": "d"})
    network.set_tags("floatingip", id, ["millpond=6"])
    [found] = [one for one in network.floating_ips(ground.project_id) if one.id == id]
    assert (found.port_id, found.fixed_ip_address, found.router_id, found.description) == ("", "", "", "d")
    assert (found.floating_network_id, found.tags) == (external, ("millpond=6",))
    fixed = port["fixed_ips"][0]["ip_address"]
    network.update("floatingip", id, {"port_id": port["id"], "fixed_ip_address": fixed})
    [bound] = [one for one in network.floating_ips(ground.project_id) if one.id == id]
    assert (bound.port_id, bound.fixed_ip_address, bound.router_id) == (port["id"], fixed, router_id)
    second = network.create("floatingip", {"project_id": ground.project_id, "floating_network_id": external})
    refused(ground, 409, "FloatingIPPortAlreadyAssociated", "PUT", f"/floatingips/{second}", {"floatingip": {"port_id": port["id"]}})
    said = ground.admin.call("PUT", "network", f"/routers/{router_id}/remove_router_interface", {"port_id": leg})
    assert (said.status, said.type) == (409, "RouterInterfaceInUseByFloatingIP")
    clear: dict[str, Any] = {"router": {"external_gateway_info": {}}}
    refused(ground, 409, "RouterExternalGatewayInUseByFloatingIp", "PUT", f"/routers/{router_id}", clear)
    assert network.floating_ip(id) == bound
    network.update("floatingip", id, {"port_id": None})
    address = found.floating_ip_address
    network.delete("floatingip", id)
    refused(ground, 404, "FloatingIPNotFound", "DELETE", f"/floatingips/{id}")
    assert network.floating_ip(id) is None
    body = {"project_id": ground.project_id, "floating_network_id": external, "floating_ip_address": address}
    again = network.create("floatingip", body)
    assert [one.id for one in network.floating_ips(ground.project_id) if one.floating_ip_address == address] == [again]
    refused(ground, 409, "IpAddressAlreadyAllocated", "POST", "/floatingips", {"floatingip": body})
    for one in (again, second):
        network.delete("floatingip", one)


def test_a_floating_ip_needs_a_way_out(ground: Ground) -> None:
    port, external = ground.port(), ground.external_network["id"]
    body = {"floating_network_id": external, "project_id": ground.project_id, "port_id": port["id"]}
    refused(ground, 404, "ExternalGatewayForFloatingIPNotFound", "POST", "/floatingips", {"floatingip": body})
    inside = {"floating_network_id": ground.shared_network[0], "project_id": ground.project_id}
    refused(ground, 400, "BadRequest", "POST", "/floatingips", {"floatingip": inside})


@covers("network.create floatingip", "network.parked_floating_ips", "network.delete floatingip")
def test_an_address_is_parked_in_the_logins_own_project(ground: Ground) -> None:
    network, external = ground.cloud.network, ground.external_network["id"]
    id = network.create("floatingip", {"floating_network_id": external, "description": "millpond: parked"})
    [found] = [one for one in network.parked_floating_ips() if one.id == id]
    assert found.project_id == ground.cloud.project_id
    network.delete("floatingip", id)


def test_the_quota_of_floating_ips(ground: Ground) -> None:
    ground.admin.done("PUT", "network", f"/quotas/{ground.other_project_id}", {"quota": {"floatingip": 0}})
    body = {"floatingip": {"floating_network_id": ground.external_network["id"]}}
    answer = ground.stranger.call("POST", "network", "/floatingips", body)
    assert (answer.status, answer.type) == (409, "OverQuota")
