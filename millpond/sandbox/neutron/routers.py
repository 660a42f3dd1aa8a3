"""Routers and their extra routes."""

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron import tables
from millpond.sandbox.neutron.addresses import in_subnet
from millpond.sandbox.neutron.collection import Collection
from millpond.sandbox.neutron.refusals import refused

INTERFACE = "network:router_interface"
MAX_ROUTES = 30
Routes = list[dict[str, str]]


class Routers(Collection):
    singular, plural, not_found = "router", "routers", "RouterNotFound"
    attributes = tables.ROUTER

    def complete(self, row: Row) -> Row:
        zones = ["nova"] if row["_gateway"] or self.interfaces(row["id"]) else []
        return {**row, "external_gateway_info": self.service.gateways.info(row), "availability_zones": zones}

    def create(self, caller: Caller, body: Row) -> Row:
        values = self.schema.for_create(caller, body)
        info = values.pop("external_gateway_info")
        self.service.gateways.check(caller, "create", info)
        self.service.quotas.claim(values["project_id"], "router")
        row = self.add(**values, status="ACTIVE", routes=[], _gateway=None, _snat=True)
        try:
            self.service.gateways.set(row, info)
        except Exception:
            self.remove(row)
            raise
        return row

    def update(self, caller: Caller, id: str, body: Row) -> Row:
        row = self.writable(caller, "update", id)
        changes = self.schema.for_update(caller, body)
        if "routes" in changes:
            self._check_routes(row, changes["routes"])
        if "external_gateway_info" in changes:
            info = changes.pop("external_gateway_info")
            self.service.gateways.check(caller, "update", info)
            self.service.gateways.set(row, info)
        self.change(row, **changes)
        for port in self.service.ports.of_device(id):
            self.service.watch.port_changed(port)
        return row

    def delete(self, caller: Caller, id: str) -> None:
        row = self.writable(caller, "delete", id)
        if self.interfaces(id):
            raise refused("RouterInUse", id=id, reason="still has ports")
        self.service.gateways.clear(row)
        self.remove(row)

    def interfaces(self, id: str) -> list[Row]:
        return self.service.ports.of_device(id, INTERFACE)

    def subnets(self, row: Row) -> list[Row]:
        """Attached subnets, the gateway's included."""
        gateway = self.service.gateways.port(row)
        ports = [*self.interfaces(row["id"]), *([gateway] if gateway else [])]
        ids = dict.fromkeys(item["subnet_id"] for port in ports for item in port["fixed_ips"])
        return [self.service.subnets.require(id) for id in ids]

    def _check_routes(self, row: Row, routes: Routes) -> None:
        if len(routes) > MAX_ROUTES:
            raise refused("RoutesExhausted", id=row["id"], limit=MAX_ROUTES)
        own = {item["ip_address"] for port in self.service.ports.of_device(row["id"]) for item in port["fixed_ips"]}
        for route in routes:
            if not any(in_subnet(subnet, route["nexthop"]) for subnet in self.subnets(row)):
                raise refused("InvalidRoutes", routes=routes, reason="the nexthop is not connected with router")
            if route["nexthop"] in own:
                raise refused("InvalidRoutes", routes=routes, reason="the nexthop is used by router")
