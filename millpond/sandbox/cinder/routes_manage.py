"""Existing volumes: what could be managed, and managing it. The older path has neither versions nor clusters."""

from aiohttp import web

from millpond.sandbox.cinder import views
from millpond.sandbox.cinder.routes_volumes import order
from millpond.sandbox.cinder.wire import PROJECT, cinder, routes, since, truth
from millpond.sandbox.core.callers import admin
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.microversions import microversion
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import body, page, refuse_unknown

KEYS = ("host", "ref", "name", "description", "volume_type", "availability_zone", "metadata", "bootable")
BRIEF = ("reference", "size", "safe_to_manage")
FULL = (*BRIEF, "reason_not_safe", "cinder_id", "extra_info")
MANAGEABLE = f"{PROJECT}/manageable_volumes"
LEGACY = f"{PROJECT}/os-volume-manage"


@routes.get(MANAGEABLE)
async def list_manageable(request: web.Request) -> web.Response:
    since(request, 8)
    return _candidates(request, BRIEF)


@routes.get(f"{MANAGEABLE}/detail")
async def list_manageable_in_detail(request: web.Request) -> web.Response:
    since(request, 8)
    return _candidates(request, FULL)


@routes.get(LEGACY)
async def list_manageable_legacy(request: web.Request) -> web.Response:
    return _candidates(request, BRIEF)


@routes.get(f"{LEGACY}/detail")
async def list_manageable_legacy_in_detail(request: web.Request) -> web.Response:
    return _candidates(request, FULL)


def _candidates(request: web.Request, fields: tuple[str, ...]) -> web.Response:
    admin(request)
    service, host = cinder(request), request.query.get("host")
    if not host:
        raise ApiError(400, "Host must be specified in query parameters")
    rows, _ = page(request, service.managing.candidates(host))
    shown: list[Row] = [{field: row[field] for field in fields} for row in rows]
    return web.json_response({"manageable-volumes": shown})


@routes.post(MANAGEABLE)
async def manage(request: web.Request) -> web.Response:
    since(request, 8)
    return await _manage(request)


@routes.post(LEGACY)
async def manage_legacy(request: web.Request) -> web.Response:
    return await _manage(request)


async def _manage(request: web.Request) -> web.Response:
    admin(request)
    service, asked = cinder(request), await body(request, "volume")
    refuse_unknown(asked, (*KEYS, "cluster") if microversion(request) >= (3, 16) else KEYS)
    host, ref = asked.get("host"), asked.get("ref")
    if not isinstance(host, str) or not host or not isinstance(ref, dict | str):
        raise ApiError(400, "Invalid input for field/attribute volume. 'host' and 'ref' are required properties.")
    bootable = truth(asked.get("bootable", False), "bootable")
    row = service.managing.manage(order(request, asked), host, ref, bootable)
    return web.json_response({"volume": views.volume(request, service, row)}, status=202)
