"""Create, list, show, update and delete for every plain collection."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import admin, body, caller
from millpond.sandbox.keystone.kinds import KINDS, Kind
from millpond.sandbox.keystone.service import KeystoneService

OPEN_TO_ALL = ("region",)
TAG_FILTERS: dict[str, Callable[[set[str], set[str]], bool]] = {
    "tags": lambda wanted, tags: wanted <= tags,
    "tags-any": lambda wanted, tags: bool(wanted & tags),
    "not-tags": lambda wanted, tags: not wanted <= tags,
    "not-tags-any": lambda wanted, tags: not wanted & tags,
}
TRUE = ("1", "true", "yes", "on", "")


def add(routes: web.RouteTableDef, keystone: KeystoneService) -> None:
    for kind in KINDS:
        _add_kind(routes, keystone, kind)


def shown(keystone: KeystoneService, kind: Kind, row: Row) -> Row:
    """The row as the API shows it."""
    links = {"self": f"{keystone.cloud.base_url}/identity/v3/{kind.plural}/{row['id']}"}
    url = {"url": keystone.cloud.base_url + row["url"]} if kind.name == "endpoint" and row["url"].startswith("/") else {}
    return {**kind.shown(row), **url, "links": links}


def listed(keystone: KeystoneService, request: web.Request, kind: Kind, rows: list[Row]) -> web.Response:
    links = {"self": str(request.url), "previous": None, "next": None}
    return web.json_response({kind.plural: [shown(keystone, kind, row) for row in rows], "links": links})


def filtered(request: web.Request, kind: Kind, rows: list[Row]) -> list[Row]:
    """The rows that pass the query's filters; what Keystone does not know as a filter it ignores."""
    for name in kind.filters:
        if name in request.query:
            rows = [row for row in rows if _equals(row.get(name), request.query[name])]
    for name, test in TAG_FILTERS.items():
        if kind.name == "project" and name in request.query:
            wanted = set(request.query[name].split(","))
            rows = [row for row in rows if test(wanted, set(row["tags"]))]
    return rows


def _equals(value: Any, text: str) -> bool:
    if isinstance(value, bool):
        return value == (text.lower() in TRUE)
    return value == (text or None) if value is None else str(value) == text


def _may_show(request: web.Request, kind: Kind, id: str) -> None:
    """Everyone may see themselves and the project or domain of their token."""
    who = caller(request)
    own = {"user": who.user_id, "project": who.project_id, "domain": who.domain_id}.get(kind.name)
    if not who.is_admin and id != own and kind.name not in OPEN_TO_ALL:
        raise ApiError(403, f"You are not authorized to perform the requested action: identity:get_{kind.name}.")


def _add_kind(routes: web.RouteTableDef, keystone: KeystoneService, kind: Kind) -> None:
    collection, member = f"/v3/{kind.plural}", f"/v3/{kind.plural}/{{id}}"

    @routes.get(collection)
    async def index(request: web.Request) -> web.Response:
        if not caller(request).is_admin and kind.name not in OPEN_TO_ALL:
            raise ApiError(403, f"You are not authorized to perform the requested action: identity:list_{kind.plural}.")
        return listed(keystone, request, kind, filtered(request, kind, list(keystone.table(kind.name))))

    @routes.post(collection)
    async def create(request: web.Request) -> web.Response:
        admin(request)
        given = await body(request, kind.name)
        return web.json_response({kind.name: shown(keystone, kind, keystone.create(kind.name, given))}, status=201)

    @routes.get(member)
    async def show(request: web.Request) -> web.Response:
        _may_show(request, kind, request.match_info["id"])
        row = keystone.require(kind.name, request.match_info["id"])
        return web.json_response({kind.name: shown(keystone, kind, row)})

    @routes.patch(member)
    async def update(request: web.Request) -> web.Response:
        admin(request)
        row = keystone.update(kind.name, request.match_info["id"], await body(request, kind.name))
        return web.json_response({kind.name: shown(keystone, kind, row)})

    @routes.delete(member)
    async def delete(request: web.Request) -> web.Response:
        admin(request)
        keystone.delete(kind.name, request.match_info["id"])
        return web.Response(status=204)
