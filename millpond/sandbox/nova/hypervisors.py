"""The compute hosts of a cloud and what runs on them."""

import uuid
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import refusals

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

COUNT = 3
VCPUS, RAM_MB, DISK_GB = 96, 1024 * 1024, 4000
ZONE = "nova"


class Hypervisors:
    """One nova-compute service and one hypervisor per row."""

    def __init__(self, cloud: "Cloud") -> None:
        self.cloud = cloud
        self.table = cloud.table("nova/hypervisors")
        self.servers = cloud.table("nova/servers")
        if not len(self.table):
            for number in range(COUNT):
                self.add(f"{cloud.name}-compute-{number}", number + 1)

    def add(self, host: str, number: int) -> Row:
        return self.table.insert(
            {
                "id": str(uuid.uuid4()),
                "number": number,
                "service_id": str(uuid.uuid4()),
                "host": host,
                "vcpus": VCPUS,
                "memory_mb": RAM_MB,
                "local_gb": DISK_GB,
                "status": "enabled",
                "disabled_reason": None,
                "forced_down": False,
            }
        )

    def require(self, id: str) -> Row:
        for row in self.table:
            if id in (row["id"], str(row["number"])):
                return row
        raise ApiError(404, f"Compute host {id} could not be found.")

    def requested(self, caller: Caller, zone: str | None, host: str | None) -> tuple[str | None, str | None]:
        """The zone and the host that a boot is pinned to; `zone:host` names both.

        ApiError 400 for what there is not, 403 for a tenant who names a host.
        """
        zone, _, forced = (zone or "").partition(":")
        if zone and zone != ZONE:
            raise refusals.bad_request("The requested availability zone is not available")
        host = host or forced or None
        if host and not caller.is_admin:
            raise refusals.policy("servers:create:forced_host")
        if host and not self.table.where(host=host):
            raise refusals.bad_request(f"Compute host {host} could not be found.")
        return zone or None, host

    def service(self, id: str) -> Row:
        for row in self.table:
            if id in (row["service_id"], str(row["number"])):
                return row
        raise ApiError(404, f"Service {id} not found.")

    def used(self, host: str) -> dict[str, int]:
        """What the servers on `host` take: vCPUs, MiB of RAM, GiB of local disk, and how many there are."""
        here = self.servers.where(host=host)
        return {
            "vcpus": sum(server["flavor"]["vcpus"] for server in here),
            "memory_mb": sum(server["flavor"]["ram"] for server in here),
            "local_gb": sum(local_disk(server) for server in here),
            "servers": len(here),
        }


def local_disk(server: Row) -> int:
    """GiB on the hypervisor's own disk: none for the root of a server that boots from a volume."""
    flavor: dict[str, Any] = server["flavor"]
    return int(flavor["ephemeral"]) + (int(flavor["disk"]) if server["image_ref"] else 0)
