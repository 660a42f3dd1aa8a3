"""What Placement knows: inventories of Nova's hosts, and what the servers on them have allocated."""

from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import ApiError
from millpond.sandbox.nova.hypervisors import Hypervisors

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

FIELDS = {"VCPU": "vcpus", "MEMORY_MB": "memory_mb", "DISK_GB": "local_gb"}
CLASSES = (*FIELDS, "PCI_DEVICE", "SRIOV_NET_VF", "NUMA_SOCKET", "NUMA_CORE", "NUMA_THREAD", "NUMA_MEMORY_MB", "IPV4_ADDRESS", "VGPU")
RATIOS = {"VCPU": 16.0, "MEMORY_MB": 1.0, "DISK_GB": 1.0}
TRAITS = (
    "COMPUTE_DEVICE_TAGGING",
    "COMPUTE_NET_ATTACH_INTERFACE",
    "COMPUTE_VOLUME_EXTEND",
    "COMPUTE_VOLUME_MULTI_ATTACH",
    "HW_CPU_X86_AVX2",
)


class PlacementService:
    """It keeps nothing of its own: Nova's hosts and servers are the only providers and consumers here."""

    def __init__(self, cloud: "Cloud", hypervisors: Hypervisors) -> None:
        self.cloud, self.hypervisors = cloud, hypervisors

    def providers(self) -> list[Row]:
        """Nova's hypervisors; a provider's uuid is its hypervisor's."""
        return list(self.hypervisors.table)

    def require(self, id: str) -> Row:
        row = self.hypervisors.table.get(id)
        if row is None:
            raise ApiError(404, f"No resource provider with uuid {id} found")
        return row

    def generation(self, host: Row) -> int:
        return int(self.hypervisors.used(host["host"])["servers"])

    def inventories(self, host: Row) -> dict[str, dict[str, Any]]:
        return {name: self._inventory(name, int(host[field])) for name, field in FIELDS.items()}

    def usages(self, host: Row) -> dict[str, int]:
        used = self.hypervisors.used(host["host"])
        return {name: int(used[field]) for name, field in FIELDS.items()}

    def capacity(self, host: Row, name: str) -> int:
        return int(host[FIELDS[name]] * RATIOS[name])

    def fits(self, host: Row, wanted: dict[str, int]) -> bool:
        """Whether the host is open for new servers and has room for all of `wanted`."""
        used = self.usages(host)
        open_ = host["status"] == "enabled" and not host["forced_down"]
        return open_ and all(name in FIELDS and used[name] + amount <= self.capacity(host, name) for name, amount in wanted.items())

    def allocations(self, consumer: str) -> dict[str, Any]:
        """Of one server, by provider."""
        server = self.cloud.table("nova/servers").get(consumer)
        for host in self.providers() if server else ():
            if server is not None and host["host"] == server["host"]:
                flavor = server["flavor"]
                resources = {"VCPU": flavor["vcpus"], "MEMORY_MB": flavor["ram"]}
                return {host["id"]: {"generation": self.generation(host), "resources": resources}}
        return {}

    def _inventory(self, name: str, total: int) -> dict[str, Any]:
        return {"total": total, "reserved": 0, "min_unit": 1, "max_unit": total, "step_size": 1, "allocation_ratio": RATIOS[name]}
