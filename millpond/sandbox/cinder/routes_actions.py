"""POST volumes/<id>/action."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from millpond.sandbox.cinder.metadata import checked
from millpond.sandbox.cinder.refusals import invalid_volume
from millpond.sandbox.cinder.routes_volumes import VOLUMES
from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.cinder.wire import cinder, routes, truth, whole
from millpond.sandbox.core.callers import Caller, caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.microversions import microversion
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import body, refuse_unknown

STATUSES = ("creating", "available", "deleting", "error", "error_deleting", "attaching", "in-use", "detaching", "maintenance")
ATTACH_STATUSES = ("detached", "attached")


class Action:
    """One request: who asks what of which volume. Each method is an action and answers with its status and document."""

    def __init__(self, service: CinderService, who: Caller, row: Row, asked: Any, minor: int) -> None:
        self.service, self.who, self.row, self.minor = service, who, row, minor
        self.asked: dict[str, Any] = asked if isinstance(asked, dict) else {}

    def extend(self) -> tuple[int, Row | None]:
        refuse_unknown(self.asked, ("new_size",))
        self.service.life.extend(self.row, whole(self.asked.get("new_size"), "new_size"), online=self.minor >= 42)
        return 202, None

    def set_bootable(self) -> tuple[int, Row | None]:
        refuse_unknown(self.asked, ("bootable",))
        self.service.life.update(self.row, {"bootable": truth(self.asked.get("bootable"), "bootable")})
        return 200, None

    def set_image_metadata(self) -> tuple[int, Row | None]:
        merged = self.service.metadata.put(self.row, checked(self.asked.get("metadata")), "image_metadata")
        return 200, {"metadata": merged}

    def unset_image_metadata(self) -> tuple[int, Row | None]:
        key = self.asked.get("key")
        if not isinstance(key, str) or not key:
            raise ApiError(400, "The key cannot be None.")
        self.service.metadata.delete(self.row, key, "image_metadata")
        return 200, None

    def show_image_metadata(self) -> tuple[int, Row | None]:
        return 200, {"metadata": self.row["image_metadata"]}

    def reset_status(self) -> tuple[int, Row | None]:
        self._require_admin()
        refuse_unknown(self.asked, ("status", "attach_status", "migration_status"))
        status, attach_status = self.asked.get("status"), self.asked.get("attach_status")
        if not self.asked or (status is not None and status not in STATUSES) or attach_status not in (None, *ATTACH_STATUSES):
            raise ApiError(400, f"Invalid input for field/attribute os-reset_status. Value: {self.asked}. It must name valid statuses.")
        if status is not None:
            self.service.life.change(self.row["id"], status=status)
        return 202, None

    def reserve(self) -> tuple[int, Row | None]:
        self.service.attaching.begin_attaching(self.row["id"])
        return 202, None

    def unreserve(self) -> tuple[int, Row | None]:
        self.service.attaching.stop_attaching(self.row["id"])
        return 202, None

    def attach(self) -> tuple[int, Row | None]:
        refuse_unknown(self.asked, ("instance_uuid", "host_name", "mountpoint", "mode"))
        server, host = self.asked.get("instance_uuid"), self.asked.get("host_name")
        if (server is None) == (host is None):
            raise ApiError(400, "Invalid request to attach volume to an invalid target")
        self.service.attaching.attach(
            self.row["id"], server, self.asked.get("mountpoint", "/dev/vdb"), host or "unknown", self.asked.get("mode", "rw")
        )
        return 202, None

    def detach(self) -> tuple[int, Row | None]:
        if not self.service.attaching.of(self.row["id"]):
            raise invalid_volume("Volume is not attached.")
        self.service.attaching.detach(self.row["id"], attachment_id=self.asked.get("attachment_id"))
        return 202, None

    def begin_detaching(self) -> tuple[int, Row | None]:
        self.service.attaching.begin_detaching(self.row["id"])
        return 202, None

    def roll_detaching(self) -> tuple[int, Row | None]:
        if self.row["status"] == "detaching":
            self.service.life.change(self.row["id"], status="in-use")
        return 202, None

    def update_readonly_flag(self) -> tuple[int, Row | None]:
        self.service.metadata.set_readonly(self.row, truth(self.asked.get("readonly"), "readonly"))
        return 202, None

    def unmanage(self) -> tuple[int, Row | None]:
        self._require_admin()
        self.service.life.unmanage(self.row)
        return 202, None

    def force_delete(self) -> tuple[int, Row | None]:
        self._require_admin()
        self.service.life.delete(self.row, force=True)
        return 202, None

    def retype(self) -> tuple[int, Row | None]:
        """No back end of the sandbox moves volumes between types."""
        raise invalid_volume("Retype requires migration but no host can take the volume.")

    def _require_admin(self) -> None:
        if not self.who.is_admin:
            raise ApiError(403, "Policy doesn't allow this action to be performed.")


ACTIONS: dict[str, Callable[[Action], tuple[int, Row | None]]] = {
    "os-extend": Action.extend,
    "os-set_bootable": Action.set_bootable,
    "os-set_image_metadata": Action.set_image_metadata,
    "os-unset_image_metadata": Action.unset_image_metadata,
    "os-show_image_metadata": Action.show_image_metadata,
    "os-reset_status": Action.reset_status,
    "os-reserve": Action.reserve,
    "os-unreserve": Action.unreserve,
    "os-attach": Action.attach,
    "os-detach": Action.detach,
    "os-begin_detaching": Action.begin_detaching,
    "os-roll_detaching": Action.roll_detaching,
    "os-update_readonly_flag": Action.update_readonly_flag,
    "os-unmanage": Action.unmanage,
    "os-force_delete": Action.force_delete,
    "os-retype": Action.retype,
}


@routes.post(f"{VOLUMES}/{{id}}/action")
async def act(request: web.Request) -> web.Response:
    service, asked, who = cinder(request), await body(request), caller(request)
    if len(asked) != 1 or next(iter(asked)) not in ACTIONS:
        raise ApiError(400, f"There is no such action: {', '.join(asked) or 'none'}")
    name, arguments = next(iter(asked.items()))
    row = service.life.get(who, request.match_info["id"])
    status, document = ACTIONS[name](Action(service, who, row, arguments, microversion(request).minor))
    return web.json_response(document, status=status) if document is not None else web.Response(status=status)
