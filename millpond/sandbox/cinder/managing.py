"""Bringing existing volumes of the array under Cinder's management."""

from typing import Any

from millpond.sandbox.cinder.backends import Backends
from millpond.sandbox.cinder.driver import Driver, Failed, Found
from millpond.sandbox.cinder.refusals import invalid_volume
from millpond.sandbox.cinder.volumes import Order, Volumes
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud


class Managing:
    def __init__(self, cloud: Cloud, backends: Backends, driver: Driver, volumes: Volumes) -> None:
        self.cloud, self.backends, self.driver, self.volumes = cloud, backends, driver, volumes
        cloud.world.events.on(f"{cloud.name}/cinder/managed", self._managed)

    def manage(self, order: Order, host: str, ref: dict[str, Any] | str, bootable: bool) -> Row:
        """Accepts the request (status managing). What the driver refuses ends in status error_managing.

        ApiError 400 for an unknown host or type, a host that is down or an encrypted type.
        """
        if not self._backends(host):
            raise ApiError(400, f"Host '{host}' not found")
        self.require_service(host)
        kind = self._type(order.volume_type)
        if kind and kind["encryption"]:
            raise invalid_volume("Managing an existing volume with an encrypted type is not supported.")
        row = self.volumes.insert(order, 0, kind, "managing", host=host, bootable=bootable)
        delay = self.cloud.world.settings.delays.volume_manage
        self.cloud.world.events.at(delay, f"{self.cloud.name}/cinder/managed", volume_id=row["id"], ref=ref)
        return row

    def require_service(self, host: str) -> list[Row]:
        """The back ends of the service that `host` names, with or without its pool."""
        found = self._backends(host)
        if not found:
            raise ApiError(404, f"Service cinder-volume could not be found on host {host.partition('#')[0]}.")
        if found[0]["disabled"] or not found[0]["up"]:
            raise ApiError(400, f"Service is unavailable at this time: {host.partition('#')[0]}")
        return found

    def _backends(self, host: str) -> list[Row]:
        return [backend for backend in self.backends.table if backend["service"] == host.partition("#")[0]]

    def _type(self, name: str | None) -> Row | None:
        """Unlike for a creation, one that is not there is the request's fault (cinder/api/contrib/volume_manage.py, create)."""
        try:
            return self.volumes.types.by_name_or_id(name) if name else self.volumes.types.default()
        except ApiError:
            raise ApiError(400, f"Invalid volume type: Cannot find requested '{name}' volume type") from None

    def _managed(self, volume_id: str, ref: dict[str, Any] | str) -> None:
        row = self.volumes.table.get(volume_id)
        if row is None or row["status"] != "managing":
            return
        try:
            size = self._take(row, ref)
        except (Failed, ApiError):
            self.volumes.change(volume_id, status="error_managing")
            return
        self.volumes.change(volume_id, status="available", size=size)

    def _take(self, row: Row, ref: dict[str, Any] | str) -> int:
        backend = self.backends.of(row)
        if backend is None:
            raise Failed("No valid backend was found.")
        if self.cloud.world.faults.manage_error(self.cloud.name, row["name"]):
            raise Failed("the array did not answer")
        found = self.driver.look_up(backend, ref)
        # The row itself counts as one volume already.
        self.volumes.quotas.check(row["project_id"], "volumes", found.gib, self.volumes.type_name(row), count=0)
        self.driver.manage(row, backend, found, self._known())
        return found.gib

    def _known(self) -> frozenset[str]:
        return frozenset(row["id"] for row in self.volumes.table)

    def candidates(self, host: str) -> list[Row]:
        """Every master volume of the back end's pool, with the reason that makes managing it unsafe."""
        backends = self.require_service(host)
        if not self.driver.can_manage():
            raise ApiError(500, "Unexpected API Error.")
        return [self._candidate(backend, row) for backend in backends for row in self._masters(backend)]

    def _masters(self, backend: Row) -> list[Row]:
        pool, table = self.backends.pool(backend), self.backends.array(backend).volumes.table
        return [row for row in table.where(pool=pool["id"]) if row["type"] == "MASTER"]

    def _candidate(self, backend: Row, row: Row) -> Row:
        """`cinder_id` is the mark on the array, be it this Cinder's or another's."""
        found = Found(self.backends.array(backend), row)
        marks = found.array.metadata.values(row["id"])
        reason = self._unsafe(found, marks.get("cinder_id"))
        return {
            "id": row["id"],
            "reference": {"source-name": row["name"], "source-id": row["id"]},
            "size": found.gib,
            "safe_to_manage": reason is None,
            "reason_not_safe": reason,
            "cinder_id": marks.get("cinder_id"),
            "extra_info": {"pool": backend["pool"], "type": row["type"], "qos": "None", "meta": str(marks)},
        }

    def _unsafe(self, found: Found, cinder_id: str | None) -> str | None:
        if cinder_id in self._known():
            return "volume already managed"
        if found.array.hosts.luns_of_volume(found.row["id"]):
            return "volume has mappings"
        if found.array.volumes.children(found.row):
            return "volume has snapshots"
        return None
