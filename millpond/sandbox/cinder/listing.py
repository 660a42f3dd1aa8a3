"""Which volumes a list shows: filters, order, pages."""

import ast
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from aiohttp import web

from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.cinder.wire import truth
from millpond.sandbox.core.callers import Caller, caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.microversions import microversion
from millpond.sandbox.core.store import Row

NOT_FILTERS = ("limit", "marker", "offset", "sort", "sort_key", "sort_dir", "all_tenants", "with_count", "fields")
OWNERS_FILTERS = ("name", "status", "metadata", "bootable", "migration_status", "availability_zone", "group_id")
"""What others than administrators may filter by (cinder.conf query_volume_filters, resource_filters.json)."""

PLAIN = ("id", "name", "status", "host", "availability_zone", "group_id", "user_id", "project_id")
REFERENCES = ("snapshot_id", "source_volid", "migration_status")
FILTERS: dict[str, Callable[[Row], Any]] = {
    **{field: itemgetter(field) for field in (*PLAIN, *REFERENCES)},
    "volume_type_id": itemgetter("type_id"),
    "size": lambda row: str(row["size"]),
    "multiattach": lambda row: str(row["multiattach"]),
}


def chosen(request: web.Request, service: CinderService) -> list[Row]:
    """The rows the query asks for, newest first unless it says otherwise. ApiError 400 for an invalid filter."""
    asked, seen_by = request.query, caller(request)
    rows = _owned(seen_by, service, all_tenants="all_tenants" in asked and truth(asked["all_tenants"], "all_tenants"))
    for key, value in asked.items():
        if key not in NOT_FILTERS and _allowed(request, key):
            rows = [row for row in rows if _passes(row, key, value)]
    return _ordered(rows, asked.get("sort") or ":".join(filter(None, (asked.get("sort_key"), asked.get("sort_dir")))))


def _owned(seen_by: Caller, service: CinderService, all_tenants: bool) -> list[Row]:
    if all_tenants and seen_by.is_admin:
        return list(service.volumes)
    return service.volumes.where(project_id=seen_by.project_id)


def _allowed(request: web.Request, key: str) -> bool:
    """Administrators filter by anything. Others: from 3.31 unknown filters are refused, before they are dropped."""
    if caller(request).is_admin or key.removesuffix("~") in OWNERS_FILTERS:
        return True
    if microversion(request) >= (3, 31):
        raise ApiError(400, f"Invalid filters {key} are found in query options.")
    return False


def _passes(row: Row, key: str, value: str) -> bool:
    if key == "metadata":
        return all(row["metadata"].get(name) == str(wanted) for name, wanted in _dictionary(value).items())
    if key == "bootable":
        return bool(row["bootable"] == truth(value, key))
    like = key.endswith("~")
    read = FILTERS.get(key.removesuffix("~"))
    if read is None:
        return False
    return value in str(read(row) or "") if like else read(row) == value


def _dictionary(text: str) -> dict[str, Any]:
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        found = None
    if not isinstance(found, dict):
        raise ApiError(400, f"Invalid filter metadata: {text}")
    return found


def _ordered(rows: list[Row], sort: str) -> list[Row]:
    rows = sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)
    for part in reversed([one for one in sort.split(",") if one]):
        key, _, direction = part.partition(":")
        if key not in FILTERS and key not in ("created_at", "updated_at"):
            raise ApiError(400, f"Invalid sort key {key}")
        rows = sorted(rows, key=lambda row: str(row.get(key) or ""), reverse=direction != "asc")
    return rows
