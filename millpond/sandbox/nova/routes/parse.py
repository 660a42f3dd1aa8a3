"""What every route does with a request."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from millpond.sandbox.core.paging import page
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller, body, caller, microversion
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.service import NovaService
from millpond.sandbox.nova.validation import check
from millpond.sandbox.nova.views import ServerView

SERVER = "/v2.1/servers/{id}"


def minor(request: web.Request) -> int:
    return microversion(request).minor


def view(request: web.Request, nova: NovaService) -> ServerView:
    return ServerView(nova, caller(request), minor(request))


def server(request: web.Request, nova: NovaService) -> Row:
    return nova.servers.require(caller(request), request.match_info["id"])


def administrator(request: web.Request, rule: str) -> Caller:
    """The caller, who must be an administrator. ApiError 403 that names the policy rule."""
    found = caller(request)
    if not found.is_admin:
        raise refusals.policy(rule)
    return found


async def checked(request: web.Request, schema: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    document = await body(request)
    check(schema, minor(request), document)
    return document


def paged(request: web.Request, rows: list[Row], kind: str, show: Callable[[Row], Any]) -> web.Response:
    """`{kind: [...], kind_links: [...]}`; the links only when there is more."""
    chosen, following = page(request, rows)
    document: dict[str, Any] = {kind: [show(row) for row in chosen]}
    if following:
        document[f"{kind}_links"] = [{"rel": "next", "href": following}]
    return web.json_response(document)


def empty(status: int = 204) -> web.Response:
    return web.Response(status=status)
