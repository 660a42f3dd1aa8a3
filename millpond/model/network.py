"""Neutron's nouns, with its field names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FixedIP:
    subnet_id: str
    ip_address: str


@dataclass(frozen=True)
class AllocationPool:
    start: str
    end: str


@dataclass(frozen=True)
class Route:
    destination: str
    nexthop: str


@dataclass(frozen=True)
class Network:
    id: str
    name: str
    description: str = ""
    admin_state_up: bool = True
    mtu: int = 0
    port_security_enabled: bool = True
    dns_domain: str = ""
    shared: bool = False
    external: bool = False
    network_type: str = ""
    physical_network: str = ""
    segmentation_id: int = 0
    project_id: str = ""
    tags: tuple[str, ...] = ()
    marker: str = ""


@dataclass(frozen=True)
class Subnet:
    id: str
    name: str
    network_id: str
    cidr: str
    ip_version: int = 4
    description: str = ""
    gateway_ip: str = ""
    allocation_pools: tuple[AllocationPool, ...] = ()
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[Route, ...] = ()
    enable_dhcp: bool = True
    ipv6_address_mode: str = ""
    ipv6_ra_mode: str = ""
    project_id: str = ""
    tags: tuple[str, ...] = ()
    marker: str = ""


@dataclass(frozen=True)
class AddressPair:
    ip_address: str
    mac_address: str = ""


@dataclass(frozen=True)
class ExtraDhcpOption:
    opt_name: str
    opt_value: str
    ip_version: int = 4


@dataclass(frozen=True)
class Port:
    """`security_groups` are ids on the side the port is on. `owner` is Neutron's device_owner."""

    id: str
    name: str
    network_id: str
    mac_address: str
    fixed_ips: tuple[FixedIP, ...] = ()
    description: str = ""
    admin_state_up: bool = True
    security_groups: tuple[str, ...] = ()
    port_security_enabled: bool = True
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    extra_dhcp_opts: tuple[ExtraDhcpOption, ...] = ()
    vnic_type: str = "normal"
    device_id: str = ""
    device_owner: str = ""
    host_id: str = ""
    status: str = ""
    project_id: str = ""
    tags: tuple[str, ...] = ()
    marker: str = ""


@dataclass(frozen=True)
class SecurityGroupRule:
    """`remote_group_id` is an id on the rule's own side. Ports 0 stand for none given."""

    id: str
    security_group_id: str
    direction: str
    ethertype: str = "IPv4"
    protocol: str = ""
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str = ""
    remote_group_id: str = ""
    description: str = ""


@dataclass(frozen=True)
class SecurityGroup:
    id: str
    name: str
    description: str = ""
    stateful: bool = True
    rules: tuple[SecurityGroupRule, ...] = ()
    project_id: str = ""
    tags: tuple[str, ...] = ()
    marker: str = ""


@dataclass(frozen=True)
class Router:
    """`external_fixed_ips` and `gateway_network_id` are empty without a gateway. Interfaces are ports, found by their device_id."""

    id: str
    name: str
    description: str = ""
    admin_state_up: bool = True
    gateway_network_id: str = ""
    external_fixed_ips: tuple[FixedIP, ...] = ()
    enable_snat: bool = True
    routes: tuple[Route, ...] = ()
    project_id: str = ""
    tags: tuple[str, ...] = ()
    marker: str = ""


@dataclass(frozen=True)
class FloatingIP:
    id: str
    floating_ip_address: str
    floating_network_id: str
    port_id: str = ""
    fixed_ip_address: str = ""
    description: str = ""
    router_id: str = ""
    project_id: str = ""
    tags: tuple[str, ...] = ()
    marker: str = ""


@dataclass(frozen=True)
class Agent:
    agent_type: str
    host: str
    alive: bool = True
