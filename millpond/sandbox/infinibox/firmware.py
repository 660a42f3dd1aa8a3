"""What differs between firmware releases, and the fixed limits of the array."""

from millpond.sandbox.core.store import Row

VERSION = "7.3.10.0"
MIB = 2**20
DAY = 86400.0

STALL_LIMIT = DAY
"""Seconds a job may stay stalled before its replica is suspended by the array itself."""
DEFAULT_SYNC_INTERVAL = 300_000
"""Milliseconds between scheduled sync jobs when the request names none."""
MINIMUM_INTERVAL = 4_000
DEFAULT_PAGE_SIZE = 50
MAXIMUM_PAGE_SIZE = 1000

FEATURES: dict[str, int] = {
    "active_active": 4,
    "api_auth_sessions": 0,
    "compression": 0,
    "events_db": 0,
    "iscsi": 0,
    "metadata": 2,
    "nas": 2,
    "qos": 0,
    "replica_auto_create": 0,
    "snapshots": 0,
    "tenants": 0,
    "user_management": 1,
}


def features(version: str) -> list[Row]:
    """The answer to GET _features; 8.4 brings asynchronous replication to several targets."""
    known = dict(FEATURES)
    if parsed(version) >= (8, 4):
        known["multi_target_async_replication"] = 0
    return [{"name": name, "version": number, "enabled": True} for name, number in known.items()]


def parsed(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split("."))
