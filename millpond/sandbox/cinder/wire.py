"""What all of Cinder's routes share: the service behind the request, the project in the path, required versions."""

from aiohttp import web

from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.core.callers import caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.microversions import microversion
from millpond.sandbox.core.store import Row

CINDER = web.AppKey("cinder", CinderService)
PROJECT = "/v3/{project_id}"
routes = web.RouteTableDef()


def cinder(request: web.Request) -> CinderService:
    """The service. ApiError 400 when the project in the path is not the caller's."""
    if request.match_info.get("project_id") != caller(request).project_id:
        raise ApiError(400, "Malformed request url")
    return request.app[CINDER]


def since(request: web.Request, minor: int) -> None:
    """ApiError 404 when the negotiated version is older than the route."""
    if microversion(request) < (3, minor):
        raise ApiError(404, "The resource could not be found.")


def links(request: web.Request, kind: str, id: str) -> list[Row]:
    base, project = request.app[CINDER].cloud.base_url, request.match_info["project_id"]
    return [
        {"rel": "self", "href": f"{base}/volume/v3/{project}/{kind}/{id}"},
        {"rel": "bookmark", "href": f"{base}/volume/{project}/{kind}/{id}"},
    ]


def paged(key: str, rows: list[Row], following: str | None) -> Row:
    """A list document with its link to the next page."""
    more = {f"{key}_links": [{"rel": "next", "href": following}]} if following else {}
    return {key: rows, **more}


def truth(value: object, name: str) -> bool:
    """A boolean as Cinder's schemas take it. ApiError 400."""
    text = str(value).strip().lower()
    if text in ("true", "1", "on", "yes", "t", "y"):
        return True
    if text in ("false", "0", "off", "no", "f", "n"):
        return False
    raise ApiError(400, f"Invalid input for field/attribute {name}. Value: {value}. {value!r} is not a boolean.")


def whole(value: object, name: str) -> int:
    """A positive whole number, also as a string. ApiError 400."""
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit() or int(value) < 1:
        raise ApiError(400, f"Invalid input for field/attribute {name}. Value: {value}. It must be a positive integer.")
    return int(value)
