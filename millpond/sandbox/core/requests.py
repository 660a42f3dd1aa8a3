"""The log of every request the sandbox received, in order of arrival."""

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

LOGINS = re.compile(r"/v3/auth/tokens/?$|/api/rest/users/log(in|out)$")


@dataclass
class Entry:
    n: int
    service: str
    cloud: str
    """The cloud's or the array's name."""
    method: str
    path: str
    """With the query string."""
    mutating: bool
    status: int | None = None
    """None while it is being handled, and when no reply was sent."""
    user: str | None = None


def is_mutating(method: str, path: str) -> bool:
    """Anything but a read or a login."""
    return method not in ("GET", "HEAD", "OPTIONS") and not (method == "POST" and LOGINS.search(path.partition("?")[0]))


class RequestLog:
    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._next = 1

    def arrive(self, service: str, cloud: str, method: str, path: str) -> Entry:
        entry = Entry(self._next, service, cloud, method, path, is_mutating(method, path))
        self._next += 1
        self._entries.append(entry)
        return entry

    def since(self, n: int = 0) -> list[dict[str, Any]]:
        """The entries after number `n`."""
        return [asdict(entry) for entry in self._entries if entry.n > n]

    def counters(self) -> dict[str, int]:
        """How many in all, how many mutating, and per `cloud/service METHOD`."""
        counts = Counter(f"{entry.cloud}/{entry.service} {entry.method}" for entry in self._entries)
        mutating = sum(entry.mutating for entry in self._entries)
        return {"all": len(self._entries), "mutating": mutating, **dict(sorted(counts.items()))}

    def clear(self) -> None:
        """Forgets all entries; numbers go on."""
        self._entries = []
