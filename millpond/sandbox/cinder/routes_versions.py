"""Version documents."""

from aiohttp import web

from millpond.sandbox.cinder.wire import CINDER, routes
from millpond.sandbox.core.callers import public
from millpond.sandbox.core.store import Row


def document(request: web.Request) -> Row:
    cloud = request.app[CINDER].cloud
    return {
        "id": "v3.0",
        "status": "CURRENT",
        "version": cloud.release.cinder_max,
        "min_version": "3.0",
        "updated": "2018-07-17T00:00:00Z",
        "links": [{"rel": "self", "href": f"{cloud.base_url}/volume/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}],
    }


@routes.get("/")
@public
async def list_versions(request: web.Request) -> web.Response:
    return web.json_response({"versions": [document(request)]}, status=300)


@routes.get("/v3/")
@public
async def show_version(request: web.Request) -> web.Response:
    return web.json_response({"versions": [document(request)]})
