"""The HTTP seam of every simulated service: log, faults, errors, authentication, microversions."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from millpond.sandbox.core.access_rules import allows
from millpond.sandbox.core.callers import Caller, admin, caller, is_public, public
from millpond.sandbox.core.errors import ERROR_SHAPES, ApiError
from millpond.sandbox.core.microversions import HEADERS, Microversion, announce, microversion, negotiate
from millpond.sandbox.core.paging import page
from millpond.sandbox.core.requests import is_mutating
from millpond.sandbox.core.striking import refuse_if_told, strike
from millpond.sandbox.core.world import Cloud, World

__all__ = [
    "ApiError",
    "Caller",
    "Microversion",
    "admin",
    "array_app",
    "body",
    "caller",
    "microversion",
    "page",
    "public",
    "refuse_unknown",
    "service_app",
]

LOG = logging.getLogger(__name__)
Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_BODY = 64 * 2**20


async def body(request: web.Request, key: str | None = None) -> dict[str, Any]:
    """The JSON object of the request, or the object under its only key `key`. ApiError 400 when it is not one."""
    try:
        document = await request.json()
    except ValueError:
        raise ApiError(400, "Malformed JSON in request body.") from None
    if key is not None:
        document = document.get(key) if isinstance(document, dict) else None
    if not isinstance(document, dict):
        raise ApiError(400, f"Invalid input: the request body lacks the object {key!r}.")
    return document


def refuse_unknown(document: dict[str, Any], known: Iterable[str]) -> None:
    """ApiError 400 for keys that the real service does not accept."""
    unknown = sorted(set(document) - set(known))
    if unknown:
        named = ", ".join(f"'{key}'" for key in unknown)
        raise ApiError(400, f"Additional properties are not allowed ({named} unexpected)")


def service_app(cloud: Cloud, service: str, routes: web.RouteTableDef) -> web.Application:
    """The application of one service of `cloud`; `service` is its name in faults and logs.

    A route whose path ends with a slash is served without it too ("/" also as the bare mount point).
    """
    inner = [_authentication(cloud, service)]
    if service in HEADERS:
        inner.append(_negotiation(cloud, service))
    return _application(cloud.world, cloud.name, service, routes, [_errors(service), refuse_if_told, *inner])


def array_app(world: World, name: str, routes: web.RouteTableDef, errors: Middleware, inner: Iterable[Middleware] = ()) -> web.Application:
    """The application of one array, which brings its own error shape and sessions."""
    return _application(world, name, "infinibox", routes, [errors, refuse_if_told, *inner])


def _application(world: World, site: str, service: str, routes: web.RouteTableDef, inner: list[Middleware]) -> web.Application:
    app = web.Application(middlewares=[_serving(world, site, service), *inner], client_max_size=MAX_BODY)
    app.add_routes(routes)
    known = {route.path for route in routes if isinstance(route, web.RouteDef)}
    for route in routes:
        if isinstance(route, web.RouteDef) and route.path.endswith("/") and route.path[:-1] not in known:
            app.router.add_route(route.method, route.path[:-1], route.handler)
    return app


def _serving(world: World, site: str, service: str) -> Middleware:
    """Outermost: the log, latency, what is due, and faults. Nothing is lost on disk once a reply is sent."""

    @web.middleware
    async def serve(request: web.Request, handler: Respond) -> web.StreamResponse:
        entry = world.requests.arrive(service, site, request.method, request.path_qs)

        async def respond(request: web.Request) -> web.StreamResponse:
            world.events.run_due()
            response = await handler(request)
            if "caller" in request:
                entry.user = request["caller"].user_name
            world.settle()
            entry.status = response.status
            return response

        if world.settings.latency:
            await asyncio.sleep(world.settings.latency)
        return await strike(world.faults.strike(entry), request, respond)

    return serve


def _errors(service: str) -> Middleware:
    shape = ERROR_SHAPES[service]

    def answer(error: ApiError) -> web.Response:
        return web.json_response(shape(error), status=error.status)

    @web.middleware
    async def render(request: web.Request, handler: Respond) -> web.StreamResponse:
        try:
            response = await handler(request)
        except ApiError as error:
            response = answer(error)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            response = answer(ApiError(error.status, "The resource could not be found." if error.status == 404 else error.reason))
        except Exception:
            LOG.exception("%s %s", request.method, request.path_qs)
            response = answer(ApiError(500, "Unexpected API Error."))
        if service in HEADERS and "microversion" in request:
            announce(response, service, microversion(request))
        response.headers["x-openstack-request-id"] = f"req-{uuid.uuid4()}"
        return response

    return render


def _authentication(cloud: Cloud, service: str) -> Middleware:
    """As keystonemiddleware does it: one answer for every service."""

    @web.middleware
    async def authenticate(request: web.Request, handler: Respond) -> web.StreamResponse:
        if not is_public(request):
            found = cloud.authenticate(request.headers.get("X-Auth-Token", ""))
            rules = found.access_rules if found else ()
            if found is None or (rules is not None and not allows(rules, service, request.method, _inside(request.path))):
                return _unauthorized(cloud)
            if found.only_reads and is_mutating(request.method, request.path):
                raise ApiError(403, f"Policy doesn't allow {request.method} {request.path} to be performed.")
            request["caller"] = found
        return await handler(request)

    return authenticate


def _inside(path: str) -> str:
    """Without the mount point."""
    return "/" + path.split("/", 2)[2]


def _unauthorized(cloud: Cloud) -> web.Response:
    message = "The request you have made requires authentication."
    return web.json_response(
        {"error": {"code": 401, "title": "Unauthorized", "message": message}},
        status=401,
        headers={"WWW-Authenticate": f'Keystone uri="{cloud.base_url}/identity"'},
    )


def _negotiation(cloud: Cloud, service: str) -> Middleware:
    @web.middleware
    async def choose(request: web.Request, handler: Respond) -> web.StreamResponse:
        if not is_public(request):
            request["microversion"] = negotiate(request, service, cloud.release)
        return await handler(request)

    return choose
