"""/v2/images: list, show, create, patch, delete, data and tags."""

import re
from typing import Any

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import ApiError, body, caller
from millpond.sandbox.glance.service import GlanceService

LIMIT, LIMIT_MAX = 25, 1000
"""glance/common/config.py: limit_param_default, api_limit_max."""
PATCH = re.compile(r"application/openstack-images-v2\.[01]-json-patch")
PAGING = ("limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "member_status", "tag")
Operation = tuple[str, str, Any]


class Images:
    def __init__(self, service: GlanceService) -> None:
        self.service = service

    def add(self, routes: web.RouteTableDef) -> None:
        routes.get("/v2/images")(self.list)
        routes.post("/v2/images")(self.create)
        routes.get("/v2/images/{id}")(self.show)
        routes.patch("/v2/images/{id}")(self.patch)
        routes.delete("/v2/images/{id}")(self.delete)
        routes.put("/v2/images/{id}/file")(self.upload)
        routes.get("/v2/images/{id}/file")(self.download)
        routes.put("/v2/images/{id}/tags/{tag}")(self.add_tag)
        routes.delete("/v2/images/{id}/tags/{tag}")(self.remove_tag)

    async def list(self, request: web.Request) -> web.Response:
        asked = request.query
        rows = self.service.listed(caller(request), asked.get("visibility"), asked.get("member_status", "accepted"))
        rows = [row for row in rows if _passes(row, request)]
        for key, descending in reversed(_sorting(request)):
            rows.sort(key=lambda row: str(row.get(key) or ""), reverse=descending)
        page, more = _page(request, rows)
        answer: Row = {"images": [view(row) for row in page], "first": "/v2/images", "schema": "/v2/schemas/images"}
        if more:
            answer["next"] = str(request.rel_url.with_path("/v2/images").update_query(marker=page[-1]["id"]))
        return web.json_response(answer)

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(view(self._image(request)))

    async def create(self, request: web.Request) -> web.Response:
        found = await body(request)
        row = self.service.create(caller(request), found)
        return web.json_response(view(row), status=201, headers={"Location": f"/v2/images/{row['id']}"})

    async def patch(self, request: web.Request) -> web.Response:
        if not PATCH.fullmatch(request.content_type):
            raise ApiError(415, "The server could not understand the content type of the request.")
        operations = await request.json()
        row = self._image(request)
        changes: Row = {}
        removed: list[str] = []
        for kind, name, value in map(_operation, operations):
            if kind == "replace" and name not in row:
                raise ApiError(409, f"Property {name} does not exist.")
            if kind == "remove":
                if name not in row:
                    raise ApiError(409, f"Property {name} does not exist.")
                removed.append(name)
            else:
                changes[name] = value
        return web.json_response(view(self.service.change(caller(request), row, changes, removed)))

    async def delete(self, request: web.Request) -> web.Response:
        self.service.delete(caller(request), self._image(request))
        return web.Response(status=204)

    async def upload(self, request: web.Request) -> web.Response:
        data = await request.read()
        row = self._image(request)
        self.service.writable(caller(request), row)
        self.service.upload(row, data)
        return web.Response(status=204)

    async def download(self, request: web.Request) -> web.Response:
        row = self._image(request)
        data = self.service.download(row)
        if data is None:
            return web.Response(status=204)
        return web.Response(body=data, content_type="application/octet-stream", headers={"Content-MD5": row["checksum"]})

    async def add_tag(self, request: web.Request) -> web.Response:
        row, tag = self._image(request), request.match_info["tag"]
        self.service.change(caller(request), row, {"tags": sorted({*row["tags"], tag})})
        return web.Response(status=204)

    async def remove_tag(self, request: web.Request) -> web.Response:
        row, tag = self._image(request), request.match_info["tag"]
        if tag not in row["tags"]:
            raise ApiError(404, f"{tag} could not be found.")
        self.service.change(caller(request), row, {"tags": [item for item in row["tags"] if item != tag]})
        return web.Response(status=204)

    def _image(self, request: web.Request) -> Row:
        return self.service.require(caller(request), request.match_info["id"])


def view(row: Row) -> Row:
    own = f"/v2/images/{row['id']}"
    return {**row, "self": own, "file": f"{own}/file", "schema": "/v2/schemas/image"}


def _operation(document: Any) -> Operation:
    """One entry of a JSON patch: what, which attribute, the new value."""
    kind = document.get("op") if isinstance(document, dict) else None
    path = str(document.get("path", "")) if isinstance(document, dict) else ""
    if kind not in ("add", "replace", "remove") or not re.fullmatch(r"/[^/]+", path):
        raise ApiError(400, f"Invalid JSON patch operation: {document}")
    return kind, path[1:].replace("~1", "/").replace("~0", "~"), document.get("value")


def _passes(row: Row, request: web.Request) -> bool:
    if not set(request.query.getall("tag", [])) <= set(row["tags"]):
        return False
    if row["os_hidden"] and "os_hidden" not in request.query:
        return False
    return all(_equal(row.get(name), value) for name, value in request.query.items() if name not in PAGING)


def _equal(found: Any, value: str) -> bool:
    if value.startswith("in:"):
        return str(found) in [item.strip('"') for item in value[3:].split(",")]
    return (str(found).lower() == value.lower()) if isinstance(found, bool) else str(found) == value


def _sorting(request: web.Request) -> list[tuple[str, bool]]:
    """From `sort=name:asc,status:desc`, or `sort_key` and `sort_dir`."""
    if "sort" in request.query:
        parts = [part.partition(":") for part in request.query["sort"].split(",")]
        return [(key, direction != "asc") for key, _, direction in parts]
    directions = request.query.getall("sort_dir", [])
    return [(key, directions[at : at + 1] != ["asc"]) for at, key in enumerate(request.query.getall("sort_key", []))]


def _page(request: web.Request, rows: list[Row]) -> tuple[list[Row], bool]:
    text, marker = request.query.get("limit", str(LIMIT)), request.query.get("marker")
    if not text.isdigit():
        raise ApiError(400, "limit param must be an integer")
    ids = [row["id"] for row in rows]
    if marker is not None and marker not in ids:
        raise ApiError(400, f"Invalid marker. Image {marker} could not be found.")
    start = ids.index(marker) + 1 if marker is not None else 0
    end = start + min(int(text), LIMIT_MAX)
    return rows[start:end], end < len(rows) and end > start
