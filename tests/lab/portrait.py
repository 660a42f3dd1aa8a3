"""What a tenant's servers are, read through a cloud's public APIs by nothing of Millpond: equal portraits, equal servers.

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


class Portrait:
    """`servers`: by name. `floating`: address → fixed address. `routers`: by name."""

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
        }

    def _volume(self, id: str) -> Facts:
        volume = self._volumes[id]
        return {
            "name": volume.name,
            "description": volume.description or "",
            "size": volume.size,
            "type": volume.volume_type,
            "bootable": volume.is_bootable,
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


def without_own(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if not key.startswith(OWN)}
