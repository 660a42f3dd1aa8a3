"""The choice of a host for a new server."""

from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.nova.hypervisors import Hypervisors, local_disk

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

CPU_RATIO = 16.0


class Scheduler:
    def __init__(self, cloud: "Cloud", hypervisors: Hypervisors) -> None:
        self.servers = cloud.table("nova/servers")
        self.hypervisors = hypervisors

    def choose(self, server: Row, group: Row | None) -> str | None:
        """The host for `server`: the emptiest that has room and that the group's policy allows; None without one."""
        hosts = [row["host"] for row in self.hypervisors.table if self._has_room(row, server)]
        if group is None:
            return min(hosts, key=self._load, default=None)
        others = self._others(group, server)
        if group["policy"] == "anti-affinity" and self._collides(hosts, group, others):
            return None
        taken = [other["host"] for other in others]
        allowed = [host for host in hosts if allows(group, host, taken)]
        return min(allowed, key=lambda host: (soft_weight(group, host, taken), self._load(host)), default=None)

    def _load(self, host: str) -> int:
        return self.hypervisors.used(host)["servers"]

    def _has_room(self, row: Row, server: Row) -> bool:
        wanted = server["requested_host"] in (None, row["host"])
        if not wanted or row["status"] != "enabled" or row["forced_down"]:
            return False
        used, flavor = self.hypervisors.used(row["host"]), server["flavor"]
        return bool(
            used["vcpus"] + flavor["vcpus"] <= row["vcpus"] * CPU_RATIO
            and used["memory_mb"] + flavor["ram"] <= row["memory_mb"]
            and used["local_gb"] + local_disk(server) <= row["local_gb"]
        )

    def _others(self, group: Row, server: Row) -> list[Row]:
        members = (self.servers.get(id) for id in group["members"] if id != server["id"])
        return [member for member in members if member is not None and member["host"]]

    def _collides(self, hosts: list[str], group: Row, others: list[Row]) -> bool:
        """Whether members that build at the same time run out of hosts to dodge to.

        The real race is won or lost by chance: each member passes the scheduler, and the late check on the compute host
        sends back those that met, to hosts where they may meet again. Here they need one spare host, or the last one loses.
        """
        building = [other for other in others if other["vm_state"] == "building"]
        settled = [other["host"] for other in others if other["vm_state"] != "building"]
        free = [host for host in hosts if allows(group, host, settled)]
        return bool(building) and len(free) < len(building) + 2


def allows(group: Row, host: str, taken: list[str]) -> bool:
    if group["policy"] == "anti-affinity":
        return taken.count(host) < int(group["rules"].get("max_server_per_host", 1))
    if group["policy"] == "affinity":
        return not taken or host in taken
    return True


def soft_weight(group: Row, host: str, taken: list[str]) -> int:
    """The less the better: members on the host for soft-anti-affinity, their absence for soft-affinity."""
    if not group["policy"].startswith("soft-"):
        return 0
    return taken.count(host) if group["policy"] == "soft-anti-affinity" else -taken.count(host)
