"""A router's external gateway: its port on an external network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron.collection import SERVICE
from millpond.sandbox.neutron.refusals import refused

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

KEYS = {"network_id", "enable_snat", "external_fixed_ips", "qos_policy_id"}
ADMIN_KEYS = ("enable_snat", "external_fixed_ips")


class Gateways:
    """A router row keeps `_gateway` (the port's id or None) and `_snat`."""

    def __init__(self, service: NeutronService) -> None:
        self.service = service

    def info(self, router: Row) -> dict[str, Any] | None:
        port = self.port(router)
        if port is None:
            return None
        return {"network_id": port["network_id"], "enable_snat": router["_snat"], "external_fixed_ips": port["fixed_ips"]}

    def port(self, router: Row) -> Row | None:
        return self.service.ports.get(router["_gateway"]) if router["_gateway"] else None

    def check(self, caller: Caller, action: str, info: Any) -> None:
        """Refuses a malformed `external_gateway_info`, or one with what only an admin may say."""
        if info is None or info == {}:
            return
        if not isinstance(info, dict) or not set(info) <= KEYS or "network_id" not in info:
            raise refused("HTTPBadRequest", reason=f"Invalid input for external_gateway_info. Reason: '{info}' is not valid.")
        for key in ADMIN_KEYS:
            if key in info and not caller.is_admin:
                raise refused("PolicyNotAuthorized", rule=f"{action}_router:external_gateway_info:{key}")
        network = self.service.networks.find(caller, info["network_id"])
        if not network["router:external"]:
            raise refused("BadRequest", resource="router", reason=f"Network {network['id']} is not an external network")

    def set(self, router: Row, info: dict[str, Any] | None) -> None:
        """Makes, moves, keeps or removes the gateway port so that it is as `info` says."""
        old = self.port(router)
        if not info:
            self.clear(router)
            return
        fixed_ips = info.get("external_fixed_ips")
        if old is not None and old["network_id"] == info["network_id"]:
            if fixed_ips is not None:
                self.service.ports.change(old, fixed_ips=self.service.ports.allocation(old).choose(fixed_ips))
                self.service.watch.port_changed(old)
        else:
            self._refuse_in_use(router)
            port = self._make(router, info["network_id"], fixed_ips)
            self.clear(router)
            self.service.routers.change(router, _gateway=port["id"])
            self.service.bindings.plug_later(port)
        self.service.routers.change(router, _snat=info.get("enable_snat", True))

    def clear(self, router: Row) -> None:
        self._refuse_in_use(router)
        port = self.port(router)
        if port is not None:
            self.service.routers.change(router, _gateway=None)
            self.service.ports.remove(port)

    def _make(self, router: Row, network_id: str, fixed_ips: Any) -> Row:
        body: Row = {
            "network_id": network_id,
            "project_id": "",  # gateway ports belong to nobody
            "device_id": router["id"],
            "device_owner": "network:router_gateway",
            "binding:host_id": self.service.agents.router_host(),
        }
        if fixed_ips is not None:
            body["fixed_ips"] = fixed_ips
        port = self.service.ports.make(SERVICE, body)
        if not port["fixed_ips"]:
            self.service.ports.remove(port)
            raise refused("BadRequest", resource="router", reason=f"No IPs available for external network {network_id}")
        return port

    def _refuse_in_use(self, router: Row) -> None:
        port = self.port(router)
        if port is not None and self.service.floatingips.table.where(router_id=router["id"], floating_network_id=port["network_id"]):
            raise refused("RouterExternalGatewayInUseByFloatingIp", id=router["id"], network=port["network_id"])
