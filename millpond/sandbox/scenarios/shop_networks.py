"""The networks, routers and security groups of the shop."""

from typing import NamedTuple

from millpond.sandbox.core.store import Row
from millpond.sandbox.scenarios.tenant import ADMINISTRATOR, Tenant


class Networks(NamedTuple):
    front: Row
    app: Row
    data: Row
    front_v4: Row
    front_v6: Row
    app_v4: Row
    data_v4: Row
    web: Row
    """This and the following are security groups."""
    apps: Row
    db: Row


def build_networks(tenant: Tenant) -> Networks:
    """The router `edge` joins front and app and has a static route; `data-edge` serves data alone."""
    front = tenant.network("front", 201, description="what the world sees", tags=["shop"])
    app = tenant.network("app", 202)
    data = tenant.network("data", 203, mtu=1450)
    front_v4 = tenant.subnet(
        front,
        "front-v4",
        "10.20.1.0/24",
        dns_nameservers=["9.9.9.9", "1.1.1.1"],
        host_routes=[{"destination": "192.168.77.0/24", "nexthop": "10.20.1.254"}],
        allocation_pools=[{"start": "10.20.1.10", "end": "10.20.1.199"}],
    )
    modes = {"ipv6_ra_mode": "dhcpv6-stateful", "ipv6_address_mode": "dhcpv6-stateful"}
    front_v6 = tenant.subnet(front, "front-v6", "fd20:1::/64", ip_version=6, **modes)
    app_v4 = tenant.subnet(app, "app-v4", "10.20.2.0/24", dns_nameservers=["9.9.9.9"])
    data_v4 = tenant.subnet(data, "data-v4", "10.20.3.0/24")
    edge = tenant.router("edge", [front_v4, front_v6, app_v4], description="front and app")
    tenant.cloud.neutron.routers.update(ADMINISTRATOR, edge["id"], {"routes": [{"destination": "10.99.0.0/16", "nexthop": "10.20.2.254"}]})
    tenant.router("data-edge", [data_v4])
    web, apps, db = build_security_groups(tenant)
    return Networks(front, app, data, front_v4, front_v6, app_v4, data_v4, web, apps, db)


def build_security_groups(tenant: Tenant) -> tuple[Row, Row, Row]:
    """web takes the world, apps take web, db takes apps and itself."""
    web = tenant.security_group(
        "web",
        {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80, "remote_ip_prefix": "0.0.0.0/0"},
        {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443, "description": "https"},
        {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443, "ethertype": "IPv6"},
        {"protocol": "112", "description": "vrrp"},
        description="web servers",
        tags=["shop"],
    )
    apps = tenant.security_group(
        "apps",
        {"protocol": "tcp", "port_range_min": 8000, "port_range_max": 8999, "remote_group_id": web["id"]},
        {"protocol": "icmp"},
    )
    db = tenant.security_group("db", {"protocol": "tcp", "port_range_min": 5432, "port_range_max": 5432, "remote_group_id": apps["id"]})
    tenant.cloud.neutron.create_security_group_rule(
        tenant.id, security_group_id=db["id"], direction="ingress", remote_group_id=db["id"], description="cluster"
    )
    return web, apps, db
