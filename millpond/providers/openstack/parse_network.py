"""Neutron's answers as nouns. Field names: Networking API reference v2.0; null becomes the empty value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from millpond.model.marker import marker_of
from millpond.model.network import (
    AddressPair,
    Agent,
    AllocationPool,
    ExtraDhcpOption,
    FixedIP,
    FloatingIP,
    Network,
    Port,
    Route,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
)
from millpond.providers.shapes import documented

Row = Mapping[str, Any]


@documented
def parse_network(row: Row) -> Network:
    return Network(
        **_common(row),
        admin_state_up=bool(row.get("admin_state_up", True)),
        mtu=int(row.get("mtu") or 0),
        port_security_enabled=bool(row.get("port_security_enabled", True)),
        dns_domain=row.get("dns_domain") or "",
        shared=bool(row.get("shared")),
        external=bool(row.get("router:external")),
        network_type=row.get("provider:network_type") or "",
        physical_network=row.get("provider:physical_network") or "",
        segmentation_id=int(row.get("provider:segmentation_id") or 0),
    )


@documented
def parse_subnet(row: Row) -> Subnet:
    return Subnet(
        **_common(row),
        network_id=row["network_id"],
        cidr=row["cidr"],
        ip_version=int(row["ip_version"]),
        gateway_ip=row.get("gateway_ip") or "",
        allocation_pools=tuple(AllocationPool(one["start"], one["end"]) for one in row.get("allocation_pools") or ()),
        dns_nameservers=tuple(row.get("dns_nameservers") or ()),
        host_routes=_routes(row.get("host_routes")),
        enable_dhcp=bool(row.get("enable_dhcp", True)),
        ipv6_address_mode=row.get("ipv6_address_mode") or "",
        ipv6_ra_mode=row.get("ipv6_ra_mode") or "",
    )


@documented
def parse_port(row: Row) -> Port:
    return Port(
        **_common(row),
        network_id=row["network_id"],
        mac_address=row["mac_address"],
        fixed_ips=_fixed_ips(row.get("fixed_ips")),
        admin_state_up=bool(row.get("admin_state_up", True)),
        security_groups=tuple(row.get("security_groups") or ()),
        port_security_enabled=bool(row.get("port_security_enabled", True)),
        allowed_address_pairs=tuple(
            AddressPair(one["ip_address"], one.get("mac_address") or "") for one in row.get("allowed_address_pairs") or ()
        ),
        extra_dhcp_opts=tuple(
            ExtraDhcpOption(one["opt_name"], one["opt_value"], int(one.get("ip_version") or 4)) for one in row.get("extra_dhcp_opts") or ()
        ),
        vnic_type=row.get("binding:vnic_type") or "normal",
        device_id=row.get("device_id") or "",
        device_owner=row.get("device_owner") or "",
        host_id=row.get("binding:host_id") or "",
        status=row.get("status") or "",
    )


@documented
def parse_security_group(row: Row) -> SecurityGroup:
    return SecurityGroup(
        **_common(row),
        stateful=bool(row.get("stateful", True)),
        rules=tuple(parse_security_group_rule(one) for one in row.get("security_group_rules") or ()),
    )


def parse_security_group_rule(row: Row) -> SecurityGroupRule:
    return SecurityGroupRule(
        id=row["id"],
        security_group_id=row["security_group_id"],
        direction=row["direction"],
        ethertype=row.get("ethertype") or "IPv4",
        protocol=str(row.get("protocol") or ""),
        port_range_min=row.get("port_range_min"),
        port_range_max=row.get("port_range_max"),
        remote_ip_prefix=row.get("remote_ip_prefix") or "",
        remote_group_id=row.get("remote_group_id") or "",
        description=row.get("description") or "",
    )


@documented
def parse_router(row: Row) -> Router:
    gateway = row.get("external_gateway_info") or {}
    return Router(
        **_common(row),
        admin_state_up=bool(row.get("admin_state_up", True)),
        gateway_network_id=gateway.get("network_id") or "",
        external_fixed_ips=_fixed_ips(gateway.get("external_fixed_ips")),
        enable_snat=bool(gateway.get("enable_snat", True)),
        routes=_routes(row.get("routes")),
    )


@documented
def parse_floating_ip(row: Row) -> FloatingIP:
    """A floating IP has no name."""
    common = _common(row)
    del common["name"]
    return FloatingIP(
        **common,
        floating_ip_address=row["floating_ip_address"],
        floating_network_id=row["floating_network_id"],
        port_id=row.get("port_id") or "",
        fixed_ip_address=row.get("fixed_ip_address") or "",
        router_id=row.get("router_id") or "",
    )


@documented
def parse_agent(row: Row) -> Agent:
    return Agent(agent_type=row["agent_type"], host=row["host"], alive=bool(row.get("alive", True)))


def _common(row: Row) -> dict[str, Any]:
    tags = tuple(sorted(row.get("tags") or ()))
    return {
        "id": row["id"],
        "name": row.get("name") or "",
        "description": row.get("description") or "",
        "project_id": row.get("project_id") or row.get("tenant_id") or "",
        "tags": tags,
        "marker": marker_of(tags),
    }


def _fixed_ips(rows: Iterable[Row] | None) -> tuple[FixedIP, ...]:
    return tuple(FixedIP(one["subnet_id"], one["ip_address"]) for one in rows or ())


def _routes(rows: Iterable[Row] | None) -> tuple[Route, ...]:
    return tuple(Route(one["destination"], one["nexthop"]) for one in rows or ())
