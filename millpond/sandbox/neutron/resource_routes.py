"""List, show, create (also in bulk), update and delete of every collection, and their tags."""

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller, caller
from millpond.sandbox.neutron import bodies, query
from millpond.sandbox.neutron.collection import Collection
from millpond.sandbox.neutron.refusals import refused
from millpond.sandbox.neutron.service import NeutronService

MAX_TAG = 255


def add(routes: web.RouteTableDef, service: NeutronService) -> None:
    for collection in service.by_plural.values():
        path = f"/v2.0/{collection.plural.replace('_', '-')}"
        Endpoints(collection, path).add(routes)
        if collection.tagged:
            Tags(collection, path).add(routes)


class Endpoints:
    def __init__(self, collection: Collection, path: str) -> None:
        self.collection = collection
        self.path = path

    def add(self, routes: web.RouteTableDef) -> None:
        routes.get(self.path)(self.list)
        routes.post(self.path)(self.create)
        routes.get(f"{self.path}/{{id}}")(self.show)
        routes.put(f"{self.path}/{{id}}")(self.update)
        routes.delete(f"{self.path}/{{id}}")(self.delete)

    async def list(self, request: web.Request) -> web.Response:
        who, kind = caller(request), self.collection
        asked = query.parse(request.query, kind.schema.attributes, kind.service.extensions)
        page = asked.select([kind.complete(row) for row in kind.rows(who, asked.filters)], kind.not_found)
        answer: Row = {kind.plural: [asked.cut(kind.schema.view(who, row)) for row in page]}
        if links := asked.links(request.url, page):
            answer[f"{kind.plural}_links"] = links
        return web.json_response(answer)

    async def show(self, request: web.Request) -> web.Response:
        who, kind = caller(request), self.collection
        row = kind.find(who, request.match_info["id"])
        asked = query.parse(request.query, kind.schema.attributes, kind.service.extensions)
        return self._answer(who, row, 200, asked)

    async def create(self, request: web.Request) -> web.Response:
        found = await bodies.document(request)
        who, kind = caller(request), self.collection
        bulk = bodies.many(found, kind.plural)
        if bulk is None:
            return self._answer(who, kind.create(who, bodies.one(found, kind.singular)), 201)
        made = create_all(who, kind, bulk)
        return web.json_response({kind.plural: [kind.view(who, row) for row in made]}, status=201)

    async def update(self, request: web.Request) -> web.Response:
        found = await bodies.document(request)
        who, id = caller(request), request.match_info["id"]
        bodies.check_revision(request, self.collection.find(who, id))
        return self._answer(who, self.collection.update(who, id, bodies.one(found, self.collection.singular)), 200)

    async def delete(self, request: web.Request) -> web.Response:
        who, id = caller(request), request.match_info["id"]
        bodies.check_revision(request, self.collection.find(who, id))
        self.collection.delete(who, id)
        return web.Response(status=204)

    def _answer(self, who: Caller, row: Row, status: int, asked: query.Query | None = None) -> web.Response:
        view = self.collection.view(who, row)
        return web.json_response({self.collection.singular: asked.cut(view) if asked else view}, status=status)


def create_all(who: Caller, kind: Collection, wanted: list[Row]) -> list[Row]:
    """All or none."""
    made: list[Row] = []
    try:
        for item in wanted:
            made.append(kind.create(who, item))  # noqa: PERF401 (what was made so far is undone below)
    except Exception:
        for row in reversed(made):
            kind.delete(who, row["id"])
        raise
    return made


class Tags:
    """The extension standard-attr-tag."""

    def __init__(self, collection: Collection, path: str) -> None:
        self.collection = collection
        self.path = f"{path}/{{id}}/tags"

    def add(self, routes: web.RouteTableDef) -> None:
        routes.get(self.path)(self.list)
        routes.put(self.path)(self.replace)
        routes.delete(self.path)(self.clear)
        routes.get(f"{self.path}/{{tag}}")(self.show)
        routes.put(f"{self.path}/{{tag}}")(self.add_one)
        routes.delete(f"{self.path}/{{tag}}")(self.remove_one)

    async def list(self, request: web.Request) -> web.Response:
        return web.json_response({"tags": self._row(request)["tags"]})

    async def replace(self, request: web.Request) -> web.Response:
        tags = (await bodies.document(request)).get("tags")
        if not isinstance(tags, list) or not all(isinstance(tag, str) and len(tag) <= MAX_TAG for tag in tags):
            raise refused("HTTPBadRequest", reason=f"Invalid tags body: {tags}")
        if len(set(tags)) < len(tags):
            raise refused("HTTPBadRequest", reason=f"Duplicate items in the list: '{', '.join(tags)}'")
        row = self._writable(request)
        if set(tags) != set(row["tags"]):
            self.collection.change(row, tags=tags)
        return web.json_response({"tags": row["tags"]})

    async def clear(self, request: web.Request) -> web.Response:
        self.collection.change(self._writable(request), tags=[])
        return web.Response(status=204)

    async def show(self, request: web.Request) -> web.Response:
        self._require(self._row(request), request.match_info["tag"])
        return web.Response(status=204)

    async def add_one(self, request: web.Request) -> web.Response:
        row, tag = self._writable(request), request.match_info["tag"]
        if tag not in row["tags"]:
            self.collection.change(row, tags=[*row["tags"], tag])
        return web.Response(status=201)

    async def remove_one(self, request: web.Request) -> web.Response:
        row, tag = self._writable(request), request.match_info["tag"]
        self._require(row, tag)
        self.collection.change(row, tags=[item for item in row["tags"] if item != tag])
        return web.Response(status=204)

    def _row(self, request: web.Request) -> Row:
        self._check(request)
        return self.collection.find(caller(request), request.match_info["id"])

    def _check(self, request: web.Request) -> None:
        if self.collection.get(request.match_info["id"]) is None:
            raise refused("TagResourceNotFound", resource=self.collection.plural, id=request.match_info["id"])

    def _writable(self, request: web.Request) -> Row:
        self._check(request)
        return self.collection.writable(caller(request), "update", request.match_info["id"])

    def _require(self, row: Row, tag: str) -> None:
        if tag not in row["tags"]:
            raise refused("TagNotFound", tag=tag)
