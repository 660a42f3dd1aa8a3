"""/v2/images/{id}/members: projects with which a shared image is shared."""

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import ApiError, body, caller
from millpond.sandbox.glance.service import GlanceService

STATUSES = ("pending", "accepted", "rejected")


class Members:
    def __init__(self, service: GlanceService) -> None:
        self.service = service

    def add(self, routes: web.RouteTableDef) -> None:
        routes.get("/v2/images/{id}/members")(self.list)
        routes.post("/v2/images/{id}/members")(self.create)
        routes.get("/v2/images/{id}/members/{member}")(self.show)
        routes.put("/v2/images/{id}/members/{member}")(self.update)
        routes.delete("/v2/images/{id}/members/{member}")(self.delete)

    async def list(self, request: web.Request) -> web.Response:
        image, who = self._image(request), caller(request)
        rows = self.service.members.where(image_id=image["id"])
        if not who.is_admin and image["owner"] != who.project_id:
            rows = [row for row in rows if row["member"] == who.project_id]
        return web.json_response({"members": [_view(row) for row in rows], "schema": "/v2/schemas/members"})

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(_view(self._member(request)))

    async def create(self, request: web.Request) -> web.Response:
        project_id = str((await body(request)).get("member", ""))
        image = self._image(request)
        self.service.writable(caller(request), image)
        if image["visibility"] != "shared":
            raise ApiError(403, "Only shared images have members.")
        if not project_id:
            raise ApiError(400, "Member can't be empty")
        if self.service.members.where(image_id=image["id"], member=project_id):
            raise ApiError(409, f"Image member {project_id} already exists for image {image['id']}")
        now = self.service.cloud.world.clock.iso()
        row = {"id": f"{image['id']}/{project_id}", "image_id": image["id"], "member": project_id, "status": "pending"}
        return web.json_response(_view(self.service.members.insert({**row, "created_at": now, "updated_at": now})))

    async def update(self, request: web.Request) -> web.Response:
        status = (await body(request)).get("status")
        row, who = self._member(request), caller(request)
        if status not in STATUSES:
            raise ApiError(400, f"Status must be one of {STATUSES}")
        if not who.is_admin and row["member"] != who.project_id:
            raise ApiError(403, "Only the member may change its status.")
        changed = self.service.members.update(row["id"], status=status, updated_at=self.service.cloud.world.clock.iso())
        return web.json_response(_view(changed))

    async def delete(self, request: web.Request) -> web.Response:
        row = self._member(request)
        self.service.writable(caller(request), self._image(request))
        self.service.members.delete(row["id"])
        return web.Response(status=204)

    def _image(self, request: web.Request) -> Row:
        return self.service.require(caller(request), request.match_info["id"])

    def _member(self, request: web.Request) -> Row:
        found = self.service.members.where(image_id=self._image(request)["id"], member=request.match_info["member"])
        if not found:
            raise ApiError(404, f"{request.match_info['member']} not found in the member list of the image")
        return found[0]


def _view(row: Row) -> Row:
    names = {"image_id": "image_id", "member": "member_id", "status": "status", "created_at": "created_at", "updated_at": "updated_at"}
    return {**{shown: row[name] for name, shown in names.items()}, "schema": "/v2/schemas/member"}
