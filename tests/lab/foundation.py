"""What both clouds and both arrays have before any tenant. Every step looks first: a second run changes nothing."""

from typing import Any

import openstack
import requests

from tests.lab import clouds_yaml
from tests.lab.configuration import ARRAY_PASSWORD
from tests.lab.planes import ADMIN_PASSWORD, PLANES, PORTS, REGION, SERVICE_PASSWORD, SOURCE, TARGET, ControlPlane

TIB = 2**40
POOL_SIZE = 200 * TIB
ENDPOINTS = {  # service user: type, name, path
    "placement": ("placement", "placement", ""),
    "glance": ("image", "glance", ""),
    "nova": ("compute", "nova", "/v2.1"),
    "neutron": ("network", "neutron", ""),
    "cinder": ("volumev3", "cinderv3", "/v3/%(project_id)s"),
}
EXTERNAL_CIDR, EXTERNAL_GATEWAY = "203.0.113.0/24", "203.0.113.1"
CUSTOMERS = "customers"
"""The domain on the target that tenants are moved into."""
FLAVORS = {
    "source": {"m1.small": (1, 2048, 20), "m1.volume": (2, 4096, 0), "m1.tiny": (1, 512, 1)},
    "target": {"m1.small": (1, 2048, 20), "v2.medium": (2, 4096, 0), "m1.tiny": (1, 512, 1)},
}
"""Name: vCPUs, MiB of RAM, GiB of disk. v2.medium is the source's m1.volume under another name."""


Cloud = Any
"""An openstack.connection.Connection, whose own types leave open which version of a service it speaks."""


def connect(plane: ControlPlane) -> Cloud:
    cloud = clouds_yaml.entry(plane.auth_url, "admin", "admin", ADMIN_PASSWORD)
    return openstack.connect(load_yaml_config=False, load_envvars=False, **cloud)


# Arrays.


def lay_arrays() -> None:
    for plane in PLANES:
        if not array(plane, "GET", f"pools?name=eq:{plane.pool}"):
            array(plane, "POST", "pools", {"name": plane.pool, "physical_capacity": POOL_SIZE, "virtual_capacity": POOL_SIZE})
    if not array(SOURCE, "GET", "links"):
        space = array(SOURCE, "GET", "network/spaces?service=eq:RMR_SERVICE")[0]["id"]
        remote = array(TARGET, "GET", "network/spaces?service=eq:RMR_SERVICE")[0]["ips"][1]["ip_address"]
        array(SOURCE, "POST", "links", {"name": "link", "local_replication_network_space_id": space, "remote_host": remote})


def array(plane: ControlPlane, method: str, path: str, body: Any = None) -> Any:
    """One request to the InfiniBox of a cloud, as its administrator; what changes the other array too is authorised there with the same login."""
    login = requests.auth.HTTPBasicAuth("admin", ARRAY_PASSWORD)
    headers = {"X-Remote-Authorization": requests.auth._basic_auth_str("admin", ARRAY_PASSWORD)}
    url = f"http://{plane.array_address}/api/rest/{path}"
    response = requests.request(method, url, json=body, auth=login, headers=headers, timeout=30)
    response.raise_for_status()
    return response.json()["result"]


# Clouds.


def lay_catalogue(plane: ControlPlane) -> None:
    """Service users and endpoints. Keystone alone has to run."""
    identity = connect(plane).identity
    project = identity.find_project("service", domain_id="default") or identity.create_project(name="service", domain_id="default")
    roles = {role.name: role for role in identity.roles()}
    roles["service"] = roles.get("service") or identity.create_role(name="service")
    users = {user.name: user for user in identity.users(domain_id="default")}
    for name in PORTS:
        if name not in users and name != "keystone":
            user = identity.create_user(name=name, domain_id="default", password=SERVICE_PASSWORD)
            for role in ("admin", "service"):
                identity.assign_project_role_to_user(project, user, roles[role])
    services = {service.name: service for service in identity.services()}
    known = {(endpoint.service_id, endpoint.interface) for endpoint in identity.endpoints()}
    for name, (kind, title, path) in ENDPOINTS.items():
        service = services.get(title) or identity.create_service(name=title, type=kind)
        for interface in ("public", "internal", "admin"):
            if (service.id, interface) not in known:
                url = plane.url(name) + path
                identity.create_endpoint(service_id=service.id, interface=interface, region_id=REGION, url=url)
    if plane is TARGET and identity.find_domain(CUSTOMERS) is None:
        identity.create_domain(name=CUSTOMERS, description="Tenants of the new platform")


def lay_resources(plane: ControlPlane) -> None:
    """Volume types, flavors and the external network. All services have to run."""
    cloud = connect(plane)
    have = {kind.name for kind in cloud.block_storage.types()}
    for name, specs in {"gold": {}, "gold-multiattach": {"multiattach": "<is> True"}}.items():
        if name not in have:
            cloud.block_storage.create_type(name=name, extra_specs={"volume_backend_name": plane.pool, **specs})
    flavors = {flavor.name for flavor in cloud.compute.flavors()}
    for name, (vcpus, ram, disk) in FLAVORS[plane.name].items():
        if name not in flavors:
            cloud.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk)
    _lay_external_network(plane, cloud)


def _lay_external_network(plane: ControlPlane, cloud: Cloud) -> None:
    provider = {"provider_network_type": "flat", "provider_physical_network": "physnet-external"}
    network = cloud.network.find_network("public") or cloud.network.create_network(name="public", is_router_external=True, **provider)
    if not list(cloud.network.subnets(network_id=network.id)):
        start, end = plane.floating
        cloud.network.create_subnet(
            name="public-v4",
            network_id=network.id,
            ip_version=4,
            cidr=EXTERNAL_CIDR,
            gateway_ip=EXTERNAL_GATEWAY,
            is_dhcp_enabled=False,
            allocation_pools=[{"start": start, "end": end}],
        )
