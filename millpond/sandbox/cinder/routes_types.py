"""Volume types, access to them, and QoS specs."""

from aiohttp import web

from millpond.sandbox.cinder import views
from millpond.sandbox.cinder.refusals import no_type
from millpond.sandbox.cinder.wire import PROJECT, cinder, routes, truth
from millpond.sandbox.core.callers import admin, caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import body, page, refuse_unknown

TYPES = f"{PROJECT}/types"


@routes.get(TYPES)
async def list_types(request: web.Request) -> web.Response:
    """Public ones and the project's own; administrators say `is_public=None` to see all."""
    service, who, asked = cinder(request), caller(request), request.query.get("is_public")
    visible = service.types.visible(who)
    if not who.is_admin:
        chosen = visible
    elif asked is None:
        chosen = [row for row in visible if row["is_public"]]
    elif asked.lower() == "none":
        chosen = visible
    else:
        chosen = [row for row in visible if row["is_public"] == truth(asked, "is_public")]
    rows, following = page(request, chosen, missing=no_type)
    more = {"volume_type_links": [{"rel": "next", "href": following}]} if following else {}  # in the singular, unlike other lists
    return web.json_response({"volume_types": [views.volume_type(row, who) for row in rows], **more})


@routes.post(TYPES)
async def create_type(request: web.Request) -> web.Response:
    service, asked = cinder(request), await body(request, "volume_type")
    who = admin(request)
    refuse_unknown(asked, ("name", "description", "extra_specs", "os-volume-type-access:is_public"))
    is_public = truth(asked.get("os-volume-type-access:is_public", True), "is_public")
    row = service.types.add(str(asked.get("name") or ""), asked.get("extra_specs"), is_public, description=asked.get("description"))
    return web.json_response({"volume_type": views.volume_type(row, who)})


@routes.get(f"{TYPES}/default")
async def show_default(request: web.Request) -> web.Response:
    row = cinder(request).types.default()
    if row is None:
        raise ApiError(404, "Default volume type can not be found.")
    return web.json_response({"volume_type": views.volume_type(row, caller(request))})


@routes.get(f"{TYPES}/{{id}}")
async def show_type(request: web.Request) -> web.Response:
    who = caller(request)
    row = cinder(request).types.shown(who, request.match_info["id"])
    return web.json_response({"volume_type": views.volume_type(row, who)})


@routes.delete(f"{TYPES}/{{id}}")
async def delete_type(request: web.Request) -> web.Response:
    admin(request)
    service = cinder(request)
    service.types.delete(request.match_info["id"], list(service.volumes))
    return web.Response(status=202)


@routes.get(f"{TYPES}/{{id}}/extra_specs")
async def list_extra_specs(request: web.Request) -> web.Response:
    who = caller(request)
    row = cinder(request).types.shown(who, request.match_info["id"])
    return web.json_response({"extra_specs": views.volume_type(row, who)["extra_specs"]})


@routes.post(f"{TYPES}/{{id}}/extra_specs")
async def set_extra_specs(request: web.Request) -> web.Response:
    admin(request)
    asked = await body(request, "extra_specs")
    return web.json_response({"extra_specs": cinder(request).types.set_extra_specs(request.match_info["id"], asked)})


@routes.get(f"{TYPES}/{{id}}/encryption")
async def show_encryption(request: web.Request) -> web.Response:
    row = cinder(request).types.shown(caller(request), request.match_info["id"])
    return web.json_response({**row["encryption"], "volume_type_id": row["id"]} if row["encryption"] else {})


@routes.get(f"{TYPES}/{{id}}/os-volume-type-access")
async def list_access(request: web.Request) -> web.Response:
    admin(request)
    row = cinder(request).types.get(request.match_info["id"])
    if row["is_public"]:
        raise ApiError(404, "Access list not available for public volume types.")
    return web.json_response({"volume_type_access": [{"volume_type_id": row["id"], "project_id": one} for one in row["projects"]]})


@routes.post(f"{TYPES}/{{id}}/action")
async def change_access(request: web.Request) -> web.Response:
    admin(request)
    asked, service = await body(request), cinder(request)
    for name, allowed in (("addProjectAccess", True), ("removeProjectAccess", False)):
        if set(asked) == {name} and isinstance(asked[name], dict) and isinstance(asked[name].get("project"), str):
            service.types.set_access(request.match_info["id"], asked[name]["project"], allowed)
            return web.Response(status=202)
    raise ApiError(400, "There is no such action.")


@routes.get(f"{PROJECT}/qos-specs")
async def list_qos(request: web.Request) -> web.Response:
    admin(request)
    return web.json_response({"qos_specs": [_qos(row) for row in cinder(request).types.qos]})


@routes.get(f"{PROJECT}/qos-specs/{{id}}")
async def show_qos(request: web.Request) -> web.Response:
    admin(request)
    return web.json_response({"qos_specs": _qos(_require_qos(request))})


@routes.get(f"{PROJECT}/qos-specs/{{id}}/associations")
async def list_qos_associations(request: web.Request) -> web.Response:
    admin(request)
    id = _require_qos(request)["id"]
    found = [row for row in cinder(request).types.table if row["qos_specs_id"] == id]
    return web.json_response(
        {"qos_associations": [{"association_type": "volume_type", "name": row["name"], "id": row["id"]} for row in found]}
    )


def _require_qos(request: web.Request) -> Row:
    row = cinder(request).types.qos.get(request.match_info["id"])
    if row is None:
        raise ApiError(404, f"No such qos spec {request.match_info['id']}.")
    return row


def _qos(row: Row) -> Row:
    return {field: row[field] for field in ("id", "name", "consumer", "specs")}
