"""The attribute tables of the resources (neutron_lib/api/definitions, default policies of Queens)."""

from millpond.sandbox.neutron import conversions as to
from millpond.sandbox.neutron.attributes import Attribute, Default, shown

STANDARD = (
    shown("id"),
    Attribute("description", to.optional(to.string), ""),
    shown("status"),
    shown("tags", "standard-attr-tag"),
    shown("created_at", "standard-attr-timestamp"),
    shown("updated_at", "standard-attr-timestamp"),
    shown("revision_number", "standard-attr-revisions"),
)
NAMED = (*STANDARD, Attribute("name", to.string, ""))
ROUTE = to.document({"destination": to.cidr, "nexthop": to.address})
FIXED_IP = to.document({}, {"subnet_id": to.string, "ip_address": to.address})
POOL = to.document({"start": to.address, "end": to.address})
IPV6_MODES = to.optional(to.one_of("dhcpv6-stateful", "dhcpv6-stateless", "slaac"))

NETWORK = (
    *NAMED,
    Attribute("admin_state_up", to.boolean, default=True),
    Attribute("shared", to.boolean, default=False, write="admin"),
    shown("subnets"),
    Attribute("router:external", to.boolean, default=False, extension="external-net", write="admin"),
    Attribute("is_default", to.boolean, default=False, extension="auto-allocated-topology", write="admin"),
    Attribute("mtu", to.integer, 0, extension="net-mtu-writable"),
    Attribute("port_security_enabled", to.boolean, default=True, extension="port-security"),
    Attribute("dns_domain", to.string, "", extension="dns-integration"),
    Attribute("qos_policy_id", to.optional(to.string), None, extension="qos"),
    Attribute("availability_zone_hints", to.unique(to.string), [], put=False, extension="network_availability_zone"),
    shown("availability_zones", "network_availability_zone"),
    shown("ipv4_address_scope", "address-scope"),
    shown("ipv6_address_scope", "address-scope"),
    Attribute("provider:network_type", to.string, extension="provider", write="admin", read="admin"),
    Attribute("provider:physical_network", to.optional(to.string), extension="provider", write="admin", read="admin"),
    Attribute("provider:segmentation_id", to.optional(to.integer), extension="provider", write="admin", read="admin"),
)
SUBNET = (
    *(item for item in NAMED if item.name != "status"),
    Attribute("network_id", to.string, Default.REQUIRED, put=False),
    Attribute("ip_version", to.one_of(4, 6), Default.REQUIRED, put=False),
    Attribute("cidr", to.cidr, put=False),
    Attribute("gateway_ip", to.optional(to.address)),
    Attribute("allocation_pools", to.list_of(POOL)),
    Attribute("dns_nameservers", to.unique(to.address), []),
    Attribute("host_routes", to.list_of(ROUTE), []),
    Attribute("enable_dhcp", to.boolean, default=True),
    Attribute("ipv6_ra_mode", IPV6_MODES, None, put=False),
    Attribute("ipv6_address_mode", IPV6_MODES, None, put=False),
    Attribute("subnetpool_id", to.optional(to.one_of()), None, put=False, extension="subnet_allocation"),
    Attribute("service_types", to.unique(to.service_type), [], extension="subnet-service-types", write="admin"),
    Attribute("dns_publish_fixed_ip", to.boolean, default=False, extension="subnet-dns-publish-fixed-ip"),
)
PORT = (
    *NAMED,
    Attribute("network_id", to.string, Default.REQUIRED, put=False),
    Attribute("admin_state_up", to.boolean, default=True),
    Attribute("mac_address", to.mac, write="network owner"),
    Attribute("fixed_ips", to.list_of(FIXED_IP)),
    Attribute("device_id", to.string, ""),
    Attribute("device_owner", to.string, ""),
    Attribute("security_groups", to.unique(to.string), extension="security-group"),
    Attribute("port_security_enabled", to.boolean, extension="port-security", write="network owner"),
    Attribute(
        "allowed_address_pairs",
        to.list_of(to.document({"ip_address": to.string}, {"mac_address": to.mac})),
        [],
        extension="allowed-address-pairs",
        write="network owner",
    ),
    Attribute(
        "extra_dhcp_opts",
        to.list_of(to.dhcp_option),
        [],
        extension="extra_dhcp_opt",
    ),
    Attribute("binding:vnic_type", to.string, "normal", extension="binding"),
    Attribute("binding:host_id", to.optional(to.string), "", extension="binding", write="admin", read="admin"),
    Attribute("binding:profile", to.optional(to.anything), {}, extension="binding", write="admin", read="admin"),
    shown("binding:vif_type", "binding", read="admin"),
    shown("binding:vif_details", "binding", read="admin"),
    Attribute("dns_name", to.string, "", extension="dns-integration"),
    shown("dns_assignment", "dns-integration"),
    Attribute("dns_domain", to.string, "", extension="dns-domain-ports"),
    Attribute("qos_policy_id", to.optional(to.string), None, extension="qos"),
    shown("qos_network_policy_id", "qos-default"),
    shown("resource_request", "port-resource-request", read="admin"),
    Attribute("propagate_uplink_status", to.boolean, default=False, put=False, extension="uplink-status-propagation"),
    Attribute("numa_affinity_policy", to.optional(to.string), None, extension="port-numa-affinity-policy", write="admin"),
    Attribute("device_profile", to.optional(to.string), None, put=False, extension="port-device-profile", write="admin"),
    Attribute(
        "data_plane_status", to.optional(to.one_of("ACTIVE", "DOWN")), None, post=False, extension="data-plane-status", write="admin"
    ),
)
ROUTER = (
    *NAMED,
    Attribute("admin_state_up", to.boolean, default=True),
    Attribute("external_gateway_info", to.anything, None),
    Attribute("routes", to.list_of(ROUTE), post=False, extension="extraroute"),
    Attribute("distributed", to.boolean, default=False, extension="dvr", write="admin", read="admin"),
    Attribute("ha", to.boolean, default=False, extension="l3-ha", write="admin", read="admin"),
    Attribute("flavor_id", to.optional(to.string), None, put=False, extension="l3-flavors"),
    Attribute("availability_zone_hints", to.unique(to.string), [], put=False, extension="router_availability_zone"),
    shown("availability_zones", "router_availability_zone"),
)
FLOATINGIP = (
    *STANDARD,
    Attribute("floating_network_id", to.string, Default.REQUIRED, put=False),
    Attribute("floating_ip_address", to.optional(to.address), None, put=False, write="admin"),
    Attribute("subnet_id", to.optional(to.string), None, put=False),
    Attribute("port_id", to.optional(to.string), None),
    Attribute("fixed_ip_address", to.optional(to.address), None),
    shown("router_id"),
    Attribute("dns_name", to.string, "", put=False, extension="dns-integration"),
    Attribute("dns_domain", to.string, "", put=False, extension="dns-integration"),
    Attribute("qos_policy_id", to.optional(to.string), None, extension="qos-fip"),
    shown("port_details", "fip-port-details"),
    shown("port_forwardings", "expose-port-forwarding-in-fip"),
)
SECURITY_GROUP = (
    *(item for item in NAMED if item.name != "status"),
    shown("security_group_rules"),
    Attribute("stateful", to.boolean, default=True, extension="stateful-security-group"),
    shown("shared", "security-groups-shared-filtering"),
)
SECURITY_GROUP_RULE = (
    *(item for item in STANDARD if item.name not in ("status", "tags")),
    Attribute("security_group_id", to.string, Default.REQUIRED, put=False),
    Attribute("direction", to.one_of("ingress", "egress"), Default.REQUIRED, put=False),
    Attribute("ethertype", to.ethertype, "IPv4", put=False),
    Attribute("protocol", to.anything, None, put=False),
    Attribute("port_range_min", to.optional(to.integer), None, put=False),
    Attribute("port_range_max", to.optional(to.integer), None, put=False),
    Attribute("remote_ip_prefix", to.anything, None, put=False),
    Attribute("remote_group_id", to.optional(to.string), None, put=False),
    Attribute("remote_address_group_id", to.optional(to.one_of()), None, put=False, extension="security-groups-remote-address-group"),
    shown("normalized_cidr", "security-groups-normalized-cidr"),
)
AGENT = (
    *(
        shown(name)
        for name in (
            "id",
            "agent_type",
            "binary",
            "host",
            "topic",
            "availability_zone",
            "alive",
            "configurations",
            "heartbeat_timestamp",
            "created_at",
            "started_at",
            "resource_versions",
        )
    ),
    Attribute("admin_state_up", to.boolean, default=True, post=False, write="admin"),
    Attribute("description", to.optional(to.string), None, post=False, write="admin"),
)
