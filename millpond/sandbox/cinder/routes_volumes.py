"""Volumes: list, show, create, update, delete, and their metadata."""

from typing import Any

from aiohttp import web

from millpond.sandbox.cinder import listing, views
from millpond.sandbox.cinder.metadata import checked, visible
from millpond.sandbox.cinder.refusals import no_volume
from millpond.sandbox.cinder.volumes import Order
from millpond.sandbox.cinder.wire import PROJECT, cinder, paged, routes, truth, whole
from millpond.sandbox.core.callers import caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.microversions import microversion
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import body, page, refuse_unknown

VOLUMES = f"{PROJECT}/volumes"
UPDATABLE = ("name", "description", "display_name", "display_description", "metadata")


@routes.get(VOLUMES)
async def list_volumes(request: web.Request) -> web.Response:
    service = cinder(request)
    found = listing.chosen(request, service)
    rows, following = page(request, found, missing=no_volume)
    return _listed(request, [views.summary(request, row) for row in rows], following, len(found))


@routes.get(f"{VOLUMES}/detail")
async def list_volumes_in_detail(request: web.Request) -> web.Response:
    service = cinder(request)
    found = listing.chosen(request, service)
    rows, following = page(request, found, missing=no_volume)
    return _listed(request, [views.volume(request, service, row) for row in rows], following, len(found))


def _listed(request: web.Request, rows: list[Row], following: str | None, total: int) -> web.Response:
    document = paged("volumes", rows, following)
    if "with_count" in request.query and microversion(request) >= (3, 45) and truth(request.query["with_count"], "with_count"):
        document["count"] = total
    return web.json_response(document)


@routes.post(VOLUMES)
async def create_volume(request: web.Request) -> web.Response:
    service, asked = cinder(request), await body(request, "volume")
    row = service.life.create(order(request, asked))
    return web.json_response({"volume": views.volume(request, service, row)}, status=202)


def order(request: web.Request, asked: dict[str, Any]) -> Order:
    """The request's body as an order of its caller. Cinder ignores keys it does not know in a creation."""
    who = caller(request)
    assert who.project_id is not None
    return Order(
        project_id=who.project_id,
        user_id=who.user_id,
        size=None if asked.get("size") is None else whole(asked["size"], "size"),
        name=text(asked, "name", "display_name"),
        description=text(asked, "description", "display_description"),
        volume_type=asked.get("volume_type") or None,
        availability_zone=asked.get("availability_zone") or None,
        metadata=checked(asked.get("metadata") or {}),
        image_id=asked.get("imageRef") or asked.get("image_id") or None,
        snapshot_id=asked.get("snapshot_id") or None,
        source_volid=asked.get("source_volid") or None,
    )


def text(asked: dict[str, Any], *names: str) -> str | None:
    """The first of the names that is given. ApiError 400 unless it is a string of at most 255, or null."""
    for name in names:
        value = asked.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > 255):
            raise ApiError(400, f"Invalid input for field/attribute {name}. Value: {value}. It must be a string of at most 255 characters.")
        if value is not None:
            return value.strip()
    return None


@routes.get(f"{VOLUMES}/{{id}}")
async def show_volume(request: web.Request) -> web.Response:
    service = cinder(request)
    row = service.life.get(caller(request), request.match_info["id"])
    return web.json_response({"volume": views.volume(request, service, row)})


@routes.put(f"{VOLUMES}/{{id}}")
async def update_volume(request: web.Request) -> web.Response:
    service, asked = cinder(request), await body(request, "volume")
    refuse_unknown(asked, UPDATABLE)
    row = service.life.get(caller(request), request.match_info["id"])
    changes: dict[str, Any] = {}
    for field in ("name", "description"):
        if field in asked or f"display_{field}" in asked:
            changes[field] = text(asked, field, f"display_{field}")
    if "metadata" in asked:
        changes["metadata"] = checked(asked["metadata"])
    return web.json_response({"volume": views.volume(request, service, service.life.update(row, changes))})


@routes.delete(f"{VOLUMES}/{{id}}")
async def delete_volume(request: web.Request) -> web.Response:
    service = cinder(request)
    row = service.life.get(caller(request), request.match_info["id"])
    force, cascade = (truth(request.query.get(name, "false"), name) for name in ("force", "cascade"))
    service.life.delete(row, force=force and caller(request).is_admin, cascade=cascade)
    return web.Response(status=202)


@routes.get(f"{VOLUMES}/{{id}}/metadata")
async def show_metadata(request: web.Request) -> web.Response:
    row = cinder(request).life.get(caller(request), request.match_info["id"])
    return web.json_response({"metadata": visible(row)})


@routes.post(f"{VOLUMES}/{{id}}/metadata")
async def add_metadata(request: web.Request) -> web.Response:
    return await _put_metadata(request, replace=False)


@routes.put(f"{VOLUMES}/{{id}}/metadata")
async def replace_metadata(request: web.Request) -> web.Response:
    return await _put_metadata(request, replace=True)


async def _put_metadata(request: web.Request, replace: bool) -> web.Response:
    service, values = cinder(request), checked((await body(request)).get("metadata"))
    row = service.life.get(caller(request), request.match_info["id"])
    return web.json_response({"metadata": service.metadata.put(row, values, replace=replace)})


@routes.get(f"{VOLUMES}/{{id}}/metadata/{{key}}")
async def show_metadata_item(request: web.Request) -> web.Response:
    row, key = cinder(request).life.get(caller(request), request.match_info["id"]), request.match_info["key"]
    if key not in visible(row):
        raise ApiError(404, f"Volume {row['id']} has no metadata with key {key}.")
    return web.json_response({"meta": {key: visible(row)[key]}})


@routes.put(f"{VOLUMES}/{{id}}/metadata/{{key}}")
async def put_metadata_item(request: web.Request) -> web.Response:
    service, values, key = cinder(request), checked((await body(request)).get("meta")), request.match_info["key"]
    if set(values) != {key}:
        raise ApiError(400, "Request body and URI mismatch")
    row = service.life.get(caller(request), request.match_info["id"])
    service.metadata.put(row, values)
    return web.json_response({"meta": values})


@routes.delete(f"{VOLUMES}/{{id}}/metadata/{{key}}")
async def delete_metadata_item(request: web.Request) -> web.Response:
    service = cinder(request)
    service.metadata.delete(service.life.get(caller(request), request.match_info["id"]), request.match_info["key"])
    return web.Response(status=200)
