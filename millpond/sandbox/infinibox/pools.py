"""Pools: virtual capacity bounds what may be created, physical capacity what may be written."""

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.collection import Collection, Id
from millpond.sandbox.infinibox.refusal import bad_request, conflict


class Pools(Collection):
    kind = "pools"
    singular = "POOL"

    def create(self, name: str, physical_capacity: int, virtual_capacity: int | None = None) -> Row:
        self.claim_name(name)
        if physical_capacity <= 0:
            raise bad_request("BAD_REQUEST", "physical_capacity must be positive")
        return self.add(
            name=name,
            physical_capacity=physical_capacity,
            virtual_capacity=virtual_capacity or physical_capacity,
            physical_capacity_warning=80,
            physical_capacity_critical=90,
            compression_enabled=False,
            ssd_enabled=True,
            owners=[],
            state="NORMAL",
            tenant_id=1,
        )

    def delete(self, id: Id) -> Row:
        row = self.get(id)
        if self._volumes(row):
            raise conflict("POOL_IS_NOT_EMPTY", f"Pool {row['name']} still holds volumes")
        self.remove(id)
        return row

    def allocated(self, row: Row) -> int:
        """Bytes of physical space in use: a thick volume takes its whole size, a thin one what was written."""
        return sum(int(volume["size" if volume["provtype"] == "THICK" else "used"]) for volume in self._volumes(row))

    def free_physical(self, row: Row) -> int:
        """Nothing while the world's fault says that the pool is full."""
        if self.box.world.faults.pool_full(self.box.name, row["name"]):
            return 0
        capacity: int = row["physical_capacity"]
        return capacity - self.allocated(row)

    def free_virtual(self, row: Row) -> int:
        return int(row["virtual_capacity"]) - sum(int(volume["size"]) for volume in self._volumes(row))

    def _volumes(self, row: Row) -> list[Row]:
        return self.box.volumes.table.where(pool=row["id"])

    def wire(self, row: Row) -> Row:
        volumes = self._volumes(row)
        snapshots = sum(volume["type"] != "MASTER" for volume in volumes)
        return {
            **super().wire(row),
            "allocated_physical_space": self.allocated(row),
            "free_physical_space": self.free_physical(row),
            "free_virtual_space": self.free_virtual(row),
            "reserved_capacity": 0,
            "capacity_savings": 0,
            "volumes_count": len(volumes) - snapshots,
            "snapshots_count": snapshots,
            "filesystems_count": 0,
            "entities_count": len(volumes),
            "qos_policies": [],
        }
