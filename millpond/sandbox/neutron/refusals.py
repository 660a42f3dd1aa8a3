"""Neutron's refusals: type, status and message (neutron_lib/exceptions, neutron/ipam/exceptions.py, neutron/extensions)."""

from typing import Any

from millpond.sandbox.core.web import ApiError

REFUSALS: dict[str, tuple[int, str]] = {
    "HTTPBadRequest": (400, "{reason}"),
    "InvalidInput": (400, "Invalid input for operation: {reason}."),
    "BadRequest": (400, "Bad {resource} request: {reason}."),
    "PolicyNotAuthorized": (403, "rule:{rule} is disallowed by policy"),
    "HTTPNotFound": (404, "The resource could not be found."),
    "RevisionNumberConstraintFailed": (412, "Constrained to {expected}, but current revision is {current}"),
    "OverQuota": (409, "Quota exceeded for resources: {overs}."),
    # networks
    "NetworkNotFound": (404, "Network {id} could not be found."),
    "NetworkInUse": (409, "Unable to complete operation on network {id}. There are one or more ports still in use on the network."),
    "VlanIdInUse": (409, "Unable to create the network. The VLAN {vlan} on physical network {physical_network} is in use."),
    "TunnelIdInUse": (409, "Unable to create the network. The tunnel ID {tunnel} is in use."),
    "FlatNetworkInUse": (409, "Unable to create the flat network. Physical network {physical_network} is in use."),
    "InvalidSharedSetting": (409, "Unable to reconfigure sharing settings for network {id}. Multiple projects are using it."),
    "ExternalNetworkInUse": (409, "External network {id} cannot be updated to be made non-external, since it has existing gateway ports."),
    # subnets and addresses
    "SubnetNotFound": (404, "Subnet {id} could not be found."),
    "SubnetInUse": (409, "Unable to complete operation on subnet {id}: {reason}"),
    "GatewayIpInUse": (409, "Current gateway ip {ip} already in use by port {port}. Unable to update."),
    "GatewayConflictWithAllocationPools": (409, "Gateway ip {ip} conflicts with allocation pool {pool}."),
    "OutOfBoundsAllocationPool": (400, "The allocation pool {pool} spans beyond the subnet cidr {cidr}."),
    "OverlappingAllocationPools": (409, "Found overlapping allocation pools: {one} {other} for subnet {cidr}."),
    "InvalidAllocationPool": (400, "The allocation pool {pool} is not valid."),
    "InvalidIpForNetwork": (400, "IP address {ip} is not a valid IP for any of the subnets on the specified network."),
    "InvalidIpForSubnet": (400, "IP address {ip} is not a valid IP for the specified subnet."),
    "IpAddressAlreadyAllocated": (409, "IP address {ip} already allocated in subnet {subnet}"),
    "IpAddressGenerationFailure": (409, "No more IP addresses available on network {id}."),
    "AllocationOnAutoAddressSubnet": (
        400,
        "IPv6 address {ip} cannot be directly assigned to a port on subnet {subnet} as the subnet is configured for automatic addresses",
    ),
    # ports
    "PortNotFound": (404, "Port {id} could not be found."),
    "PortInUse": (
        409,
        "Unable to complete operation on port {id} for network {network}. Port already has an attached device {device}.",
    ),
    "ServicePortInUse": (409, "Port {id} cannot be deleted directly via the port API: {reason}."),
    "PortBound": (
        409,
        "Unable to complete operation on port {id}, port is already bound, port type: {vif}, old_mac {old}, new_mac {new}.",
    ),
    "MacAddressInUse": (409, "Unable to complete operation for network {id}. The mac address {mac} is in use."),
    "PortSecurityPortHasSecurityGroup": (
        409,
        "Port has security group associated. Cannot disable port security or IP address until security group is removed.",
    ),
    "PortSecurityAndIPRequiredForSecurityGroups": (
        400,
        "Port security must be enabled and port must have an IP address in order to use security groups.",
    ),
    "AddressPairAndPortSecurityRequired": (409, "Port Security must be enabled in order to have allowed address pairs on a port."),
    "AllowedAddressPairExhausted": (400, "The number of allowed address pair exceeds the maximum {limit}."),
    "DuplicateAddressPairInRequest": (400, "Request contains duplicate address pair: mac_address {mac} ip_address {ip}."),
    # routers and floating IPs
    "RouterNotFound": (404, "Router {id} could not be found"),
    "RouterInUse": (409, "Router {id} {reason}"),
    "RouterInterfaceNotFound": (404, "Router {id} does not have an interface with id {port}"),
    "RouterInterfaceNotFoundForSubnet": (404, "Router {id} has no interface on subnet {subnet}"),
    "RouterInterfaceInUseByFloatingIP": (
        409,
        "Router interface for subnet {subnet} on router {id} cannot be deleted, as it is required by one or more floating IPs.",
    ),
    "RouterInterfaceInUseByRoute": (
        409,
        "Router interface for subnet {subnet} on router {id} cannot be deleted, as it is required by one or more routes.",
    ),
    "RouterExternalGatewayInUseByFloatingIp": (
        409,
        "Gateway cannot be updated for router {id}, since a gateway to external network {network} is required by one or more floating IPs.",
    ),
    "InvalidRoutes": (400, "Invalid format for routes: {routes}, {reason}"),
    "RoutesExhausted": (400, "Unable to complete operation for {id}. The number of routes exceeds the maximum {limit}."),
    "FloatingIPNotFound": (404, "Floating IP {id} could not be found"),
    "ExternalGatewayForFloatingIPNotFound": (
        404,
        "External network {network} is not reachable from subnet {subnet}.  Therefore, cannot associate Port {port} with a Floating IP.",
    ),
    "FloatingIPPortAlreadyAssociated": (
        409,
        "Cannot associate floating IP {ip} ({id}) with port {port} using fixed IP {fixed_ip}, "
        "as that fixed IP already has a floating IP on external network {network}.",
    ),
    # security groups
    "SecurityGroupNotFound": (404, "Security group {id} does not exist"),
    "SecurityGroupRuleNotFound": (404, "Security group rule {id} does not exist"),
    "SecurityGroupInUse": (409, "Security Group {id} in use."),
    "SecurityGroupCannotRemoveDefault": (409, "Insufficient rights for removing default security group."),
    "SecurityGroupCannotUpdateDefault": (409, "Updating default security group not allowed."),
    "SecurityGroupDefaultAlreadyExists": (409, "Default security group already exists."),
    "SecurityGroupRuleExists": (409, "Security group rule already exists. Rule id is {id}."),
    "SecurityGroupInvalidPortRange": (400, "For TCP/UDP protocols, port_range_min must be <= port_range_max"),
    "SecurityGroupProtocolRequiredWithPorts": (400, "Must also specify protocol if port range is given."),
    "SecurityGroupRemoteGroupAndRemoteIpPrefix": (400, "Only remote_ip_prefix or remote_group_id may be provided."),
    "SecurityGroupRuleParameterConflict": (400, "Conflicting value ethertype {ethertype} for CIDR {cidr}"),
    "SecurityGroupMissingIcmpType": (400, "ICMP code (port-range-max) {value} is provided but ICMP type (port-range-min) is missing."),
    # tags and quotas
    "TagResourceNotFound": (404, "Resource {resource} {id} could not be found."),
    "TagNotFound": (404, "Tag {tag} could not be found."),
    "QuotaResourceUnknown": (404, "Unknown quota resources {unknown}."),
    "InvalidQuotaValue": (409, "Change would make usage less than 0 for the following resources: {unders}."),
    "TenantQuotaNotFound": (404, "Quota for tenant {id} could not be found."),
}


def refused(kind: str, **values: Any) -> ApiError:
    """The refusal of that type; `values` fill in its message."""
    status, message = REFUSALS[kind]
    return ApiError(status, message.format(**values), kind)
