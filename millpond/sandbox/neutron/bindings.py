"""Where a port is plugged: the seam to Nova, and when a port is ACTIVE."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import ApiError
from millpond.sandbox.neutron.collection import SERVICE
from millpond.sandbox.neutron.refusals import refused

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

DETAILS = {
    "ovs": {"port_filter": True, "datapath_type": "system", "ovs_hybrid_plug": True},
    "ovn": {"port_filter": True, "connectivity": "l2", "bound_drivers": {"0": "ovn"}},
}


class Bindings:
    """`_plugged` on a port: its interface exists on the host; ACTIVE is that and admin_state_up."""

    def __init__(self, service: NeutronService) -> None:
        self.service = service
        self._event = f"{service.cloud.name}/neutron/plugged"
        service.cloud.world.events.on(self._event, self.plugged)

    def resolve(self, host: str) -> dict[str, Any]:
        """The binding attributes of a port on that host: only a host with an agent can bind."""
        if not host:
            return {"binding:vif_type": "unbound", "binding:vif_details": {}}
        if not self.service.agents.binds(host):
            return {"binding:vif_type": "binding_failed", "binding:vif_details": {}}
        return {"binding:vif_type": "ovs", "binding:vif_details": DETAILS[self.service.cloud.release.ml2]}

    def plug_later(self, port: Row) -> None:
        """An agent will plug the port after delays.port_up."""
        self.service.cloud.world.events.at(self.service.cloud.world.settings.delays.port_up, self._event, port_id=port["id"])

    def plugged(self, port_id: str) -> None:
        port = self.service.ports.get(port_id)
        if port is not None:
            self._set(port, _plugged=True)

    def port_changed(self, port: Row, changes: Row) -> None:
        """A port that is switched off loses its interface at once and gets it back when switched on."""
        if {"admin_state_up", "binding:host_id"} & set(changes):
            self._set(port)

    def _set(self, port: Row, **changes: Any) -> None:
        after = {**port, **changes}
        # ML2/OVN neither binds a router's ports to a host nor switches one off alone.
        of_router = after["device_owner"].startswith("network:router")
        bound = of_router or after["binding:vif_type"] == "ovs"
        enabled = after["admin_state_up"] or (of_router and self.service.is_ovn)
        active = after["_plugged"] and enabled and bound
        changes["status"] = "ACTIVE" if active else "DOWN"
        if any(port.get(name) != value for name, value in changes.items()):
            self.service.ports.change(port, **changes)
        self.service.watch.port_changed(port)

    # What Nova calls.

    def port_for_boot(self, port_id: str, project_id: str, hostname: str | None = None) -> Row:
        """The port, if a server of that project may use it; else Nova's refusals (nova/network/neutron.py).

        ApiError 400: no such port, no address, another project's; 409: in use, or its dns_name is not the server's hostname.
        """
        port = self.service.ports.get(port_id)
        if port is None:
            raise ApiError(400, f"Port id {port_id} could not be found.")
        if port["device_id"]:
            raise ApiError(409, f"Port {port_id} is still in use.")
        if port["project_id"] != project_id:
            raise ApiError(400, f"Port {port_id} not usable for instance.")
        if not port["fixed_ips"]:
            raise ApiError(400, f"Port {port_id} requires a FixedIP in order to be used.")
        if hostname is not None and port["dns_name"] not in ("", hostname):
            reason = f"Value {port['dns_name']} assigned to dns_name attribute does not match instance's hostname {hostname}"
            raise ApiError(409, f"Port {port_id} not usable for instance. {reason}")
        return port

    def bind_port(self, port_id: str, server_id: str, host: str, zone: str = "nova", hostname: str = "") -> Row:
        """Gives the port to a server on that host. It stays DOWN until `port_active`. ApiError 404."""
        port = self.service.ports.require(port_id)
        binding = {"binding:host_id": host, **self.resolve(host)}
        owner = {"device_id": server_id, "device_owner": f"compute:{zone}", "dns_name": hostname or port["dns_name"]}
        self.service.ports.change(port, **owner, **binding)
        self._set(port, _plugged=False)
        return port

    def port_active(self, port_id: str) -> bool:
        """The server's interface is up. False when the port has gone or is switched off: it never becomes ACTIVE then."""
        port = self.service.ports.get(port_id)
        if port is None:
            return False
        self._set(port, _plugged=True)
        return bool(port["status"] == "ACTIVE")

    def port_down(self, port_id: str) -> None:
        """The server stopped: its interface is gone, the binding stays."""
        port = self.service.ports.get(port_id)
        if port is not None:
            self._set(port, _plugged=False)

    def unbind_port(self, port_id: str, delete_if_created_by_nova: bool) -> None:
        """The server let go of the port: one that Nova made is deleted, another is free again. No error when it has gone."""
        port = self.service.ports.get(port_id)
        if port is None:
            return
        if delete_if_created_by_nova:
            self.service.ports.remove(port)
            return
        free = {"device_id": "", "device_owner": "", "binding:host_id": "", "dns_name": "", **self.resolve("")}
        self.service.ports.change(port, **free)
        self._set(port, _plugged=False)

    def create_port_for_nova(
        self, project_id: str, network_id: str, fixed_ip: str | None = None, security_groups: Iterable[str] | None = None
    ) -> Row:
        """The port that Nova makes for a server that named only a network; groups by name or id (default: "default")."""
        groups = [self._group(project_id, group) for group in security_groups or []]
        body: Row = {"network_id": network_id, "project_id": project_id}
        if fixed_ip is not None:
            body["fixed_ips"] = [{"ip_address": fixed_ip}]
        if groups:
            body["security_groups"] = groups
        return self.service.ports.create(SERVICE, body)

    def _group(self, project_id: str, name: str) -> str:
        self.service.security_groups.ensure_default(project_id)
        for group in self.service.security_groups.table.where(project_id=project_id):
            if name in (group["id"], group["name"]):
                return str(group["id"])
        raise refused("SecurityGroupNotFound", id=name)

    def server_addresses(self, server_id: str, port_ids: Iterable[str] | None = None) -> dict[str, list[dict[str, Any]]]:
        """Nova's `addresses`: by network name, in the order of `port_ids` (else of creation), fixed before floating."""
        ports = self.service.ports.of_device(server_id)
        if port_ids is not None:
            order = list(port_ids)
            ports = sorted((port for port in ports if port["id"] in order), key=lambda port: order.index(port["id"]))
        found: dict[str, list[dict[str, Any]]] = {}
        for port in ports:
            name = self.service.networks.require(port["network_id"])["name"]
            found.setdefault(name, []).extend(self._addresses(port))
        return found

    def _addresses(self, port: Row) -> list[dict[str, Any]]:
        fixed = [(item["ip_address"], "fixed") for item in port["fixed_ips"]]
        floating = [(row["floating_ip_address"], "floating") for row in self.service.floatingips.table.where(port_id=port["id"])]
        return [
            {"version": 6 if ":" in ip else 4, "addr": ip, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": port["mac_address"]}
            for ip, kind in fixed + floating
        ]
