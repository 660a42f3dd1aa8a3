"""What a tenant's servers and networks are, read through a cloud's public APIs by nothing of Millpond: equal portraits, equal servers.

Ids differ between clouds, so everything is told by name or address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.lab.foundation import Cloud

Facts = dict[str, Any]
MICROVERSION = "2.96"
"""Of the compute API: the newest that fields below need is 2.73, the lock's reason; both clouds know 2.90 at least."""
OWN = "millpond"
PROTOCOLS = {"112": "vrrp"}


class Portrait:
    """`servers`, `routers`, `networks`, `security_groups`: by name. `floating`: address → fixed address. `quotas`: by service, none of a project that is gone."""

    def __init__(self, cloud: Cloud, project_id: str) -> None:
        self.cloud, self.project = cloud, project_id
        network = cloud.network
        self._networks = {one.id: one.name for one in network.networks()}
        self._subnets = {one.id: one.cidr for one in network.subnets()}
        self._groups = {one.id: one.name for one in network.security_groups(project_id=project_id)}
        self._ports = list(network.ports(project_id=project_id))
        self._volumes = {one.id: one for one in cloud.block_storage.volumes(all_projects=True, project_id=project_id)}
        self._together = [one for one in cloud.compute.server_groups(all_projects=True) if one.project_id == project_id]
        listed = cloud.compute.servers(all_projects=True, project_id=project_id)
        self.servers = {one.name: self._server(one) for one in listed}
        addresses = network.ips(project_id=project_id)
        self.floating = {one.floating_ip_address: one.fixed_ip_address for one in addresses}
        self.routers = {one.name: self._router(one) for one in network.routers(project_id=project_id)}
        own = list(network.subnets(project_id=project_id))
        self.networks = {one.name: _network(one, own) for one in network.networks(project_id=project_id)}
        self.security_groups = {one.name: self._security_group(one) for one in network.security_groups(project_id=project_id)}
        self.quotas = self._quotas() if cloud.identity.find_project(project_id) else {}

    def _quotas(self) -> dict[str, dict[str, int]]:
        compute, storage, network = self.cloud.compute, self.cloud.block_storage, self.cloud.network
        return {
            "compute": _limits(compute.get_quota_set(self.project), ("instances", "cores", "ram", "key_pairs", "server_groups")),
            "volume": _limits(storage.get_quota_set(self.project), ("volumes", "gigabytes", "snapshots")),
            "network": _limits(
                network.get_quota(self.project), ("networks", "subnets", "ports", "routers", "floating_ips", "security_groups")
            ),
        }

    def _server(self, server: Any) -> Facts:
        nics = sorted((port for port in self._ports if port.device_id == server.id), key=lambda port: str(port.mac_address))
        groups = [(one.name, one.policy) for one in self._together if server.id in one.member_ids]
        disks = [self._volume(disk["id"]) for disk in server.attached_volumes]
        return {
            "status": server.status,
            "hostname": server.hostname,
            "description": server.description or "",
            "flavor": {key: server.flavor[key] for key in ("vcpus", "ram", "disk", "ephemeral", "swap", "extra_specs")},
            "key_name": server.key_name or "",
            "config_drive": bool(server.has_config_drive),
            "user_data": server.user_data,
            "metadata": without_own(server.metadata),
            "tags": sorted(server.tags),
            "locked": server.is_locked,
            "server_groups": groups,
            "ports": [self._port(port) for port in nics],
            "volumes": sorted(disks, key=lambda disk: str(disk["name"])),
        }

    def _port(self, port: Any) -> Facts:
        pairs = [(pair["ip_address"], pair.get("mac_address", port.mac_address)) for pair in port.allowed_address_pairs]
        return {
            "name": port.name,
            "network": self._networks[port.network_id],
            "mac_address": port.mac_address,
            "fixed_ips": sorted((self._subnets[ip["subnet_id"]], ip["ip_address"]) for ip in port.fixed_ips),
            "security_groups": sorted(self._groups[id] for id in port.security_group_ids),
            "allowed_address_pairs": sorted(pairs),
            "port_security_enabled": port.is_port_security_enabled,
            "admin_state_up": port.is_admin_state_up,
            "tags": own_tags(port),
        }

    def _volume(self, id: str) -> Facts:
        volume = self._volumes[id]
        return {
            "name": volume.name,
            "description": volume.description or "",
            "size": volume.size,
            "type": volume.volume_type,
            "bootable": volume.is_bootable,
            "multiattach": volume.is_multiattach,
            "servers": len(volume.attachments),
            "metadata": without_own(volume.metadata),
            "image_metadata": volume.volume_image_metadata or {},
            "status": volume.status,
        }

    def _router(self, router: Any) -> Facts:
        """A router whose gateway is off has no external network."""
        gateway = router.external_gateway_info or {}
        owners = ("network:router_interface", "network:ha_router_replicated_interface")
        inside = [port for port in self._ports if port.device_id == router.id and port.device_owner in owners]
        return {
            "external": self._networks.get(gateway.get("network_id", "")),
            "routes": sorted((route["destination"], route["nexthop"]) for route in router.routes),
            "interfaces": sorted(ip["ip_address"] for port in inside for ip in port.fixed_ips),
        }

    def _security_group(self, group: Any) -> Facts:
        rules = sorted((self._rule(rule) for rule in group.security_group_rules), key=str)
        return {"description": group.description, "rules": rules, "tags": own_tags(group)}

    def _rule(self, rule: Any) -> Facts:
        """A number and the name of a protocol are the same, and so are no prefix and that of all addresses."""
        prefix, protocol = rule["remote_ip_prefix"] or "", rule["protocol"] or ""
        kept = ("direction", "ethertype", "port_range_min", "port_range_max")
        return {
            **{key: rule[key] for key in kept},
            "description": rule["description"] or "",
            "protocol": PROTOCOLS.get(protocol, protocol),
            "remote_ip_prefix": "" if prefix.endswith("/0") else prefix,
            "remote_group": self._groups.get(rule["remote_group_id"] or "", ""),
        }


def _network(network: Any, subnets: list[Any]) -> Facts:
    segment = (network.provider_network_type, network.provider_physical_network, network.provider_segmentation_id)
    fields = {"segment": segment, "mtu": network.mtu, "description": network.description, "tags": own_tags(network)}
    return {**fields, "subnets": {one.name: _subnet(one) for one in subnets if one.network_id == network.id}}


def _subnet(subnet: Any) -> Facts:
    return {
        "cidr": subnet.cidr,
        "gateway_ip": subnet.gateway_ip,
        "dhcp": subnet.is_dhcp_enabled,
        "modes": (subnet.ipv6_ra_mode, subnet.ipv6_address_mode),
        "dns_nameservers": subnet.dns_nameservers,
        "host_routes": subnet.host_routes,
        "pools": sorted((pool["start"], pool["end"]) for pool in subnet.allocation_pools),
    }


def _limits(quota: Any, keys: tuple[str, ...]) -> dict[str, int]:
    return {key: quota[key] for key in keys}


def own_tags(resource: Any) -> list[str]:
    return sorted(tag for tag in resource.tags if not tag.startswith(OWN))


def without_own(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if not key.startswith(OWN)}
