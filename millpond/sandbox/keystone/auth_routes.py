"""Version documents, tokens and what a token can see of itself."""

import uuid
from typing import Any

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import body, caller, public
from millpond.sandbox.keystone.bootstrap import REGION
from millpond.sandbox.keystone.kinds import BY_NAME
from millpond.sandbox.keystone.resource_routes import listed
from millpond.sandbox.keystone.service import KeystoneService
from millpond.sandbox.keystone.tokens import stamp


def add(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    _add_versions(routes, keystone)
    _add_tokens(routes, keystone)
    _add_own(routes, keystone)


def _add_versions(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    version = {
        "id": f"v{keystone.cloud.release.keystone_version}",
        "status": "stable",
        "updated": "2018-02-28T00:00:00Z",
        "links": [{"rel": "self", "href": f"{keystone.cloud.base_url}/identity/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }

    @routes.get("/")
    @public
    async def versions(request: web.Request) -> web.Response:
        return web.json_response({"versions": {"values": [version]}}, status=300)

    @routes.get("/v3/")
    @public
    async def v3(request: web.Request) -> web.Response:
        return web.json_response({"version": version})


def catalog(keystone: KeystoneService, project_id: str | None) -> list[Row]:
    """The catalogue; a URL that names the project is left out where the token has none."""
    entries = []
    for service in keystone.table("service"):
        found = keystone.table("endpoint").where(service_id=service["id"])
        usable = [row for row in found if project_id or "$(project_id)s" not in row["url"]]
        endpoints = [_endpoint(keystone, row, project_id) for row in usable if row["enabled"]]
        entries.append({"id": service["id"], "name": service.get("name", ""), "type": service["type"], "endpoints": endpoints})
    return entries


def _endpoint(keystone: KeystoneService, row: Row, project_id: str | None) -> Row:
    url = row["url"] if "://" in row["url"] else keystone.cloud.base_url + row["url"]
    place = {"region": row.get("region_id", REGION), "region_id": row.get("region_id", REGION)}
    return {"id": row["id"], "interface": row["interface"], "url": url.replace("$(project_id)s", project_id or ""), **place}


def document(keystone: KeystoneService, token: Row, with_catalog: bool = True) -> dict[str, Any]:
    """The `token` part of an answer."""
    scope = token["scope"]
    user = keystone.require("user", token["user_id"])
    shown: dict[str, Any] = {
        "methods": token["methods"],
        "user": {**_reference(keystone, user), "password_expires_at": user["password_expires_at"]},
        "audit_ids": [uuid.uuid5(uuid.NAMESPACE_OID, token["id"]).hex[:22]],
        "issued_at": stamp(token["issued"]),
        "expires_at": stamp(token["expires"]),
    }
    if not scope:
        return shown
    if found := keystone.application_credentials.get(token.get("application_credential")):
        shown["application_credential"] = {"id": found["id"], "name": found["name"], "restricted": True}
    if "project_id" in scope:
        shown["project"] = _reference(keystone, keystone.require("project", scope["project_id"]))
        shown["is_domain"] = False
    elif "domain_id" in scope:
        domain = keystone.require("domain", scope["domain_id"])
        shown["domain"] = {"id": domain["id"], "name": domain["name"]}
    else:
        shown["system"] = {"all": True}
    shown["roles"] = [{"id": role["id"], "name": role["name"]} for role in keystone.tokens.roles(token)]
    if with_catalog:
        shown["catalog"] = catalog(keystone, scope.get("project_id"))
    return shown


def _reference(keystone: KeystoneService, row: Row) -> Row:
    domain = keystone.require("domain", row["domain_id"])
    return {"id": row["id"], "name": row["name"], "domain": {"id": domain["id"], "name": domain["name"]}}


def _add_tokens(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    tokens = keystone.tokens

    def subject(request: web.Request) -> Row:
        who, name = caller(request), request.headers.get("X-Subject-Token", "")
        if not who.is_admin and name != who.token:
            raise ApiError(403, "You are not authorized to perform the requested action: identity:validate_token.")
        row = tokens.live(name)
        if row is None:
            raise ApiError(404, "Could not find token.")
        return row

    @routes.post("/v3/auth/tokens")
    @public
    async def issue(request: web.Request) -> web.Response:
        token = tokens.issue(await body(request, "auth"))
        shown = document(keystone, token, "nocatalog" not in request.query)
        return web.json_response({"token": shown}, status=201, headers={"X-Subject-Token": token["id"], "Vary": "X-Auth-Token"})

    @routes.get("/v3/auth/tokens")
    async def validate(request: web.Request) -> web.Response:
        token = subject(request)
        shown = document(keystone, token, "nocatalog" not in request.query)
        return web.json_response({"token": shown}, headers={"X-Subject-Token": token["id"]})

    @routes.delete("/v3/auth/tokens")
    async def revoke(request: web.Request) -> web.Response:
        tokens.revoke(subject(request)["id"])
        return web.Response(status=204)


def _add_own(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    assignments = keystone.assignments

    @routes.get("/v3/auth/projects")
    async def projects(request: web.Request) -> web.Response:
        return listed(keystone, request, BY_NAME["project"], assignments.projects_of(caller(request).user_id))

    @routes.get("/v3/auth/domains")
    async def domains(request: web.Request) -> web.Response:
        user_id = caller(request).user_id
        found = [row for row in keystone.domains if assignments.effective(user_id, {"domain_id": row["id"]})]
        return listed(keystone, request, BY_NAME["domain"], found)

    @routes.get("/v3/auth/catalog")
    async def show_catalog(request: web.Request) -> web.Response:
        links = {"self": str(request.url), "previous": None, "next": None}
        return web.json_response({"catalog": catalog(keystone, caller(request).project_id), "links": links})
