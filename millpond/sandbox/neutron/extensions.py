"""The API extensions a cloud has loaded: what exists depends on its release and on its ML2 driver.

From the lists in neutron/plugins/ml2/plugin.py, neutron/services/l3_router/l3_router_plugin.py and
neutron/common/ovn/extensions.py of the stable branches: ML2/OVN drops every alias that it does not name itself.
"""

from millpond.sandbox.core.releases import Release

CORE = """address-scope agent allowed-address-pairs auto-allocated-topology availability_zone binding default-subnetpools
    dhcp_agent_scheduler dns-integration ext-gw-mode external-net extra_dhcp_opt extraroute multi-provider net-mtu
    net-mtu-writable network-ip-availability network_availability_zone pagination port-security project-id provider qos
    quota_details quotas rbac-policies revision-if-match router router_availability_zone security-group sorting
    standard-attr-description standard-attr-revisions standard-attr-tag standard-attr-timestamp subnet_allocation trunk
    trunk-details"""
AGENTS = """dvr flavors ip-substring-filtering l3-flavors l3-ha l3_agent_scheduler metering service-type subnet-service-types"""
WALLABY = """address-group binding-extended dns-domain-ports fip-port-details filter-validation floating-ip-port-forwarding
    floatingip-pools port-device-profile port-mac-address-regenerate port-numa-affinity-policy port-resource-request
    qos-bw-limit-direction qos-default qos-fip qos-rule-type-details quota-check-limit rbac-security-groups
    security-groups-normalized-cidr security-groups-remote-address-group subnet-dns-publish-fixed-ip subnetpool-prefix-ops
    uplink-status-propagation"""
WALLABY_AGENTS = """agent-resources-synced data-plane-status empty-string-filtering extraroute-atomic network-availability-zone-filter
    stateful-security-group"""
ANTELOPE = """expose-port-forwarding-in-fip qos-gateway-ip qos-rule-type-filter security-groups-shared-filtering
    stateful-security-group subnet-service-types"""
ANTELOPE_AGENTS = "port-mac-override router-admin-state-down-before-update"

LOADED: dict[str, tuple[str, str]] = {
    # release -> with every driver, with agents (ML2/OVS) only
    "queens": (CORE, AGENTS),
    "wallaby": (f"{CORE} {WALLABY}", f"{AGENTS} {WALLABY_AGENTS}"),
    "antelope": (f"{CORE} {WALLABY} {ANTELOPE}", f"{AGENTS} {WALLABY_AGENTS} {ANTELOPE_AGENTS}"),
}


def loaded(release: Release) -> frozenset[str]:
    """The aliases that `GET /v2.0/extensions` lists."""
    always, with_agents = LOADED[release.name]
    return frozenset(always.split()) | (frozenset(with_agents.split()) if release.ml2 == "ovs" else frozenset())


def as_json(alias: str) -> dict[str, object]:
    # Clients look some up by name: "Availability Zone".
    name = alias.replace("-", " ").replace("_", " ").title()
    return {"alias": alias, "name": name, "description": f"{name}.", "updated": "2018-01-01T00:00:00-00:00", "links": []}
