"""Faults on demand: refused, delayed or lost requests, kill points, and failures of the clouds themselves."""

import re
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from millpond.sandbox.core.requests import Entry

Action = dict[str, Any] | str
WORLD = ("link_down", "boot_error", "boot_refused", "pool_full", "deaf_guest", "manage_error", "unmanage_error")
DEFAULTS: dict[str, dict[str, Any]] = {"boot_error": {"launched": False}, "boot_refused": {"reserved": 1, "status": 400}}
"""What belongs to a fault of the world beside whom it concerns and how often."""


@dataclass
class Fault:
    """Applies to `count` matching requests (0: to all) after the first `skip` of them. None matches everything."""

    action: Action
    service: str | None = None
    cloud: str | None = None
    method: str | None = None
    path: str | None = None
    mutating: bool | None = None
    skip: int = 0
    count: int = 1
    seen: int = 0
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def matches(self, entry: Entry) -> bool:
        return (
            self.service in (None, entry.service)
            and self.cloud in (None, entry.cloud)
            and self.method in (None, entry.method)
            and self.mutating in (None, entry.mutating)
            and (self.path is None or re.search(self.path, entry.path) is not None)
        )

    def strikes(self) -> bool:
        """Counts one match and says whether the fault applies to it."""
        self.seen += 1
        return self.seen > self.skip and (self.count == 0 or self.seen <= self.skip + self.count)


class Faults:
    def __init__(self) -> None:
        self._requests: list[Fault] = []
        self._world: list[dict[str, Any]] = []

    def add(self, document: dict[str, Any]) -> str:
        """Adds a fault as POST /faults describes it and returns its id. ValueError when the document is not one."""
        if "world" in document:
            return self._add_world(document)
        try:
            fault = Fault(**{key: value for key, value in document.items() if key not in ("id", "seen")})
            re.compile(fault.path or "")
        except (TypeError, re.error) as error:
            raise ValueError(str(error)) from None
        check_action(fault.action)
        self._requests.append(fault)
        return fault.id

    def clear(self) -> None:
        self._requests, self._world = [], []

    def remove(self, id: str) -> None:
        self._requests = [fault for fault in self._requests if fault.id != id]
        self._world = [fault for fault in self._world if fault["id"] != id]

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._requests] + list(self._world)

    def strike(self, entry: Entry) -> Action | None:
        """The action of the first fault that applies to this request. Every fault that matches counts it."""
        struck = [fault for fault in self._requests if fault.matches(entry) and fault.strikes()]
        return struck[0].action if struck else None

    # Faults of the world itself, asked for by the services.

    def link_down(self) -> bool:
        """The replication link between the arrays is interrupted."""
        return any(fault["world"] == "link_down" for fault in self._world)

    def boot_error(self, cloud: str, server_name: str) -> dict[str, Any] | None:
        """`{"launched": bool}` when this boot of the server is to end in ERROR; each call uses up one time."""
        return self._named("boot_error", cloud, server_name)

    def boot_refused(self, cloud: str, server_name: str) -> dict[str, Any] | None:
        """`{"reserved": n, "status": s}` when this boot is refused with HTTP status s once its first n volumes are reserved."""
        return self._named("boot_refused", cloud, server_name)

    def manage_error(self, cloud: str, volume_name: str) -> bool:
        """The driver fails to adopt a disk as this volume, before it has renamed it."""
        return self._named("manage_error", cloud, volume_name) is not None

    def unmanage_error(self, cloud: str, volume_name: str) -> bool:
        """The driver fails to let go of this volume."""
        return self._named("unmanage_error", cloud, volume_name) is not None

    def deaf_guest(self, cloud: str, server_name: str) -> bool:
        """The guest never reacts to a soft shutdown."""
        return self._named("deaf_guest", cloud, server_name) is not None

    def pool_full(self, array: str, pool_name: str) -> bool:
        """The array's pool has no free space left, whatever is in it."""
        return self._named("pool_full", array, pool_name) is not None

    def _named(self, kind: str, site: str, name: str) -> dict[str, Any] | None:
        for fault in self._world:
            if fault["world"] == kind and fault.get("name", name) == name and fault.get("cloud", site) == site:
                if fault.get("times") is not None:
                    if fault["times"] <= 0:
                        continue
                    fault["times"] -= 1
                return fault
        return None

    def _add_world(self, document: dict[str, Any]) -> str:
        kind = document["world"]
        if kind == "link_up":
            self._world = [fault for fault in self._world if fault["world"] != "link_down"]
            return ""
        more = DEFAULTS.get(kind, {})
        if kind not in WORLD or not set(document) <= {"world", "cloud", "name", "times", *more}:
            raise ValueError(f"not a fault of the world: {document}")
        fault = {**more, **document, "id": uuid.uuid4().hex}
        self._world.append(fault)
        return str(fault["id"])


def check_action(action: Action) -> None:
    """ValueError unless `action` is one that core.web can perform."""
    if action in ("drop_before", "drop_after"):
        return
    if isinstance(action, dict):
        if isinstance(action.get("status"), int) or isinstance(action.get("delay"), int | float):
            return
        moment: Literal["before", "after", "after_lost"] | Any = action.get("when")
        pid = action.get("kill")
        if isinstance(pid, int) and pid > 1 and moment in ("before", "after", "after_lost"):
            return
    raise ValueError(f"not an action: {action}")
