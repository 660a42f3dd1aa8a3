"""Metadata and tags of a server."""

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.web import caller
from millpond.sandbox.nova import refusals, schemas
from millpond.sandbox.nova.routes.parse import SERVER, checked, empty, minor, server
from millpond.sandbox.nova.service import NovaService
from millpond.sandbox.nova.validation import check

METADATA = SERVER + "/metadata"
ITEM = METADATA + "/{key}"
TAGS = SERVER + "/tags"
TAG = TAGS + "/{tag}"


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    _add_metadata(routes, nova)
    _add_items(routes, nova)
    _add_tags(routes, nova)
    _add_tag(routes, nova)


def _add_metadata(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(METADATA)
    async def index(request: web.Request) -> web.Response:
        return web.json_response({"metadata": server(request, nova)["metadata"]})

    @routes.post(METADATA)
    async def merge(request: web.Request) -> web.Response:
        given = (await checked(request, schemas.metadata))["metadata"]
        return web.json_response({"metadata": nova.metadata.merge(caller(request), server(request, nova), given)})

    @routes.put(METADATA)
    async def replace(request: web.Request) -> web.Response:
        given = (await checked(request, schemas.metadata))["metadata"]
        return web.json_response({"metadata": nova.metadata.replace(caller(request), server(request, nova), given)})


def _add_items(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(ITEM)
    async def show(request: web.Request) -> web.Response:
        key = request.match_info["key"]
        return web.json_response({"meta": {key: nova.metadata.item(server(request, nova), key)}})

    @routes.put(ITEM)
    async def put(request: web.Request) -> web.Response:
        given = (await checked(request, schemas.metadata_item))["meta"]
        if request.match_info["key"] not in given:
            raise refusals.bad_request("Request body and URI mismatch")
        nova.metadata.merge(caller(request), server(request, nova), given)
        return web.json_response({"meta": given})

    @routes.delete(ITEM)
    async def delete(request: web.Request) -> web.Response:
        nova.metadata.remove(caller(request), server(request, nova), request.match_info["key"])
        return empty()


def _since(request: web.Request) -> None:
    if minor(request) < 26:
        raise ApiError(404, "The resource could not be found.")


def _add_tags(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(TAGS)
    async def index(request: web.Request) -> web.Response:
        _since(request)
        return web.json_response({"tags": server(request, nova)["tags"]})

    @routes.put(TAGS)
    async def replace(request: web.Request) -> web.Response:
        _since(request)
        given = (await checked(request, schemas.tags))["tags"]
        return web.json_response({"tags": nova.metadata.set_tags(server(request, nova), given, "update tags")})

    @routes.delete(TAGS)
    async def clear(request: web.Request) -> web.Response:
        _since(request)
        nova.metadata.set_tags(server(request, nova), [], "delete tags")
        return empty()


def _add_tag(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(TAG)
    async def check_one(request: web.Request) -> web.Response:
        _since(request)
        nova.metadata.check_tag(server(request, nova), request.match_info["tag"])
        return empty()

    @routes.put(TAG)
    async def put(request: web.Request) -> web.Response:
        _since(request)
        row, tag = server(request, nova), request.match_info["tag"]
        check(schemas.tag, minor(request), tag)
        status = 204 if tag in row["tags"] else 201
        nova.metadata.set_tags(row, [*row["tags"], tag], "update tag")
        return empty(status)

    @routes.delete(TAG)
    async def delete(request: web.Request) -> web.Response:
        _since(request)
        row, tag = server(request, nova), request.match_info["tag"]
        nova.metadata.check_tag(row, tag)
        nova.metadata.set_tags(row, [other for other in row["tags"] if other != tag], "delete tag")
        return empty()
