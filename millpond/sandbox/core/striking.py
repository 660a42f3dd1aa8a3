"""Performs the faults of core.faults on one request."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.faults import Action

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]
GRACE = 0.02
"""Real seconds for the killed process to take in the reply of an "after" kill point; all others wait meanwhile."""

MOURNING = 2.0
"""Real seconds within which the connections of a killed process are seen to close."""

_killing = asyncio.Lock()


async def strike(action: Action | None, request: web.Request, respond: Respond) -> web.StreamResponse:
    """Answers the request as `action` wants it; without one, as the service does."""
    if _killing.locked() and await _was_killed(request):
        return drop(request)
    if action is None:
        return await respond(request)
    if action == "drop_before":
        return drop(request)
    if action == "drop_after":
        await respond(request)
        return drop(request)
    assert isinstance(action, dict)
    if "kill" in action:
        return await kill(action["kill"], action["when"], request, respond)
    if "delay" in action:
        await asyncio.sleep(action["delay"])
        return await respond(request) if still_there(request) else drop(request)
    request["refusal"] = action
    return await respond(request)


@web.middleware
async def refuse_if_told(request: web.Request, handler: Respond) -> web.StreamResponse:
    """Stands inside the service's error middleware, so that a status fault has the service's own error shape."""
    action = request.get("refusal")
    if action is None:
        return await handler(request)
    if "body" in action:
        text = action["body"] if isinstance(action["body"], str) else json.dumps(action["body"])
        return web.Response(status=action["status"], text=text, content_type="application/json")
    raise ApiError(action["status"], "The sandbox was told to refuse this request.")


def still_there(request: web.Request) -> bool:
    """A request that waited too long for its sender is not carried out: it would reach into whatever comes next."""
    return request.transport is not None and not request.transport.is_closing()


def drop(request: web.Request) -> web.Response:
    """Closes the connection without a byte of reply."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def kill(pid: int, when: str, request: web.Request, respond: Respond) -> web.StreamResponse:
    """SIGKILLs `pid` before anything is done, after the reply is sent, or when all is done but no byte is sent."""
    if when == "before":
        execute(pid)
        return drop(request)
    response = await respond(request)
    if when == "after_lost":
        execute(pid)
        return drop(request)
    async with _killing:
        await response.prepare(request)
        await response.write_eof()
        await asyncio.sleep(GRACE)
        execute(pid)
        await asyncio.sleep(GRACE)  # what it had sent when it died is read meanwhile, and waits, too
    return response


async def _was_killed(request: web.Request) -> bool:
    """Waits for the kill under way, and says whether this request came from the process that is now dead."""
    async with _killing:
        pass
    deadline = time.monotonic() + MOURNING
    while not (gone := request.transport is None or request.transport.is_closing()) and time.monotonic() < deadline:
        await asyncio.sleep(0.005)
    return gone


def execute(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
