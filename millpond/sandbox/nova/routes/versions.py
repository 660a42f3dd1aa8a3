"""Version discovery, which needs no token."""

from typing import Any

from aiohttp import web

from millpond.sandbox.core.web import public
from millpond.sandbox.nova.service import NovaService

TYPE = "application/vnd.openstack.compute+json;version=2.1"


def document(nova: NovaService, request: web.Request) -> dict[str, Any]:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": nova.cloud.release.nova_max,
        "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{request.url.origin()}/compute/v2.1/"}],
        "media-types": [{"base": "application/json", "type": TYPE}],
    }


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get("/")
    @public
    async def index(request: web.Request) -> web.Response:
        old = {
            "id": "v2.0",
            "status": "SUPPORTED",
            "version": "",
            "min_version": "",
            "updated": "2011-01-21T11:33:21Z",
            "links": [{"rel": "self", "href": f"{request.url.origin()}/compute/v2/"}],
        }
        current = {key: value for key, value in document(nova, request).items() if key != "media-types"}
        return web.json_response({"versions": [old, current]})

    @routes.get("/v2.1/")
    @public
    async def show(request: web.Request) -> web.Response:
        return web.json_response({"version": document(nova, request)})
