"""os-quota-sets, os-quota-class-sets and limits."""

from typing import Any

from aiohttp import web

from millpond.sandbox.core.web import caller
from millpond.sandbox.nova import admin_schemas, refusals
from millpond.sandbox.nova.boolean import is_true
from millpond.sandbox.nova.quotas import shown
from millpond.sandbox.nova.routes.parse import administrator, checked, empty, minor
from millpond.sandbox.nova.service import NovaService

QUOTA = "/v2.1/os-quota-sets/{id}"
CLASS = "/v2.1/os-quota-class-sets/{id}"
ABSOLUTE = {
    "maxTotalInstances": "instances",
    "maxTotalCores": "cores",
    "maxTotalRAMSize": "ram",
    "maxServerMeta": "metadata_items",
    "maxTotalKeypairs": "key_pairs",
    "maxServerGroups": "server_groups",
    "maxServerGroupMembers": "server_group_members",
    "maxImageMeta": "metadata_items",
    "maxPersonality": "injected_files",
    "maxPersonalitySize": "injected_file_content_bytes",
    "maxTotalFloatingIps": "floating_ips",
    "maxSecurityGroups": "security_groups",
    "maxSecurityGroupRules": "security_group_rules",
}
USED = {
    "totalInstancesUsed": "instances",
    "totalCoresUsed": "cores",
    "totalRAMUsed": "ram",
    "totalServerGroupsUsed": "server_groups",
}


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    _add_reads(routes, nova)
    _add_changes(routes, nova)
    _add_classes(routes, nova)
    _add_limits(routes, nova)


def picked(values: dict[str, Any], minor: int) -> dict[str, Any]:
    return {name: values[name] for name in shown(minor)}


def project(request: web.Request, nova: NovaService, rule: str) -> str:
    """The project of the address: the caller's own, or any for an administrator."""
    id, who = request.match_info["id"], caller(request)
    if not who.is_admin and id != who.project_id:
        raise refusals.policy(f"os-quota-sets:{rule}")
    if id not in nova.keystone.projects:
        raise refusals.bad_request(f"Project ID {id} is not a valid project.")
    return id


def numbers(given: dict[str, Any]) -> dict[str, int]:
    return {name: int(value) for name, value in given.items() if name not in ("force", "tenant_id")}


def _add_reads(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(QUOTA)
    async def show(request: web.Request) -> web.Response:
        id = project(request, nova, "show")
        limits = nova.quotas.limits(id, request.query.get("user_id"))
        return web.json_response({"quota_set": {"id": id, **picked(limits, minor(request))}})

    @routes.get(QUOTA + "/detail")
    async def detail(request: web.Request) -> web.Response:
        id = project(request, nova, "detail")
        limits, used = nova.quotas.limits(id, request.query.get("user_id")), nova.quotas.used(id)
        rows = {name: {"limit": limits[name], "in_use": used[name], "reserved": 0} for name in shown(minor(request))}
        return web.json_response({"quota_set": {"id": id, **rows}})

    @routes.get(QUOTA + "/defaults")
    async def defaults(request: web.Request) -> web.Response:
        id = project(request, nova, "defaults")
        return web.json_response({"quota_set": {"id": id, **picked(nova.quotas.defaults(), minor(request))}})


def _add_changes(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.put(QUOTA)
    async def update(request: web.Request) -> web.Response:
        administrator(request, "os-quota-sets:update")
        id = project(request, nova, "update")
        given = (await checked(request, admin_schemas.quota_set))["quota_set"]
        user_id = request.query.get("user_id")
        nova.quotas.set(id, numbers(given), user_id=user_id, force=is_true(given.get("force", False)))
        return web.json_response({"quota_set": picked(nova.quotas.limits(id, user_id), minor(request))})

    @routes.delete(QUOTA)
    async def reset(request: web.Request) -> web.Response:
        administrator(request, "os-quota-sets:delete")
        nova.quotas.reset(request.match_info["id"])
        return empty(202)


def _add_classes(routes: web.RouteTableDef, nova: NovaService) -> None:
    def hidden(minor: int) -> tuple[str, ...]:
        return () if minor >= 50 else ("server_groups", "server_group_members")

    def answer(request: web.Request, **extra: str) -> web.Response:
        values = picked(nova.quotas.defaults(), minor(request))
        kept = {name: value for name, value in values.items() if name not in hidden(minor(request))}
        return web.json_response({"quota_class_set": {**extra, **kept}})

    @routes.get(CLASS)
    async def show(request: web.Request) -> web.Response:
        administrator(request, "os-quota-class-sets:show")
        return answer(request, id=request.match_info["id"])

    @routes.put(CLASS)
    async def update(request: web.Request) -> web.Response:
        administrator(request, "os-quota-class-sets:update")
        given = (await checked(request, admin_schemas.quota_class_set))["quota_class_set"]
        # Only the class `default` has an effect in Nova.
        if request.match_info["id"] == "default":
            nova.quotas.set_defaults(numbers(given))
        return answer(request)


def _add_limits(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get("/v2.1/limits")
    async def limits(request: web.Request) -> web.Response:
        who = caller(request)
        wanted = request.query.get("tenant_id") or request.query.get("project_id")
        if wanted not in (None, who.project_id) and not who.is_admin:
            raise refusals.policy("limits:other_project")
        id = wanted or who.project_id or ""
        return web.json_response({"limits": {"rate": [], "absolute": absolute(nova, id, minor(request))}})


def absolute(nova: NovaService, project_id: str, minor: int) -> dict[str, int]:
    limits, used, known = nova.quotas.limits(project_id), nova.quotas.used(project_id), shown(minor)
    names = {name: field for name, field in ABSOLUTE.items() if name != "maxImageMeta" or minor < 39}
    maxima = {name: limits[field] for name, field in names.items() if field in known}
    return maxima | {name: used[field] for name, field in USED.items()}
