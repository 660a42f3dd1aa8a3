"""The array's HTTP conventions: envelope, sessions, approval, credentials for the remote system."""

import base64
import binascii
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Middleware

from millpond.sandbox.core.requests import is_mutating
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import ApiError, Caller
from millpond.sandbox.infinibox.array import InfiniBox
from millpond.sandbox.infinibox.query import Page, select
from millpond.sandbox.infinibox.refusal import Refusal, bad_request

LOG = logging.getLogger(__name__)
BOX = web.AppKey("box", InfiniBox)
SESSIONS: web.AppKey[dict[str, str]] = web.AppKey("sessions", dict)
COOKIE = "JSESSIONID"
BASE = "/api/rest"

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]
F = TypeVar("F", bound=Callable[..., Any])
routes = web.RouteTableDef()


def box_of(request: web.Request) -> InfiniBox:
    return request.app[BOX]


def answer(result: Any, status: int = 200, metadata: Mapping[str, Any] | None = None) -> web.Response:
    return _reply(result, None, status, metadata or {"ready": True})


def listing(request: web.Request, rows: list[Row]) -> web.Response:
    page: Page = select(rows, request.query)
    return answer(list(page.rows), metadata=page.metadata())


def single(request: web.Request, row: Row) -> web.Response:
    fields = request.query.get("fields")
    return answer({field: row[field] for field in fields.split(",") if field in row} if fields else row)


async def document(request: web.Request) -> dict[str, Any]:
    """The JSON object of the request, empty when there is no body."""
    found = await payload(request)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise bad_request("BAD_REQUEST", "The body is no JSON object")
    return found


async def payload(request: web.Request) -> Any:
    if not await request.read():
        return None
    try:
        return await request.json()
    except ValueError:
        raise bad_request("BAD_REQUEST", "The body is not JSON") from None


def number(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request("BAD_REQUEST", f"{name} must be a number")
    return value


def only_known(body: Mapping[str, Any], *known: str) -> None:
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise bad_request("UNKNOWN_FIELD", f"Unknown field: {', '.join(unknown)}")


def flag(request: web.Request, name: str, default: bool = False) -> bool:
    return request.query.get(name, str(default)).lower() == "true"


def dangerous(function: F) -> F:
    """Marks a route that wants `approved=true`. Invented: which requests beyond deletions are dangerous."""
    function.is_dangerous = True  # type: ignore[attr-defined]
    return function


def require_approval(request: web.Request, code: str = "APPROVAL_REQUIRED") -> None:
    if not flag(request, "approved"):
        reason = f"{request.method} {request.path} cannot be undone"
        raise Refusal(403, code, "The operation requires approval", [reason])


def require_remote_login(request: web.Request, peer: InfiniBox) -> None:
    """Refuses what changes the peer unless X-Remote-Authorization opens one of its accounts.

    `Basic <base64>`, from firmware 8.4 `Basic <name>=<base64>;...`. Invented: any of several is tried on the peer, whatever its name.
    """
    scheme, _, value = request.headers.get("X-Remote-Authorization", "").partition(" ")
    for part in value.split(";") if scheme == "Basic" else ():
        _, _, named = part.partition("=")
        plain = _decode(named if named.strip("=") else part)
        if plain and peer.accepts(*plain) and peer.role_of(plain[0]) == "ADMIN":
            return
    raise Refusal(403, "REMOTE_PERMISSION_REQUIRED", f"Permission on the remote system {peer.name} is required")


def _decode(encoded: str) -> tuple[str, str] | None:
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _reply(result: Any, error: Row | None, status: int, metadata: Mapping[str, Any]) -> web.Response:
    return web.json_response({"result": result, "error": error, "metadata": dict(metadata)}, status=status)


def _failure(error: ApiError) -> web.Response:
    reasons = error.reasons if isinstance(error, Refusal) else ()
    body = {
        "code": error.code or {401: "UNAUTHORIZED", 404: "UNKNOWN_PATH"}.get(error.status, "ERROR"),
        "message": error.message,
        "severity": "ERROR",
        "data": None,
        "is_remote": isinstance(error, Refusal) and error.is_remote,
        "reasons": [{"message": reason, "affected_entities": []} for reason in reasons],
    }
    return _reply(None, body, error.status, {"ready": True})


@web.middleware
async def envelope(request: web.Request, handler: Respond) -> web.StreamResponse:
    """Every answer, refusals and failures too, has the array's shape."""
    try:
        response = await handler(request)
    except ApiError as error:
        response = _failure(error)
    except web.HTTPException as error:
        response = _failure(ApiError(error.status, f"{request.method} {request.path}: {error.reason}"))
    except Exception:
        LOG.exception("%s %s", request.method, request.path_qs)
        response = _failure(ApiError(500, "Internal error", "UNEXPECTED_INTERNAL_ERROR"))
    response.headers["X-INFINIDAT-VERSION"] = box_of(request).version
    return response


@web.middleware
async def sessions(request: web.Request, handler: Respond) -> web.StreamResponse:
    """Basic credentials or the cookie of a login; the feature list is open to all."""
    if not request.path.endswith(("/_features", "/users/login")):
        user = _basic_user(request) or request.app[SESSIONS].get(request.cookies.get(COOKIE, ""))
        if user is None:
            raise Refusal(401, "UNAUTHORIZED", "Log in first")
        role = box_of(request).role_of(user)
        request["caller"] = Caller(user, None, None, frozenset({role}), is_admin=role == "ADMIN", token="", user_name=user)
        if role != "ADMIN" and is_mutating(request.method, request.path):
            raise Refusal(403, "PERMISSION_DENIED", f"User {user} has the role {role}")  # invented: the code and its words
    return await handler(request)


def _basic_user(request: web.Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    plain = _decode(value) if scheme == "Basic" else None
    return plain[0] if plain and box_of(request).accepts(*plain) else None


def open_session(request: web.Request, user: str) -> str:
    cookie = secrets.token_hex(16)
    request.app[SESSIONS][cookie] = user
    return cookie


@web.middleware
async def approval(request: web.Request, handler: Respond) -> web.StreamResponse:
    box_of(request).jobs.observe_link()
    if getattr(request.match_info.handler, "is_dangerous", False):
        require_approval(request)
    return await handler(request)


MIDDLEWARES: tuple[Middleware, ...] = (sessions, approval)
