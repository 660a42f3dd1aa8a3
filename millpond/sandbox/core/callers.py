"""Who makes a request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from millpond.sandbox.core.errors import ApiError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Caller:
    """Who a valid token stands for."""

    user_id: str
    project_id: str | None
    domain_id: str | None
    roles: frozenset[str]
    is_admin: bool
    token: str
    user_name: str = ""
    only_reads: bool = False
    """Sees what an administrator sees, and may change nothing."""
    access_rules: Sequence[Mapping[str, str]] | None = None
    """Of the application credential: without any that fits a request is refused."""


def caller(request: web.Request) -> Caller:
    """The authenticated caller. Only for routes that are not `public`."""
    found: Caller = request["caller"]
    return found


def admin(request: web.Request) -> Caller:
    """The caller, who must be an administrator (ApiError 403)."""
    found = caller(request)
    if not found.is_admin:
        raise ApiError(403, "You are not authorized to perform the requested action.")
    return found


def public(function: F) -> F:
    """Marks a route that needs no token and no microversion: version documents and logins."""
    vars(getattr(function, "__func__", function))["is_public"] = True
    return function


def is_public(request: web.Request) -> bool:
    return getattr(request.match_info.handler, "is_public", False)
