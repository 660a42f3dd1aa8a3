"""The storage back ends of one Cinder: each is a pool of an array, served by one cinder-volume."""

from collections.abc import Mapping
from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud
from millpond.sandbox.infinibox import InfiniBox

GIB = 2**30
VOLUME_BINARY = "cinder-volume"


class Backends:
    """Rows: `id` is `host@backend#volume_backend_name`, which volumes carry as their host; the driver reports no pools of its own."""

    def __init__(self, cloud: Cloud, arrays: Mapping[str, InfiniBox]) -> None:
        self.cloud, self.arrays = cloud, arrays
        self.table = cloud.table("cinder/backends")

    def add(self, array: str, pool: str, name: str = "infinidat", backend_name: str = "", host: str = "", zone: str = "nova") -> Row:
        """`pool` names a pool of the array; `backend_name` is what volume types ask for (default: `name`)."""
        service = f"{host or f'{self.cloud.name}-controller-0'}@{name}"
        return self.table.insert(
            {
                "id": f"{service}#{backend_name or name}",
                "service": service,
                "backend_name": backend_name or name,
                "array": array,
                "pool": pool,
                "zone": zone,
                "disabled": False,
                "up": True,
            }
        )

    def of(self, volume: Row) -> Row | None:
        return self.table.get(volume["host"] or "")

    def array(self, backend: Row) -> InfiniBox:
        return self.arrays[backend["array"]]

    def pool(self, backend: Row) -> Row:
        pool = self.array(backend).pools.named(backend["pool"])
        if pool is None:
            raise LookupError(f"array {backend['array']} has no pool {backend['pool']}")
        return pool

    def zones(self) -> list[str]:
        return sorted({one["zone"] for one in self.table} | {"nova"})

    def choose(self, extra_specs: dict[str, str], size: int, zone: str | None) -> Row | None:
        """What the scheduler does: the first enabled back end of that name with room and in that zone."""
        wanted = extra_specs.get("volume_backend_name")
        for backend in self.table:
            fits = wanted in (None, backend["backend_name"]) and zone in (None, backend["zone"])
            if fits and not backend["disabled"] and backend["up"] and self._free(backend) >= size * GIB:
                return backend
        return None

    def _free(self, backend: Row) -> int:
        return self.array(backend).pools.free_virtual(self.pool(backend))

    def services(self) -> list[Row]:
        """The rows of os-services: one scheduler, and one cinder-volume per back end."""
        now = self.cloud.world.clock.iso_us()
        scheduler = {"binary": "cinder-scheduler", "host": f"{self.cloud.name}-controller-0", "zone": "nova", "disabled": False, "up": True}
        volumes: list[dict[str, Any]] = [
            {"binary": VOLUME_BINARY, "host": one["service"], "zone": one["zone"], "disabled": one["disabled"], "up": one["up"]}
            for one in self.table
        ]
        return [
            {
                "binary": one["binary"],
                "host": one["host"],
                "zone": one["zone"],
                "status": "disabled" if one["disabled"] else "enabled",
                "state": "up" if one["up"] else "down",
                "updated_at": now,
                "disabled_reason": None,
            }
            for one in (scheduler, *volumes)
        ]

    def stats(self, backend: Row) -> Row:
        """What the driver reports of its pool, in GiB."""
        array, pool = self.array(backend), self.pool(backend)
        return {
            "volume_backend_name": backend["backend_name"],
            "vendor_name": "INFINIDAT",
            "driver_version": "1.15",
            "storage_protocol": "iSCSI",
            "total_capacity_gb": pool["physical_capacity"] / GIB,
            "free_capacity_gb": array.pools.free_physical(pool) / GIB,
            "location_info": f"InfiniboxVolumeDriver:{array.serial_number}",
            "multiattach": True,
            "QoS_support": True,
            "thin_provisioning_support": True,
            "thick_provisioning_support": False,
            "reserved_percentage": 0,
            "pool_name": backend["backend_name"],
            "timestamp": self.cloud.world.clock.iso_us(),
        }
