"""Flavors, their extra specs and who may use them."""

from typing import Any

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import body, caller
from millpond.sandbox.nova import admin_schemas, refusals
from millpond.sandbox.nova.boolean import is_true
from millpond.sandbox.nova.routes.parse import administrator, checked, empty, minor, paged, view
from millpond.sandbox.nova.service import NovaService
from millpond.sandbox.nova.validation import check

FLAVORS = "/v2.1/flavors"
FLAVOR = FLAVORS + "/{id}"
SPECS = FLAVOR + "/os-extra_specs"
SPEC = SPECS + "/{key}"


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    _add_reads(routes, nova)
    _add_changes(routes, nova)
    _add_access(routes, nova)
    _add_specs(routes, nova)
    _add_spec(routes, nova)


def flavor(request: web.Request, nova: NovaService) -> Row:
    return nova.flavors.require(caller(request), request.match_info["id"])


def basic(request: web.Request, nova: NovaService, row: Row) -> Row:
    shown = {"id": row["id"], "name": row["name"], "links": view(request, nova).links("flavors", row["id"])}
    return {**shown, "description": row["description"]} if minor(request) >= 55 else shown


def detailed(request: web.Request, nova: NovaService, row: Row) -> Row:
    shown = {
        **basic(request, nova, row),
        "ram": row["ram"],
        "vcpus": row["vcpus"],
        "disk": row["disk"],
        "swap": row["swap"] or ("" if minor(request) < 75 else 0),
        "rxtx_factor": row["rxtx_factor"],
        "OS-FLV-EXT-DATA:ephemeral": row["ephemeral"],
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": row["is_public"],
    }
    return {**shown, "extra_specs": row["extra_specs"]} if minor(request) >= 61 else shown


def listed(request: web.Request, nova: NovaService) -> list[Row]:
    rows = nova.flavors.listed(caller(request), request.query.get("is_public"))
    for name, field in (("minRam", "ram"), ("minDisk", "disk")):
        if name in request.query:
            rows = [row for row in rows if row[field] >= int(request.query[name])]
    return rows


def given_flavor(document: dict[str, Any]) -> dict[str, Any]:
    names = {"OS-FLV-EXT-DATA:ephemeral": "ephemeral", "os-flavor-access:is_public": "is_public"}
    given = {names.get(key, key): value for key, value in document.items()}
    for key in ("ram", "vcpus", "disk", "ephemeral", "swap"):
        given[key] = int(given.get(key) or 0)
    given["rxtx_factor"] = float(given.get("rxtx_factor", 1.0))
    given["is_public"] = is_true(given.get("is_public", True))
    return {**given, "id": None if given.get("id") is None else str(given["id"])}


def _add_reads(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(FLAVORS)
    async def index(request: web.Request) -> web.Response:
        return paged(request, listed(request, nova), "flavors", lambda row: basic(request, nova, row))

    @routes.get(FLAVORS + "/detail")
    async def detail(request: web.Request) -> web.Response:
        return paged(request, listed(request, nova), "flavors", lambda row: detailed(request, nova, row))

    @routes.get(FLAVOR)
    async def show(request: web.Request) -> web.Response:
        return web.json_response({"flavor": detailed(request, nova, flavor(request, nova))})


def _add_changes(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.post(FLAVORS)
    async def create(request: web.Request) -> web.Response:
        administrator(request, "os-flavor-manage:create")
        given = (await checked(request, admin_schemas.create_flavor))["flavor"]
        row = nova.flavors.create(**given_flavor(given))
        return web.json_response({"flavor": detailed(request, nova, row)})

    @routes.put(FLAVOR)
    async def update(request: web.Request) -> web.Response:
        if minor(request) < 55:
            raise ApiError(404, "The resource could not be found.")
        administrator(request, "os-flavor-manage:update")
        given = (await checked(request, admin_schemas.update_flavor))["flavor"]
        row = nova.flavors.describe(flavor(request, nova), given["description"])
        return web.json_response({"flavor": detailed(request, nova, row)})

    @routes.delete(FLAVOR)
    async def delete(request: web.Request) -> web.Response:
        administrator(request, "os-flavor-manage:delete")
        nova.flavors.delete(flavor(request, nova))
        return empty(202)


def _add_access(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(FLAVOR + "/os-flavor-access")
    async def index(request: web.Request) -> web.Response:
        administrator(request, "os-flavor-access")
        return web.json_response({"flavor_access": nova.flavors.access(flavor(request, nova))})

    @routes.post(FLAVOR + "/action")
    async def act(request: web.Request) -> web.Response:
        document = await body(request)
        adding = "addTenantAccess" in document
        administrator(request, f"os-flavor-access:{'add' if adding else 'remove'}_tenant_access")
        check(admin_schemas.add_tenant_access if adding else admin_schemas.remove_tenant_access, minor(request), document)
        row, project_id = flavor(request, nova), next(iter(document.values()))["tenant"]
        if project_id not in nova.keystone.projects:
            raise refusals.bad_request(f"Project ID {project_id} is not a valid project.")
        if adding:
            nova.flavors.add_access(row, project_id, minor(request))
        else:
            nova.flavors.remove_access(row, project_id)
        shown = [{"flavor_id": row["id"], "tenant_id": id} for id in row["access"]]
        return web.json_response({"flavor_access": shown})


def _add_specs(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(SPECS)
    async def index(request: web.Request) -> web.Response:
        return web.json_response({"extra_specs": flavor(request, nova)["extra_specs"]})

    @routes.post(SPECS)
    async def create(request: web.Request) -> web.Response:
        administrator(request, "os-flavor-extra-specs:create")
        given = (await checked(request, admin_schemas.extra_specs))["extra_specs"]
        values = nova.flavors.set_extra_specs(flavor(request, nova), given, minor(request))
        return web.json_response({"extra_specs": values})


def _add_spec(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(SPEC)
    async def show(request: web.Request) -> web.Response:
        key = request.match_info["key"]
        return web.json_response({key: nova.flavors.extra_spec(flavor(request, nova), key)})

    @routes.put(SPEC)
    async def put(request: web.Request) -> web.Response:
        administrator(request, "os-flavor-extra-specs:update")
        given, key = await checked(request, admin_schemas.extra_spec), request.match_info["key"]
        if list(given) != [key]:
            raise refusals.bad_request("Request body and URI mismatch")
        return web.json_response(nova.flavors.set_extra_specs(flavor(request, nova), given, minor(request)))

    @routes.delete(SPEC)
    async def delete(request: web.Request) -> web.Response:
        administrator(request, "os-flavor-extra-specs:delete")
        nova.flavors.remove_extra_spec(flavor(request, nova), request.match_info["key"])
        return empty(200)
