"""Servers themselves, and their addresses and actions."""

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import caller
from millpond.sandbox.nova import schemas
from millpond.sandbox.nova.routes.parse import SERVER, checked, empty, minor, paged, server, view
from millpond.sandbox.nova.server_listing import listed
from millpond.sandbox.nova.service import NovaService


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    _add_collection(routes, nova)
    _add_member(routes, nova)
    _add_parts(routes, nova)
    _add_actions(routes, nova)


def _add_collection(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get("/v2.1/servers")
    async def index(request: web.Request) -> web.Response:
        rows = listed(nova.servers, caller(request), request.query, minor(request))
        return paged(request, rows, "servers", view(request, nova).basic)

    @routes.get("/v2.1/servers/detail")
    async def detail(request: web.Request) -> web.Response:
        rows = listed(nova.servers, caller(request), request.query, minor(request))
        shown = view(request, nova)
        return paged(request, rows, "servers", lambda row: shown.detailed(row, with_groups=False))

    @routes.post("/v2.1/servers")
    async def create(request: web.Request) -> web.Response:
        document = await checked(request, schemas.create_server)
        hints = document.get("os:scheduler_hints") or document.get("OS-SCH-HNT:scheduler_hints") or {}
        row = nova.boot.create(caller(request), document["server"], hints, minor(request))
        shown = view(request, nova).created(row, document["server"].get("security_groups"))
        location = {"Location": shown["links"][0]["href"]}
        return web.json_response({"server": shown}, status=202, headers=location)


def _add_member(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(SERVER)
    async def show(request: web.Request) -> web.Response:
        return web.json_response({"server": view(request, nova).detailed(server(request, nova))})

    @routes.put(SERVER)
    async def update(request: web.Request) -> web.Response:
        document = await checked(request, schemas.update_server)
        row = nova.servers.update(server(request, nova), document["server"])
        return web.json_response({"server": view(request, nova).updated(row)})

    @routes.delete(SERVER)
    async def delete(request: web.Request) -> web.Response:
        nova.removal.delete(caller(request), server(request, nova))
        return empty()


def _add_parts(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(SERVER + "/ips")
    async def ips(request: web.Request) -> web.Response:
        shown = nova.interfaces.addresses(server(request, nova))
        plain = {name: [{"addr": item["addr"], "version": item["version"]} for item in items] for name, items in shown.items()}
        return web.json_response({"addresses": plain})

    @routes.get(SERVER + "/os-security-groups")
    async def security_groups(request: web.Request) -> web.Response:
        return web.json_response({"security_groups": nova.interfaces.security_groups(server(request, nova))})


def _add_actions(routes: web.RouteTableDef, nova: NovaService) -> None:
    def show(row: Row) -> Row:
        return {
            "action": row["action"],
            "instance_uuid": row["server_id"],
            "request_id": row["id"],
            "user_id": row["user_id"],
            "project_id": row["project_id"],
            "start_time": nova.cloud.world.clock.iso_us(row["start_time"]),
            "message": row["message"],
        }

    @routes.get(SERVER + "/os-instance-actions")
    async def index(request: web.Request) -> web.Response:
        found = nova.servers.actions.where(server_id=server(request, nova)["id"])
        return web.json_response({"instanceActions": [show(row) for row in reversed(found)]})

    @routes.get(SERVER + "/os-instance-actions/{request_id}")
    async def one(request: web.Request) -> web.Response:
        row = nova.servers.actions.get(request.match_info["request_id"])
        if row is None or row["server_id"] != server(request, nova)["id"]:
            raise ApiError(404, f"Action {request.match_info['request_id']} not found")
        return web.json_response({"instanceAction": {**show(row), "events": []}})
