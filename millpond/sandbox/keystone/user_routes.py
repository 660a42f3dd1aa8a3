"""Groups' members, and what belongs to one user."""

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.web import admin, body, caller
from millpond.sandbox.keystone.kinds import BY_NAME
from millpond.sandbox.keystone.resource_routes import listed
from millpond.sandbox.keystone.service import KeystoneService


def add(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    _add_members(routes, keystone)
    _add_users(routes, keystone)


def _own(request: web.Request) -> str:
    """The user id of the path, which must be the caller's unless an administrator asks."""
    who, id = caller(request), request.match_info["user_id"]
    if not who.is_admin and id != who.user_id:
        raise ApiError(403, "You are not authorized to perform the requested action.")
    return id


def _add_members(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    member = "/v3/groups/{id}/users/{user_id}"

    @routes.get("/v3/groups/{id}/users")
    async def index(request: web.Request) -> web.Response:
        admin(request)
        members = keystone.require("group", request.match_info["id"]).get("members", [])
        return listed(keystone, request, BY_NAME["user"], [keystone.require("user", id) for id in members])

    @routes.put(member)
    async def put(request: web.Request) -> web.Response:
        admin(request)
        keystone.add_member(request.match_info["id"], request.match_info["user_id"])
        return web.Response(status=204)

    @routes.get(member)
    async def check(request: web.Request) -> web.Response:
        admin(request)
        if request.match_info["user_id"] not in keystone.require("group", request.match_info["id"]).get("members", []):
            raise ApiError(404, f"User {request.match_info['user_id']} is not found in group {request.match_info['id']}.")
        return web.Response(status=204)

    @routes.delete(member)
    async def delete(request: web.Request) -> web.Response:
        admin(request)
        keystone.remove_member(request.match_info["id"], request.match_info["user_id"])
        return web.Response(status=204)


def _add_users(routes: web.RouteTableDef, keystone: KeystoneService) -> None:

    @routes.get("/v3/users/{user_id}/projects")
    async def projects(request: web.Request) -> web.Response:
        return listed(keystone, request, BY_NAME["project"], keystone.assignments.projects_of(_own(request)))

    @routes.get("/v3/users/{user_id}/groups")
    async def groups(request: web.Request) -> web.Response:
        return listed(keystone, request, BY_NAME["group"], keystone.groups_of(_own(request)))

    @routes.get("/v3/users/{user_id}/application_credentials")
    async def application_credentials(request: web.Request) -> web.Response:
        rows = keystone.cloud.table("keystone/application_credential").where(user_id=_own(request))
        links = {"self": str(request.url), "previous": None, "next": None}
        return web.json_response({"application_credentials": rows, "links": links})

    @routes.post("/v3/users/{user_id}/password")
    async def password(request: web.Request) -> web.Response:
        given = await body(request, "user")
        user = keystone.require("user", _own(request))
        if given.get("original_password") != user.get("password") or not given.get("password"):
            raise ApiError(401, "The request you have made requires authentication.")
        keystone.users.update(user["id"], password=given["password"])
        return web.Response(status=204)
