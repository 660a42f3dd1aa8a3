"""os-keypairs."""

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import caller
from millpond.sandbox.nova import admin_schemas, refusals
from millpond.sandbox.nova.routes.parse import checked, empty, minor, paged
from millpond.sandbox.nova.service import NovaService

KEYPAIRS = "/v2.1/os-keypairs"
KEYPAIR = KEYPAIRS + "/{name}"


def owner(request: web.Request, given: str | None, rule: str) -> str:
    """Whose key pairs are meant: the caller's own, or from 2.10 on anyone's for an administrator."""
    who = caller(request)
    if minor(request) < 10 or given in (None, who.user_id):
        return who.user_id
    if not who.is_admin:
        raise refusals.policy(f"os-keypairs:{rule}")
    return str(given)


def basic(row: Row, minor: int) -> Row:
    shown = {name: row[name] for name in ("name", "public_key", "fingerprint")}
    return {**shown, "type": row["type"]} if minor >= 2 else shown


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    def detailed(row: Row, minor: int) -> Row:
        dates = {"created_at": nova.cloud.world.clock.iso_us(row["created_at"]), "updated_at": None, "deleted_at": None}
        return {**basic(row, minor), "user_id": row["user_id"], "id": row["number"], "deleted": False, **dates}

    @routes.get(KEYPAIRS)
    async def index(request: web.Request) -> web.Response:
        version = minor(request)
        rows = nova.keypairs.of(owner(request, request.query.get("user_id"), "index"))
        if version >= 35:
            names = [{**row, "id": row["name"]} for row in rows]
            return paged(request, names, "keypairs", lambda row: {"keypair": basic(row, version)})
        return web.json_response({"keypairs": [{"keypair": basic(row, version)} for row in rows]})

    @routes.get(KEYPAIR)
    async def show(request: web.Request) -> web.Response:
        user_id = owner(request, request.query.get("user_id"), "show")
        row = nova.keypairs.require(user_id, request.match_info["name"])
        return web.json_response({"keypair": detailed(row, minor(request))})

    @routes.post(KEYPAIRS)
    async def create(request: web.Request) -> web.Response:
        given = (await checked(request, admin_schemas.create_keypair))["keypair"]
        if "public_key" not in given:
            raise refusals.bad_request("Keypair data is invalid: the sandbox makes no keys, it imports public ones")
        user_id = owner(request, given.get("user_id"), "create")
        row = nova.keypairs.create(
            user_id, given["name"].strip(), given["public_key"], given.get("type", "ssh"), caller(request).project_id
        )
        shown = {**basic(row, minor(request)), "user_id": row["user_id"]}
        return web.json_response({"keypair": shown}, status=201 if minor(request) >= 2 else 200)

    @routes.delete(KEYPAIR)
    async def delete(request: web.Request) -> web.Response:
        nova.keypairs.delete(owner(request, request.query.get("user_id"), "delete"), request.match_info["name"])
        return empty(204 if minor(request) >= 2 else 202)
