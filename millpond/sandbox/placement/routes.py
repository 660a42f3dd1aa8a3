"""Placement over HTTP: for administrators only."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import ApiError, admin, microversion, public
from millpond.sandbox.placement.service import CLASSES, FIELDS, TRAITS, PlacementService

if TYPE_CHECKING:
    pass


class Routes:
    def __init__(self, service: PlacementService) -> None:
        self.cloud = service.cloud
        self.service = service

    def add(self, routes: web.RouteTableDef) -> None:
        routes.get("/")(public(self.versions))
        routes.get("/resource_classes")(self.resource_classes)
        routes.get("/traits")(self.traits)
        routes.get("/resource_providers")(self.providers)
        routes.get("/resource_providers/{id}")(self.provider)
        routes.get("/resource_providers/{id}/inventories")(self.inventories)
        routes.get("/resource_providers/{id}/inventories/{name}")(self.inventory)
        routes.get("/resource_providers/{id}/usages")(self.usages)
        routes.get("/resource_providers/{id}/traits")(self.provider_traits)
        routes.get("/resource_providers/{id}/aggregates")(self.aggregates)
        routes.get("/allocations/{consumer}")(self.allocations)
        routes.get("/allocation_candidates")(self.candidates)

    async def versions(self, request: web.Request) -> web.Response:
        version = {
            "id": "v1.0",
            "min_version": "1.0",
            "max_version": self.cloud.release.placement_max,
            "status": "CURRENT",
            "links": [{"rel": "self", "href": f"{self.cloud.base_url}/placement"}],
        }
        return web.json_response({"versions": [version]})

    async def resource_classes(self, request: web.Request) -> web.Response:
        _since(request, 2)
        links = [{"rel": "self", "href": f"/placement/resource_classes/{name}"} for name in CLASSES]
        found = [{"name": name, "links": [link]} for name, link in zip(CLASSES, links, strict=True)]
        return web.json_response({"resource_classes": found})

    async def traits(self, request: web.Request) -> web.Response:
        _since(request, 6)
        return web.json_response({"traits": list(TRAITS)})

    async def providers(self, request: web.Request) -> web.Response:
        admin(request)
        rows = [row for row in self.service.providers() if self._asked_for(request, row)]
        return web.json_response({"resource_providers": [self._view(request, row) for row in rows]})

    async def provider(self, request: web.Request) -> web.Response:
        return web.json_response(self._view(request, self._host(request)))

    async def inventories(self, request: web.Request) -> web.Response:
        return self._of(request, inventories=self.service.inventories(self._host(request)))

    async def inventory(self, request: web.Request) -> web.Response:
        host, name = self._host(request), request.match_info["name"]
        if name not in FIELDS:
            raise ApiError(404, f"No inventory of class {name} for {host['id']} found")
        return self._of(request, **self.service.inventories(host)[name])

    async def usages(self, request: web.Request) -> web.Response:
        return self._of(request, usages=self.service.usages(self._host(request)))

    async def provider_traits(self, request: web.Request) -> web.Response:
        _since(request, 6)
        return self._of(request, traits=list(TRAITS))

    async def aggregates(self, request: web.Request) -> web.Response:
        _since(request, 1)
        self._host(request)
        return web.json_response({"aggregates": []})

    async def allocations(self, request: web.Request) -> web.Response:
        admin(request)
        return web.json_response({"allocations": self.service.allocations(request.match_info["consumer"])})

    async def candidates(self, request: web.Request) -> web.Response:
        """The hosts that have room for `?resources=VCPU:2,MEMORY_MB:2048`."""
        admin(request)
        _since(request, 10)
        wanted = _resources(request)
        hosts = [row for row in self.service.providers() if self.service.fits(row, wanted)]
        if request.query.get("limit", "").isdigit():
            hosts = hosts[: int(request.query["limit"])]
        return web.json_response(
            {
                "allocation_requests": [_allocation(request, row, wanted) for row in hosts],
                "provider_summaries": {row["id"]: self._summary(request, row) for row in hosts},
            }
        )

    def _host(self, request: web.Request) -> Row:
        admin(request)
        return self.service.require(request.match_info["id"])

    def _asked_for(self, request: web.Request, row: Row) -> bool:
        asked = request.query
        if "resources" in asked and not self.service.fits(row, _resources(request)):
            return False
        return bool(asked.get("name", row["host"]) == row["host"] and asked.get("uuid", row["id"]) == row["id"])

    def _view(self, request: web.Request, row: Row) -> dict[str, Any]:
        own = f"/placement/resource_providers/{row['id']}"
        names = ["inventories", "usages", *(["aggregates"] if microversion(request) >= (1, 1) else [])]
        links = [{"rel": "self", "href": own}, *({"rel": name, "href": f"{own}/{name}"} for name in names)]
        found = {"uuid": row["id"], "name": row["host"], "generation": self.service.generation(row), "links": links}
        if microversion(request) >= (1, 14):
            found |= {"parent_provider_uuid": None, "root_provider_uuid": row["id"]}
        return found

    def _of(self, request: web.Request, **fields: Any) -> web.Response:
        generation = self.service.generation(self._host(request))
        return web.json_response({"resource_provider_generation": generation, **fields})

    def _summary(self, request: web.Request, row: Row) -> dict[str, Any]:
        used = self.service.usages(row)
        summary: dict[str, Any] = {
            "resources": {name: {"capacity": self.service.capacity(row, name), "used": used[name]} for name in FIELDS}
        }
        if microversion(request) >= (1, 17):
            summary["traits"] = list(TRAITS)
        if microversion(request) >= (1, 29):
            summary |= {"parent_provider_uuid": None, "root_provider_uuid": row["id"]}
        return summary


def _since(request: web.Request, minor: int) -> None:
    """A route that Placement did not have before that microversion."""
    admin(request)
    if microversion(request) < (1, minor):
        raise ApiError(404, "The resource could not be found.")


def _resources(request: web.Request) -> dict[str, int]:
    text = request.query.get("resources", "")
    pairs = [part.partition(":") for part in text.split(",")]
    if not text or not all(name in CLASSES and amount.isdigit() and int(amount) > 0 for name, _, amount in pairs):
        raise ApiError(
            400, f"Badly formed resources parameter. Expected resources query string parameter in form: ?resources=VCPU:2. Got: {text}."
        )
    return {name: int(amount) for name, _, amount in pairs}


def _allocation(request: web.Request, row: Row, wanted: dict[str, int]) -> dict[str, Any]:
    """A list of providers before 1.12, an object by provider since."""
    if microversion(request) < (1, 12):
        return {"allocations": [{"resource_provider": {"uuid": row["id"]}, "resources": wanted}]}
    found: dict[str, Any] = {"allocations": {row["id"]: {"resources": wanted}}}
    return found | {"mappings": {"": [row["id"]]}} if microversion(request) >= (1, 34) else found
