"""Quota sets and limits."""

from typing import Any

from aiohttp import web

from millpond.sandbox.cinder.wire import PROJECT, cinder, routes, truth
from millpond.sandbox.core.callers import admin, caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.web import body

QUOTAS = f"{PROJECT}/os-quota-sets/{{target}}"
LIMITS = {
    "maxTotalVolumes": "volumes",
    "maxTotalSnapshots": "snapshots",
    "maxTotalVolumeGigabytes": "gigabytes",
    "maxTotalBackups": "backups",
    "maxTotalBackupGigabytes": "backup_gigabytes",
}
USAGE = {
    "totalVolumesUsed": "volumes",
    "totalSnapshotsUsed": "snapshots",
    "totalGigabytesUsed": "gigabytes",
    "totalBackupsUsed": "backups",
    "totalBackupGigabytesUsed": "backup_gigabytes",
}


@routes.get(QUOTAS)
async def show_quotas(request: web.Request) -> web.Response:
    """With `usage=true` each key has its limit, use and reservations."""
    service, target = cinder(request), request.match_info["target"]
    if not caller(request).is_admin and target != caller(request).project_id:
        raise ApiError(403, "Policy doesn't allow volume_extension:quotas:show to be performed.")
    limits: dict[str, Any] = dict(service.quotas.limits(target))
    if truth(request.query.get("usage", "false"), "usage"):
        used = service.quotas.usage(target)
        limits = {key: {"limit": limit, "in_use": used[key], "reserved": 0, "allocated": 0} for key, limit in limits.items()}
    return web.json_response({"quota_set": {"id": target, **limits}})


@routes.get(f"{QUOTAS}/defaults")
async def show_default_quotas(request: web.Request) -> web.Response:
    service = cinder(request)
    return web.json_response({"quota_set": {"id": request.match_info["target"], **service.quotas.defaults()}})


@routes.put(QUOTAS)
async def set_quotas(request: web.Request) -> web.Response:
    admin(request)
    service, asked = cinder(request), await body(request, "quota_set")
    changes = {key: value for key, value in asked.items() if key not in ("tenant_id", "skip_validation")}
    return web.json_response({"quota_set": service.quotas.set(request.match_info["target"], changes)})


@routes.delete(QUOTAS)
async def reset_quotas(request: web.Request) -> web.Response:
    admin(request)
    cinder(request).quotas.reset(request.match_info["target"])
    return web.Response(status=200)


@routes.get(f"{PROJECT}/limits")
async def show_limits(request: web.Request) -> web.Response:
    service, who = cinder(request), caller(request)
    target = request.query.get("project_id", who.project_id) if who.is_admin else who.project_id
    limits, used = service.quotas.limits(str(target)), service.quotas.usage(str(target))
    absolute = {name: limits[key] for name, key in LIMITS.items()} | {name: used[key] for name, key in USAGE.items()}
    return web.json_response({"limits": {"rate": [], "absolute": absolute}})
