"""Attachments, from 3.27 on. Lists of them have no links to a next page (cinder/api/v3/views/attachments.py)."""

from aiohttp import web

from millpond.sandbox.cinder import views
from millpond.sandbox.cinder.refusals import no_attachment
from millpond.sandbox.cinder.routes_others import own
from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.cinder.wire import PROJECT, cinder, routes, since
from millpond.sandbox.core.callers import caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.microversions import microversion
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import page

ATTACHMENTS = f"{PROJECT}/attachments"
NEW_ATTACH = 27
COLUMNS = {"volume_id": "volume_id", "instance_id": "server_id", "attach_status": "status", "id": "id"}
OWNERS_FILTERS = ("volume_id", "status", "instance_id", "attach_status")
NOT_FILTERS = ("limit", "marker", "offset", "sort", "sort_key", "sort_dir", "all_tenants", "project_id")


def _chosen(request: web.Request) -> list[Row]:
    """Of what the caller may see. `status` is a filter that is allowed and matches nothing: it is no column of the table."""
    service, who = cinder(request), caller(request)
    volumes = {row["id"] for row in own(request, list(service.volumes))}
    rows = [row for row in service.attachments if row["volume_id"] in volumes]
    for key in sorted(set(request.query) - set(NOT_FILTERS)):
        if not who.is_admin and key not in OWNERS_FILTERS:
            if microversion(request) >= (3, 31):
                raise ApiError(400, f"Invalid filters {key} are found in query options.")
            continue
        rows = [row for row in rows if key in COLUMNS and row[COLUMNS[key]] == request.query[key]]
    return rows


def _listed(request: web.Request, *, with_details: bool) -> web.Response:
    since(request, NEW_ATTACH)
    rows, _ = page(request, _chosen(request))
    return web.json_response({"attachments": [views.attachment(row, with_details=with_details) for row in rows]})


def _one(request: web.Request) -> tuple[CinderService, Row]:
    """ApiError 404 also for another project's."""
    since(request, NEW_ATTACH)
    service, id = cinder(request), request.match_info["id"]
    row = service.attachments.get(id)
    volume = service.volumes.get(row["volume_id"]) if row else None
    if row is None or volume is None or not (caller(request).is_admin or volume["project_id"] == caller(request).project_id):
        raise no_attachment(id)
    return service, row


@routes.get(ATTACHMENTS)
async def list_attachments(request: web.Request) -> web.Response:
    return _listed(request, with_details=False)


@routes.get(f"{ATTACHMENTS}/detail")
async def list_attachments_in_detail(request: web.Request) -> web.Response:
    return _listed(request, with_details=True)


@routes.get(f"{ATTACHMENTS}/{{id}}")
async def show_attachment(request: web.Request) -> web.Response:
    _, row = _one(request)
    return web.json_response({"attachment": views.attachment(row, with_details=True)})


@routes.delete(f"{ATTACHMENTS}/{{id}}")
async def delete_attachment(request: web.Request) -> web.Response:
    """Answers with the volume's other attachments. ApiError 409 where Nova uses it."""
    service, row = _one(request)
    service.attaching.check_unused(row)
    service.attaching.remove(row)
    left = service.attachments.where(volume_id=row["volume_id"])
    return web.json_response({"attachments": [views.attachment(one, with_details=False) for one in left]})
