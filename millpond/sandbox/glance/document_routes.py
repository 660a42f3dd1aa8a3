"""Version documents, schemas and the import information."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from millpond.sandbox.core.web import public
from millpond.sandbox.glance.service import DEFAULTS, READ_ONLY

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

TYPES = {"min_disk": "integer", "min_ram": "integer", "protected": "boolean", "os_hidden": "boolean", "tags": "array", "size": "integer"}
MEMBER = ("member_id", "image_id", "status", "created_at", "updated_at", "schema")


class Documents:
    def __init__(self, cloud: "Cloud") -> None:
        self.cloud = cloud

    def add(self, routes: web.RouteTableDef) -> None:
        routes.get("/")(public(self.choices))
        routes.get("/versions")(public(self.versions))
        routes.get("/v2/schemas/{name}")(self.schema)
        routes.get("/v2/info/import")(self.import_methods)
        routes.get("/v2/info/stores")(self.stores)

    async def choices(self, request: web.Request) -> web.Response:
        """Glance answers its root with 300 Multiple Choices."""
        return web.json_response(self._versions(), status=300)

    async def versions(self, request: web.Request) -> web.Response:
        return web.json_response(self._versions())

    async def schema(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        single = {"image": _image_schema(), "member": _schema("member", {key: {"type": "string"} for key in MEMBER})}
        if name in single:
            return web.json_response(single[name])
        singular = name.removesuffix("s")
        if singular == name or singular not in single:
            raise web.HTTPNotFound
        return web.json_response({"name": name, "properties": {name: {"type": "array", "items": single[singular]}}})

    async def import_methods(self, request: web.Request) -> web.Response:
        methods = {"description": "Import methods available.", "type": "array", "value": ["glance-direct"]}
        return web.json_response({"import-methods": methods})

    async def stores(self, request: web.Request) -> web.Response:
        return web.json_response({"stores": [{"id": "default", "default": "true"}]})

    def _versions(self) -> dict[str, Any]:
        link = {"rel": "self", "href": f"{self.cloud.base_url}/image/v2/"}
        last = int(self.cloud.release.glance_max.partition(".")[2])
        names = [f"v2.{minor}" for minor in range(last, -1, -1)]
        return {"versions": [{"id": name, "status": "SUPPORTED" if at else "CURRENT", "links": [link]} for at, name in enumerate(names)]}


def _image_schema() -> dict[str, Any]:
    names = sorted({"id", *DEFAULTS, *READ_ONLY})
    properties: dict[str, dict[str, Any]] = {name: {"type": TYPES.get(name, ["null", "string"])} for name in names}
    for name in READ_ONLY:
        properties[name]["readOnly"] = True
    return {**_schema("image", properties), "additionalProperties": {"type": "string"}}


def _schema(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "properties": properties}
