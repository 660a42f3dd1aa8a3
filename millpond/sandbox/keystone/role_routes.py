"""Role assignments: https://docs.openstack.org/api-ref/identity/v3/#roles."""

from typing import Any

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import admin
from millpond.sandbox.keystone.assignments import Actor, Scope
from millpond.sandbox.keystone.kinds import BY_NAME
from millpond.sandbox.keystone.resource_routes import listed
from millpond.sandbox.keystone.service import KeystoneService

# path -> inherited
SCOPES = {
    "/v3/projects/{project_id}": False,
    "/v3/domains/{domain_id}": False,
    "/v3/system": False,
    "/v3/OS-INHERIT/projects/{project_id}": True,
    "/v3/OS-INHERIT/domains/{domain_id}": True,
}
FILTERS = {
    "scope.project.id": "project_id",
    "scope.domain.id": "domain_id",
    "scope.system": "system",
    "user.id": "user_id",
    "group.id": "group_id",
    "role.id": "role_id",
}


def add(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    for prefix, inherited in SCOPES.items():
        for actor in ("users/{user_id}", "groups/{group_id}"):
            _add_grants(routes, keystone, f"{prefix}/{actor}/roles", inherited)

    @routes.get("/v3/role_assignments")
    async def index(request: web.Request) -> web.Response:
        admin(request)
        wanted = {field: request.query[name] for name, field in FILTERS.items() if name in request.query}
        names = "include_names" in request.query and request.query["include_names"].lower() not in ("0", "false")
        rows = keystone.assignments.where()
        if "effective" in request.query:
            rows = [single for row in rows for single in _expanded(keystone, row)]
        rows = [row for row in rows if all(row[field] == value for field, value in wanted.items())]
        links = {"self": str(request.url), "previous": None, "next": None}
        return web.json_response({"role_assignments": [_shown(keystone, row, names) for row in rows], "links": links})


def _add_grants(routes: web.RouteTableDef, keystone: KeystoneService, path: str, inherited: bool) -> None:
    assignments = keystone.assignments
    suffix = "/inherited_to_projects" if inherited else ""
    one = f"{path}/{{role_id}}{suffix}"

    def named(request: web.Request) -> tuple[str, Actor, Scope, bool]:
        admin(request)
        given = dict(request.match_info)
        actor: Actor = {key: given[key] for key in ("user_id", "group_id") if key in given}
        scope: Scope = {key: given[key] for key in ("project_id", "domain_id") if key in given} or {"system": "all"}
        return given.get("role_id", ""), actor, scope, inherited

    @routes.get(path + suffix)
    async def index(request: web.Request) -> web.Response:
        _, actor, scope, _ = named(request)
        found = {row["role_id"] for row in assignments.where(inherited=inherited, **actor, **scope)}
        roles = [role for role in keystone.roles if role["id"] in found]
        return listed(keystone, request, BY_NAME["role"], roles)

    @routes.put(one)
    async def put(request: web.Request) -> web.Response:
        assignments.add(*named(request))
        return web.Response(status=204)

    @routes.get(one)
    async def check(request: web.Request) -> web.Response:
        return web.Response(status=204 if assignments.has(*named(request)) else 404)

    @routes.delete(one)
    async def delete(request: web.Request) -> web.Response:
        assignments.remove(*named(request))
        return web.Response(status=204)


def _expanded(keystone: KeystoneService, row: Row) -> list[Row]:
    """As `effective` shows it: users in the place of their groups, projects in the place of what they inherit from."""
    actors = [row]
    if row["group_id"]:
        members = keystone.require("group", row["group_id"]).get("members", [])
        actors = [{**row, "group_id": None, "user_id": id} for id in members]
    if not row["inherited"]:
        return actors
    projects = keystone.projects.where(domain_id=row["domain_id"]) if row["domain_id"] else []
    return [{**actor, "domain_id": None, "project_id": project["id"], "inherited": False} for actor in actors for project in projects]


def _shown(keystone: KeystoneService, row: Row, names: bool) -> dict[str, Any]:
    def reference(kind: str, id: str) -> dict[str, Any]:
        if not names:
            return {"id": id}
        found = keystone.require(kind, id)
        named = {"id": id, "name": found["name"]}
        if kind in ("project", "user", "group"):
            domain = keystone.require("domain", found["domain_id"])
            named["domain"] = {"id": domain["id"], "name": domain["name"]}
        return named

    shown: dict[str, Any] = {"role": reference("role", row["role_id"]), "scope": {}, "links": {}}
    for kind in ("user", "group"):
        if row[f"{kind}_id"]:
            shown[kind] = reference(kind, row[f"{kind}_id"])
    for kind in ("project", "domain"):
        if row[f"{kind}_id"]:
            shown["scope"][kind] = reference(kind, row[f"{kind}_id"])
    if row["system"]:
        shown["scope"]["system"] = {"all": True}
    if row["inherited"]:
        shown["scope"]["OS-INHERIT:inherited_to"] = "projects"
    shown["links"]["assignment"] = f"{keystone.cloud.base_url}/identity/v3/role_assignments"
    return shown
