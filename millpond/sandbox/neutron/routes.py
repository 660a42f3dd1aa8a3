"""All else that Neutron's API has: versions, extensions, router actions, quotas, and lists that stay empty here."""

import ipaddress

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import caller, public
from millpond.sandbox.neutron import bodies, extensions
from millpond.sandbox.neutron.addresses import in_subnet
from millpond.sandbox.neutron.quotas import DEFAULTS
from millpond.sandbox.neutron.refusals import refused
from millpond.sandbox.neutron.service import NeutronService

EMPTY = {
    # path -> (key, extension)
    "subnetpools": ("subnetpools", "subnet_allocation"),
    "address-scopes": ("address_scopes", "address-scope"),
    "address-groups": ("address_groups", "address-group"),
    "trunks": ("trunks", "trunk"),
    "qos/policies": ("policies", "qos"),
    "rbac-policies": ("rbac_policies", "rbac-policies"),
    "flavors": ("flavors", "l3-flavors"),
    "service-providers": ("service_providers", "service-type"),
    "metering/metering-labels": ("metering_labels", "metering"),
}


class Routes:
    def __init__(self, service: NeutronService) -> None:
        self.service = service

    def add(self, routes: web.RouteTableDef) -> None:
        routes.get("/")(public(self.versions))
        routes.get("/v2.0/")(self.resources)
        routes.get("/v2.0/extensions")(self.extensions)
        routes.get("/v2.0/extensions/{alias}")(self.extension)
        routes.put("/v2.0/routers/{id}/add_router_interface")(self.add_router_interface)
        routes.put("/v2.0/routers/{id}/remove_router_interface")(self.remove_router_interface)
        routes.get("/v2.0/quotas")(self.quotas)
        routes.get("/v2.0/quotas/{id}/default")(self.quota_default)
        routes.get("/v2.0/quotas/{id}/{details:details(\\.json)?}")(self.quota_details)
        routes.get("/v2.0/quotas/{id}")(self.quota)
        routes.put("/v2.0/quotas/{id}")(self.set_quota)
        routes.delete("/v2.0/quotas/{id}")(self.reset_quota)
        routes.get("/v2.0/availability_zones")(self.availability_zones)
        routes.get("/v2.0/network-ip-availabilities")(self.ip_availabilities)
        routes.get("/v2.0/network-ip-availabilities/{id}")(self.ip_availability)
        for path, (_, extension) in EMPTY.items():
            if extension in self.service.extensions:
                routes.get(f"/v2.0/{path}")(self.nothing)

    async def versions(self, request: web.Request) -> web.Response:
        link = {"rel": "self", "href": f"{self.service.cloud.base_url}/network/v2.0/"}
        return web.json_response({"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})

    async def resources(self, request: web.Request) -> web.Response:
        base = f"{self.service.cloud.base_url}/network/v2.0"
        names = [collection.replace("_", "-") for collection in self.service.by_plural]
        found = [{"name": name.rstrip("s"), "collection": name, "links": [{"rel": "self", "href": f"{base}/{name}"}]} for name in names]
        return web.json_response({"resources": found})

    async def extensions(self, request: web.Request) -> web.Response:
        return web.json_response({"extensions": [extensions.as_json(alias) for alias in sorted(self.service.extensions)]})

    async def extension(self, request: web.Request) -> web.Response:
        alias = request.match_info["alias"]
        if alias not in self.service.extensions:
            raise refused("HTTPNotFound")
        return web.json_response({"extension": extensions.as_json(alias)})

    async def add_router_interface(self, request: web.Request) -> web.Response:
        body = await bodies.document(request)
        return web.json_response(self.service.interfaces.add(caller(request), request.match_info["id"], body))

    async def remove_router_interface(self, request: web.Request) -> web.Response:
        body = await bodies.document(request)
        return web.json_response(self.service.interfaces.remove(caller(request), request.match_info["id"], body))

    # Quotas

    async def quotas(self, request: web.Request) -> web.Response:
        self.service.quotas.authorize(caller(request), "get_quotas", "")
        rows = self.service.quotas.table
        found = [{"project_id": row["id"], "tenant_id": row["id"], **self.service.quotas.limits(row["id"])} for row in rows]
        return web.json_response({"quotas": found})

    async def quota(self, request: web.Request) -> web.Response:
        project_id = self._quota_project(request, "get_quota")
        return web.json_response({"quota": self.service.quotas.limits(project_id)})

    async def quota_default(self, request: web.Request) -> web.Response:
        self._quota_project(request, "get_quota")
        return web.json_response({"quota": DEFAULTS})

    async def quota_details(self, request: web.Request) -> web.Response:
        project_id = self._quota_project(request, "get_quota")
        return web.json_response({"quota": self.service.quotas.details(project_id)})

    async def set_quota(self, request: web.Request) -> web.Response:
        changes = bodies.one(await bodies.document(request), "quota")
        project_id = self._quota_project(request, "update_quota")
        return web.json_response({"quota": self.service.quotas.set(project_id, changes)})

    async def reset_quota(self, request: web.Request) -> web.Response:
        self.service.quotas.reset(self._quota_project(request, "delete_quota"))
        return web.Response(status=204)

    def _quota_project(self, request: web.Request, action: str) -> str:
        project_id = request.match_info["id"]
        self.service.quotas.authorize(caller(request), action, project_id)
        return project_id

    # Lists

    async def nothing(self, request: web.Request) -> web.Response:
        key, _ = EMPTY[request.path.partition("/v2.0/")[2].rstrip("/")]
        return web.json_response({key: []})

    async def availability_zones(self, request: web.Request) -> web.Response:
        zones = [{"name": "nova", "resource": kind, "state": "available"} for kind in ("network", "router")]
        return web.json_response({"availability_zones": [] if self.service.is_ovn else zones})

    async def ip_availabilities(self, request: web.Request) -> web.Response:
        self._refuse_tenant(request, "get_network_ip_availabilities")
        wanted = request.query.getall("network_id", [])
        rows = [row for row in self.service.networks.table if not wanted or row["id"] in wanted]
        return web.json_response({"network_ip_availabilities": [self._ip_availability(row) for row in rows]})

    async def ip_availability(self, request: web.Request) -> web.Response:
        self._refuse_tenant(request, "get_network_ip_availability")
        row = self.service.networks.find(caller(request), request.match_info["id"])
        return web.json_response({"network_ip_availability": self._ip_availability(row)})

    def _refuse_tenant(self, request: web.Request, rule: str) -> None:
        if not caller(request).is_admin:
            raise refused("PolicyNotAuthorized", rule=rule)

    def _ip_availability(self, network: Row) -> Row:
        subnets = [self._subnet_availability(subnet) for subnet in self.service.subnets.table.where(network_id=network["id"])]
        return {
            "network_id": network["id"],
            "network_name": network["name"],
            "project_id": network["project_id"],
            "tenant_id": network["project_id"],
            "total_ips": sum(subnet["total_ips"] for subnet in subnets),
            "used_ips": sum(subnet["used_ips"] for subnet in subnets),
            "subnet_ip_availability": subnets,
        }

    def _subnet_availability(self, subnet: Row) -> Row:
        ports = self.service.ports.table.where(network_id=subnet["network_id"])
        pools = [(ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])) for pool in subnet["allocation_pools"]]
        return {
            "subnet_id": subnet["id"],
            "subnet_name": subnet["name"],
            "ip_version": subnet["ip_version"],
            "cidr": subnet["cidr"],
            "total_ips": sum(int(end) - int(start) + 1 for start, end in pools),
            "used_ips": sum(in_subnet(subnet, item["ip_address"]) for port in ports for item in port["fixed_ips"]),
        }
