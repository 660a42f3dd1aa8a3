"""Request bodies and preconditions as Neutron reads them."""

import re
from typing import Any

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.neutron.refusals import refused

REVISION = re.compile(r"revision_number=(\d+)")


async def document(request: web.Request) -> Row:
    try:
        found = await request.json() if request.can_read_body else {}
    except ValueError:
        raise refused("HTTPBadRequest", reason="Malformed request body: it is not JSON") from None
    if not isinstance(found, dict):
        raise refused("HTTPBadRequest", reason="Resource body required")
    return found


def one(found: Row, singular: str) -> Row:
    """The object under its only key."""
    value = found.get(singular)
    if not isinstance(value, dict):
        raise refused("HTTPBadRequest", reason=f"Unable to find '{singular}' in request body")
    return dict(value)


def many(found: Row, plural: str) -> list[Row] | None:
    """The objects of a bulk request; None when it is not one."""
    value: Any = found.get(plural)
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise refused("HTTPBadRequest", reason="Resources required")
    return [dict(item) for item in value]


def check_revision(request: web.Request, row: Row) -> None:
    """`If-Match: revision_number=N` (extension revision-if-match): 412 when the object has moved on."""
    header = request.headers.get("If-Match")
    if header is None:
        return
    wanted = REVISION.search(header)
    if wanted is None:
        raise refused("HTTPBadRequest", reason=f"Invalid value '{header}' for revision constraint")
    if int(wanted[1]) != row["revision_number"]:
        raise refused("RevisionNumberConstraintFailed", expected=int(wanted[1]), current=row["revision_number"])
