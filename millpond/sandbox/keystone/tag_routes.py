"""Project tags."""

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import body, caller
from millpond.sandbox.keystone.service import KeystoneService
from millpond.sandbox.keystone.tags import check_tags

COLLECTION = "/v3/projects/{id}/tags"
MEMBER = "/v3/projects/{id}/tags/{tag}"


def add(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    _add_collection(routes, keystone)
    _add_member(routes, keystone)


def _project(keystone: KeystoneService, request: web.Request) -> Row:
    who, id = caller(request), request.match_info["id"]
    reads_own = request.method in ("GET", "HEAD") and id == who.project_id
    if not who.is_admin and not reads_own:
        raise ApiError(403, "You are not authorized to perform the requested action.")
    return keystone.require("project", id)


def _tagged(keystone: KeystoneService, request: web.Request) -> Row:
    row = _project(keystone, request)
    if request.match_info["tag"] not in row["tags"]:
        raise ApiError(404, f"Could not find project tag: {request.match_info['tag']}.")
    return row


def _answer(request: web.Request, row: Row) -> web.Response:
    return web.json_response({"tags": row["tags"], "links": {"self": str(request.url), "previous": None, "next": None}})


def _add_collection(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    projects = keystone.projects

    @routes.get(COLLECTION)
    async def index(request: web.Request) -> web.Response:
        return _answer(request, _project(keystone, request))

    @routes.put(COLLECTION)
    async def replace(request: web.Request) -> web.Response:
        tags = (await body(request)).get("tags")
        row = _project(keystone, request)
        check_tags(tags)
        return _answer(request, projects.update(row["id"], tags=tags))

    @routes.delete(COLLECTION)
    async def clear(request: web.Request) -> web.Response:
        projects.update(_project(keystone, request)["id"], tags=[])
        return web.Response(status=204)


def _add_member(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    projects = keystone.projects

    @routes.get(MEMBER)
    async def check(request: web.Request) -> web.Response:
        _tagged(keystone, request)
        return web.Response(status=204)

    @routes.put(MEMBER)
    async def put(request: web.Request) -> web.Response:
        row, tag = _project(keystone, request), request.match_info["tag"]
        tags = [*row["tags"], tag]  # one that is there already is refused as a doubled one (keystone/api/projects.py)
        check_tags(tags)
        projects.update(row["id"], tags=tags)
        return web.Response(status=201)

    @routes.delete(MEMBER)
    async def delete(request: web.Request) -> web.Response:
        row = _tagged(keystone, request)
        projects.update(row["id"], tags=[tag for tag in row["tags"] if tag != request.match_info["tag"]])
        return web.Response(status=204)
