"""Marker and limit, as Nova, Cinder, Neutron, Glance and Keystone page their lists."""

from collections.abc import Callable, Sequence

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row


def no_marker(marker: str) -> ApiError:
    return ApiError(400, f"marker [{marker}] not found")


def page(
    request: web.Request,
    rows: Sequence[Row],
    key: str = "id",
    limit_max: int | None = 1000,
    missing: Callable[[str], ApiError] = no_marker,
) -> tuple[list[Row], str | None]:
    """The page that `?marker=&limit=` ask for, and the address of the next one (None on the last).

    `key` is the field of a row that markers name. At most `limit_max` rows are given, None meaning all.
    ApiError 400 for a limit that is not a number; `missing` for a marker that is not in `rows`.
    """
    marker = request.query.get("marker")
    start = _after(rows, key, marker)
    if start is None:
        raise missing(str(marker))
    limit = _limit(request.query.get("limit"), limit_max)
    if limit is None or start + limit >= len(rows):
        return list(rows[start:]), None
    chosen = list(rows[start : start + limit])
    if not chosen:
        return [], None
    return chosen, str(request.url.update_query(marker=str(chosen[-1][key])))


def _limit(text: str | None, limit_max: int | None) -> int | None:
    if text is None:
        return limit_max
    if not text.isdigit():
        raise ApiError(400, f"limit param must be an integer: {text}")
    limit = int(text)
    return limit if limit_max is None else min(limit, limit_max)


def _after(rows: Sequence[Row], key: str, marker: str | None) -> int | None:
    if not marker:
        return 0
    for position, row in enumerate(rows):
        if row[key] == marker:
            return position + 1
    return None
