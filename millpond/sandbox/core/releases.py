"""The OpenStack releases the sandbox can be.

Maximum microversions: the release notes tables of Nova, Cinder and Placement ("Maximum in Queens: 2.60", "3.50", ...).
"""

from dataclasses import dataclass, replace
from typing import Literal

BASE_EXTENSIONS = frozenset(
    [
        "address-scope",
        "agent",
        "allowed-address-pairs",
        "availability_zone",
        "binding",
        "default-subnetpools",
        "dhcp_agent_scheduler",
        "dns-integration",
        "dvr",
        "external-net",
        "ext-gw-mode",
        "extra_dhcp_opt",
        "extraroute",
        "flavors",
        "l3-ha",
        "l3_agent_scheduler",
        "multi-provider",
        "net-mtu",
        "network-ip-availability",
        "network_availability_zone",
        "port-security",
        "project-id",
        "provider",
        "qos",
        "quotas",
        "quota_details",
        "rbac-policies",
        "router",
        "router_availability_zone",
        "security-group",
        "service-type",
        "sorting",
        "standard-attr-description",
        "standard-attr-revisions",
        "standard-attr-tag",
        "standard-attr-timestamp",
        "subnet_allocation",
        "subnet-service-types",
        "trunk",
        "trunk-details",
    ]
)
LATER_EXTENSIONS = frozenset(
    [
        "binding-extended",
        "extraroute-atomic",
        "net-mtu-writable",
        "port-mac-address-regenerate",
        "port-resource-request",
        "qos-bw-limit-direction",
        "qos-rule-type-details",
        "security-groups-remote-address-group",
        "address-group",
        "stateful-security-group",
        "subnet-dns-publish-fixed-ip",
        "fip-port-details",
        "router-enable-snat-default",
        "empty-string-filtering",
        "filter-validation",
        "ip-substring-filtering",
        "quota-check-limit",
    ]
)


@dataclass(frozen=True)
class Release:
    name: str
    nova_max: str
    cinder_max: str
    placement_max: str
    glance_max: str
    keystone_version: str
    ml2: Literal["ovs", "ovn"] = "ovs"
    extensions: frozenset[str] = BASE_EXTENSIONS

    def with_ml2(self, ml2: Literal["ovs", "ovn"]) -> "Release":
        return replace(self, ml2=ml2)


QUEENS = Release("queens", "2.60", "3.50", "1.17", "2.6", "3.10")
WALLABY = Release("wallaby", "2.88", "3.64", "1.36", "2.13", "3.14", extensions=BASE_EXTENSIONS | LATER_EXTENSIONS)
ANTELOPE = Release("antelope", "2.95", "3.70", "1.39", "2.16", "3.14", extensions=BASE_EXTENSIONS | LATER_EXTENSIONS)
RELEASES = {release.name: release for release in (QUEENS, WALLABY, ANTELOPE)}
