"""GET /servers: filters and order."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.boolean import is_true
from millpond.sandbox.nova.servers import TASK_STATUS, VM_STATUS, Servers, status

if TYPE_CHECKING:
    from multidict import MultiMapping as Query

Keep = Callable[[Row, str], bool]

EQUAL = {
    "uuid": "id",
    "host": "host",
    "node": "host",
    "user_id": "user_id",
    "project_id": "project_id",
    "tenant_id": "project_id",
    "reservation_id": "reservation_id",
    "key_name": "key_name",
    "vm_state": "vm_state",
    "task_state": "task_state",
    "image": "image_ref",
    "availability_zone": "availability_zone",
}
FILTERS: dict[str, Keep] = {
    "name": lambda server, text: re.search(text, server["name"]) is not None,
    "hostname": lambda server, text: re.search(text, server["hostname"]) is not None,
    "flavor": lambda server, text: server["flavor"]["id"] == text,
    "locked": lambda server, text: bool(server["locked_by"]) == is_true(text),
    "tags": lambda server, text: set(text.split(",")) <= set(server["tags"]),
    "tags-any": lambda server, text: bool(set(text.split(",")) & set(server["tags"])),
    "not-tags": lambda server, text: not set(text.split(",")) <= set(server["tags"]),
    "not-tags-any": lambda server, text: not set(text.split(",")) & set(server["tags"]),
    "changes-since": lambda server, text: server["updated_at"] >= moment(text),
    "changes-before": lambda server, text: server["updated_at"] <= moment(text),
}
OTHERS = ("all_tenants", "deleted", "status", "limit", "marker", "sort_key", "sort_dir", "ip", "ip6")
OTHER_STATUSES = ("MIGRATING", "PASSWORD", "REBUILD", "RESCUE", "SHELVED", "SHELVED_OFFLOADED", "SOFT_DELETED")
"""Nova knows these too; no server of the sandbox gets there."""
SORT_KEYS = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "launched_at": "launched_at",
    "display_name": "name",
    "uuid": "id",
    "host": "host",
    "hostname": "hostname",
    "project_id": "project_id",
    "user_id": "user_id",
    "vm_state": "vm_state",
    "task_state": "task_state",
    "power_state": "power_state",
    "key_name": "key_name",
    "availability_zone": "availability_zone",
}
# What a tenant may filter by, whatever the policy (nova/api/openstack/compute/servers.py); all else is ignored.
TENANT = {"reservation_id", "name", "status", "image", "flavor", "ip", "changes-since", "all_tenants"}
TENANT_LATER = {"tags": 26, "tags-any": 26, "not-tags": 26, "not-tags-any": 26, "changes-before": 66, "locked": 73}


def listed(servers: Servers, caller: Caller, query: "Query[str]", minor: int) -> list[Row]:
    """The servers that match, newest first unless asked otherwise. ApiError 400, or 403 for `all_tenants`."""
    check_query(query, minor)
    rows = scope(servers, caller, query)
    for name in set(query) & filters_of(caller, minor) - ignored(query):
        rows = [row for row in rows if any(matches(row, name, value) for value in query.getall(name))]
    return in_order(rows, query)


def check_query(query: "Query[str]", minor: int) -> None:
    unknown = [name for name in query if name not in EQUAL and name not in FILTERS and name not in OTHERS]
    if unknown and minor >= 75:
        raise refusals.bad_request(f"Additional properties are not allowed ('{unknown[0]}' was unexpected)")
    known = {text.lower() for text in (*VM_STATUS.values(), *TASK_STATUS.values(), *OTHER_STATUSES)}
    if minor >= 38 and any(text.lower() not in known for text in query.getall("status", [])):
        raise refusals.bad_request("Invalid status value")
    for name in ("changes-since", "changes-before"):
        if name in query:
            moment(query[name])


def everyone(query: "Query[str]") -> bool:
    return "all_tenants" in query and (query["all_tenants"] == "" or is_true(query["all_tenants"]))


def ignored(query: "Query[str]") -> set[str]:
    """Without `all_tenants` the caller's own project is listed, whatever project is asked for."""
    return set() if everyone(query) else {"project_id", "tenant_id"}


def scope(servers: Servers, caller: Caller, query: "Query[str]") -> list[Row]:
    """All projects' servers or the caller's: the living, the deleted ones, or both for `changes-since` (nova/api, _get_servers)."""
    if everyone(query) and not caller.is_admin:
        raise refusals.policy("servers:detail:get_all_tenants")
    wants_deleted = is_true(query.get("deleted", "")) or query.get("status", "").lower() == "deleted"
    if wants_deleted and "status" in query and not caller.is_admin:
        raise refusals.forbidden("Only administrators may list deleted instances")
    tables = [servers.deleted if wants_deleted and caller.is_admin else servers.table]
    if "changes-since" in query and "deleted" not in query:
        tables = [servers.table, servers.deleted]
    return [row for table in tables for row in (table if everyone(query) else table.where(project_id=caller.project_id))]


def filters_of(caller: Caller, minor: int) -> set[str]:
    later = {name for name, since in TENANT_LATER.items() if minor >= since}
    if caller.is_admin:
        return {*EQUAL, *(set(FILTERS) - set(TENANT_LATER)), "status"} | later
    return (TENANT | later) - {"all_tenants", "ip"}


def matches(server: Row, name: str, value: str) -> bool:
    if name == "status":
        return status(server).lower() == value.lower()
    if name in EQUAL:
        return bool(server[EQUAL[name]] == value)
    return FILTERS[name](server, value)


def in_order(rows: list[Row], query: "Query[str]") -> list[Row]:
    keys = query.getall("sort_key", ["created_at"])
    ways = query.getall("sort_dir", ["desc"])
    ordered = sorted(rows, key=lambda row: str(row["id"]), reverse=ways[0] != "asc")
    for at in reversed(range(len(keys))):
        if keys[at] not in SORT_KEYS:
            raise refusals.bad_request(f"Invalid input for query parameters sort_key. Value: {keys[at]}.")
        field = SORT_KEYS[keys[at]]
        way = ways[at] if at < len(ways) else ways[-1]
        ordered.sort(key=lambda row: sortable(row[field]), reverse=way != "asc")
    return ordered


def sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def moment(text: str) -> float:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise refusals.bad_request(f"Invalid input for query parameters changes-since. Value: {text}.") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
