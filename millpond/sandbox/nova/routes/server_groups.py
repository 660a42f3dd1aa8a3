"""os-server-groups."""

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import caller
from millpond.sandbox.nova import admin_schemas
from millpond.sandbox.nova.routes.parse import checked, empty, minor
from millpond.sandbox.nova.service import NovaService

GROUPS = "/v2.1/os-server-groups"
GROUP = GROUPS + "/{id}"


def show_group(row: Row, minor: int) -> Row:
    shown = {"id": row["id"], "name": row["name"], "members": row["members"]}
    if minor >= 64:
        shown |= {"policy": row["policy"], "rules": row["rules"]}
    else:
        shown |= {"policies": [row["policy"]], "metadata": {}}
    if minor >= 13:
        shown |= {"project_id": row["project_id"], "user_id": row["user_id"]}
    return shown


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(GROUPS)
    async def index(request: web.Request) -> web.Response:
        rows = nova.server_groups.listed(caller(request), "all_projects" in request.query)
        offset = int(request.query.get("offset", 0))
        limit = int(request.query.get("limit", 1000))
        chosen = rows[offset : offset + limit]
        return web.json_response({"server_groups": [show_group(row, minor(request)) for row in chosen]})

    @routes.get(GROUP)
    async def show(request: web.Request) -> web.Response:
        row = nova.server_groups.require(caller(request), request.match_info["id"])
        return web.json_response({"server_group": show_group(row, minor(request))})

    @routes.post(GROUPS)
    async def create(request: web.Request) -> web.Response:
        given = (await checked(request, admin_schemas.create_server_group))["server_group"]
        policy = given.get("policy") or given["policies"][0]
        row = nova.server_groups.create(caller(request), given["name"], policy, given.get("rules"))
        return web.json_response({"server_group": show_group(row, minor(request))})

    @routes.delete(GROUP)
    async def delete(request: web.Request) -> web.Response:
        nova.server_groups.delete(nova.server_groups.require(caller(request), request.match_info["id"]))
        return empty()
