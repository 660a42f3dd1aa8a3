"""/backups: what cinder/api/contrib/backups.py and its v3 successor answer."""

from aiohttp import web

from millpond.sandbox.cinder.backups import Wanted
from millpond.sandbox.cinder.refusals import no_backup
from millpond.sandbox.cinder.routes_others import own
from millpond.sandbox.cinder.routes_volumes import text
from millpond.sandbox.cinder.wire import PROJECT, cinder, links, paged, routes, truth
from millpond.sandbox.core.callers import caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.microversions import microversion
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import body, page, refuse_unknown

BACKUPS = f"{PROJECT}/backups"
FIELDS = ("id", "status", "size", "container", "created_at", "updated_at", "name", "description", "volume_id")
OWNERS_FILTERS = ("name", "status", "volume_id")
"""What others than administrators may filter by (resource_filters.json). These filter by any column."""
NOT_FILTERS = ("all_tenants", "limit", "marker", "offset", "sort", "sort_key", "sort_dir", "with_count")


@routes.get(BACKUPS)
async def list_backups(request: web.Request) -> web.Response:
    return _list(request, detail=False)


@routes.get(f"{BACKUPS}/detail")
async def list_backups_in_detail(request: web.Request) -> web.Response:
    return _list(request, detail=True)


def _list(request: web.Request, *, detail: bool) -> web.Response:
    rows = own(request, list(cinder(request).backing_up.table))
    for key, value in request.query.items():
        if key not in NOT_FILTERS and _allowed(request, key):
            rows = [row for row in rows if key in row and str(row[key]) == value]
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    shown, following = page(request, rows, missing=no_backup)
    return web.json_response(paged("backups", [view(request, row) if detail else _summary(request, row) for row in shown], following))


def _allowed(request: web.Request, key: str) -> bool:
    """From 3.31 an unknown filter is refused, before it is dropped."""
    if caller(request).is_admin or key in OWNERS_FILTERS:
        return True
    if key == "all_tenants" or microversion(request) < (3, 31):
        return False
    raise ApiError(400, f"Invalid filters {key} are found in query options.")


def _summary(request: web.Request, row: Row) -> Row:
    return {"id": row["id"], "name": row["name"], "links": links(request, "backups", row["id"])}


def view(request: web.Request, row: Row) -> Row:
    """Whose it is, administrators are told from 3.18 on."""
    backups, version = cinder(request).backing_up, microversion(request)
    is_admin = caller(request).is_admin
    return {
        **{field: row[field] for field in FIELDS},
        "object_count": 0,
        "availability_zone": None,
        "fail_reason": None,
        "links": links(request, "backups", row["id"]),
        "is_incremental": row["parent_id"] is not None,
        "has_dependent_backups": backups.depends_on(row),
        "snapshot_id": None,
        "data_timestamp": row["created_at"],
        **({"metadata": {}} if version >= (3, 43) else {}),
        **({"os-backup-project-attr:project_id": row["project_id"]} if is_admin and version >= (3, 18) else {}),
        **({"user_id": row["user_id"]} if is_admin and version >= (3, 56) else {}),
    }


@routes.post(BACKUPS)
async def create_backup(request: web.Request) -> web.Response:
    service, asked, who = cinder(request), await body(request, "backup"), caller(request)
    refuse_unknown(asked, ("volume_id", "name", "description", "container", "incremental", "force", "snapshot_id", "metadata"))
    volume = service.life.get(who, str(asked.get("volume_id")))
    incremental, force = (truth(asked.get(key, False), key) for key in ("incremental", "force"))
    wanted = Wanted(text(asked, "name"), text(asked, "description"), text(asked, "container"), incremental, force)
    row = service.backing_up.create(who, volume, wanted)
    return web.json_response({"backup": {**_summary(request, row), "volume_id": row["volume_id"]}}, status=202)


@routes.get(f"{BACKUPS}/{{id}}")
async def show_backup(request: web.Request) -> web.Response:
    return web.json_response({"backup": view(request, cinder(request).backing_up.get(caller(request), request.match_info["id"]))})


@routes.delete(f"{BACKUPS}/{{id}}")
async def delete_backup(request: web.Request) -> web.Response:
    backups = cinder(request).backing_up
    backups.delete(backups.get(caller(request), request.match_info["id"]))
    return web.Response(status=202)
