"""Snapshots, services, pools, and lists of what the sandbox has none of."""

from aiohttp import web

from millpond.sandbox.cinder import views
from millpond.sandbox.cinder.metadata import checked
from millpond.sandbox.cinder.refusals import no_snapshot
from millpond.sandbox.cinder.routes_volumes import text
from millpond.sandbox.cinder.wire import PROJECT, cinder, paged, routes, since, truth
from millpond.sandbox.core.callers import admin, caller
from millpond.sandbox.core.microversions import microversion
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import body, page, refuse_unknown

SNAPSHOTS = f"{PROJECT}/snapshots"
EMPTY = {
    "groups": ("groups", 13),
    "group_snapshots": ("group_snapshots", 14),
    "os-volume-transfer": ("transfers", 0),
    "volume-transfers": ("transfers", 55),
}
"""Path -> key of the list, and the version that brought it."""


def own(request: web.Request, rows: list[Row]) -> list[Row]:
    """All of them for an administrator who says all_tenants, else the project's."""
    who = caller(request)
    if who.is_admin and truth(request.query.get("all_tenants", "false"), "all_tenants"):
        wanted = request.query.get("project_id")
        return [row for row in rows if wanted in (None, row["project_id"])]
    return [row for row in rows if row["project_id"] == who.project_id]


@routes.get(SNAPSHOTS)
@routes.get(f"{SNAPSHOTS}/detail")
async def list_snapshots(request: web.Request) -> web.Response:
    rows = own(request, list(cinder(request).snapshots))
    for key in ("volume_id", "status", "name"):
        rows = [row for row in rows if row[key] == request.query.get(key, row[key])]
    shown, following = page(request, rows, missing=no_snapshot)
    return web.json_response(paged("snapshots", [views.snapshot(row) for row in shown], following))


@routes.post(SNAPSHOTS)
async def create_snapshot(request: web.Request) -> web.Response:
    service, asked, who = cinder(request), await body(request, "snapshot"), caller(request)
    refuse_unknown(asked, ("volume_id", "name", "display_name", "description", "display_description", "force", "metadata"))
    volume = service.life.get(who, str(asked.get("volume_id")))
    name, description = text(asked, "name", "display_name"), text(asked, "description", "display_description")
    force = truth(asked.get("force", False), "force")
    row = service.snapshooting.create(volume, who.user_id, name, description, checked(asked.get("metadata") or {}), force)
    return web.json_response({"snapshot": views.snapshot(row)}, status=202)


@routes.get(f"{SNAPSHOTS}/{{id}}")
async def show_snapshot(request: web.Request) -> web.Response:
    row = cinder(request).snapshooting.get(caller(request), request.match_info["id"])
    return web.json_response({"snapshot": views.snapshot(row)})


@routes.delete(f"{SNAPSHOTS}/{{id}}")
async def delete_snapshot(request: web.Request) -> web.Response:
    service = cinder(request)
    service.snapshooting.delete(service.snapshooting.get(caller(request), request.match_info["id"]))
    return web.Response(status=202)


@routes.get(f"{PROJECT}/os-services")
async def list_services(request: web.Request) -> web.Response:
    admin(request)
    rows = cinder(request).backends.services()
    for key in ("binary", "host"):
        rows = [row for row in rows if row[key] == request.query.get(key, row[key])]
    if microversion(request) >= (3, 7):
        rows = [{**row, "cluster": None} for row in rows]
    return web.json_response({"services": rows})


@routes.get(f"{PROJECT}/scheduler-stats/get_pools")
async def list_pools(request: web.Request) -> web.Response:
    admin(request)
    backends = cinder(request).backends
    rows: list[Row] = [{"name": one["id"]} for one in backends.table]
    if truth(request.query.get("detail", "false"), "detail"):
        rows = [{"name": one["id"], "capabilities": backends.stats(one)} for one in backends.table]
    return web.json_response({"pools": rows})


@routes.get(f"{PROJECT}/os-availability-zone")
async def list_zones(request: web.Request) -> web.Response:
    names = cinder(request).backends.zones()
    return web.json_response({"availabilityZoneInfo": [{"zoneName": name, "zoneState": {"available": True}} for name in names]})


@routes.get(f"{PROJECT}/extensions")
async def list_extensions(request: web.Request) -> web.Response:
    cinder(request)
    return web.json_response({"extensions": []})


async def list_nothing(request: web.Request) -> web.Response:
    cinder(request)
    path = request.path.partition(f"/{caller(request).project_id}/")[2].partition("/")[0]
    key, minor = EMPTY[path]
    since(request, minor)
    return web.json_response({key: []})


for path in EMPTY:
    routes.get(f"{PROJECT}/{path}")(list_nothing)
    routes.get(f"{PROJECT}/{path}/detail")(list_nothing)
