"""One InfiniBox: its identity, its collections, and what other parts of the sandbox call in the same process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox import content, firmware
from millpond.sandbox.infinibox.collection import Collection, Id
from millpond.sandbox.infinibox.groups import Groups
from millpond.sandbox.infinibox.hosts import Hosts, Luns
from millpond.sandbox.infinibox.jobs import Jobs
from millpond.sandbox.infinibox.links import Links, NetworkSpaces
from millpond.sandbox.infinibox.log import Log
from millpond.sandbox.infinibox.metadata import Metadata
from millpond.sandbox.infinibox.pools import Pools
from millpond.sandbox.infinibox.replicas import Replicas
from millpond.sandbox.infinibox.roles import Roles
from millpond.sandbox.infinibox.volumes import Volumes
from millpond.sandbox.infinibox.watch import Watch

if TYPE_CHECKING:
    from millpond.sandbox.core.world import World

FIRST_ID = 1001
READER = "reader"
IQN = "iqn.2009-11.com.infinidat:storage:infinibox-sn-{serial}"


class InfiniBox:
    """Replication and iSCSI have addresses of their own, which nothing listens on.

    Ids count up from 1001 on every array, so the same id means different objects on two arrays.
    """

    def __init__(self, world: World, name: str, arrays: Mapping[str, InfiniBox]) -> None:
        self.world, self.name, self.arrays = world, name, arrays
        self._number = ord(name[-1])
        self._identity = world.store.table(f"{name}/system")
        self.pools, self.volumes, self.metadata = Pools(self), Volumes(self), Metadata(self)
        self.hosts, self.luns, self.groups = Hosts(self), Luns(self), Groups(self)
        self.network_spaces, self.links, self.log = NetworkSpaces(self), Links(self), Log(self)
        self.replicas, self.roles, self.jobs, self.watch = Replicas(self), Roles(self), Jobs(self), Watch(self)

    # Identity.

    def identity(self) -> Row:
        """The row of facts about the array itself, made at first use so that a new world stays empty until it is seeded."""
        row = self._identity.get("system")
        if row is None:
            row = self._identity.insert(
                {
                    "id": "system",
                    "next_id": FIRST_ID,
                    "version": firmware.VERSION,
                    "both_targets_allowed": True,
                    "users": {"admin": "123456", READER: "reader-secret"},
                }
            )
            self._make_network_spaces()
        return row

    def next_id(self) -> int:
        id = int(self.identity()["next_id"])
        self._identity.update("system", next_id=id + 1)
        return id

    def _make_network_spaces(self) -> None:
        self.network_spaces.create("replication", "RMR_SERVICE", [f"10.9.{self._number}.{n}" for n in (1, 2, 3)], {"is_async_only": True})
        properties = {"iscsi_iqn": IQN.format(serial=self.serial_number), "iscsi_tcp_port": 3260}
        self.network_spaces.create("iscsi", "ISCSI_SERVICE", [f"10.8.{self._number}.{n}" for n in (1, 2, 3)], properties)

    @property
    def serial_number(self) -> int:
        return 20000 + self._number

    def serial_of(self, volume_id: int) -> str:
        """IEEE company id, reserved digits, system and volume: 31 hexadecimal digits."""
        return f"742b0f{0:05x}{self.serial_number:04x}{volume_id:016x}"

    @property
    def version(self) -> str:
        return str(self.identity()["version"])

    @property
    def both_targets_allowed(self) -> bool:
        """Whether a source may become a target while its peer is one."""
        return bool(self.identity()["both_targets_allowed"])

    def set_firmware(self, version: str | None = None, both_targets_allowed: bool | None = None) -> None:
        """Changes what the array is able to do; None leaves a fact as it is."""
        row = self.identity()
        allowed = row["both_targets_allowed"] if both_targets_allowed is None else both_targets_allowed
        self._identity.update("system", version=version or row["version"], both_targets_allowed=allowed)

    def accepts(self, user: str, password: str) -> bool:
        return bool(self.identity()["users"].get(user) == password)

    def role_of(self, user: str) -> str:
        return "READ_ONLY" if user == READER else "ADMIN"

    def peers(self) -> list[InfiniBox]:
        return [box for name, box in self.arrays.items() if name != self.name]

    def peer_of(self, replica: Row) -> InfiniBox:
        return self.arrays[self.links.get(replica["link"])["peer"]]

    def replication_addresses(self) -> list[str]:
        self.identity()
        return [ip["ip_address"] for space in self.network_spaces.table.where(service="RMR_SERVICE") for ip in space["ips"]]

    def kinds_with_metadata(self) -> list[tuple[Collection, str]]:
        return [(self.volumes, "volume"), (self.hosts, "host"), (self.groups, "cg"), (self.pools, "pool"), (self.replicas, "replica")]

    # Called in the same process: by Cinder, by scenarios, by guests' writes.

    def create_pool(self, name: str, capacity: int) -> Row:
        """`capacity` in bytes, physical and virtual."""
        return self.pools.create(name, capacity)

    def create_volume(self, name: str, pool_id: Id, size: int, used: int = 0, data: str = "") -> Row:
        """A thin volume of `size` bytes; with `used` bytes written to it before the world began, when given."""
        row = self.volumes.create(name, pool_id, size, "THIN")
        return self.volumes.fill(row["id"], data or name, used) if used else row

    def delete_volume(self, id: Id) -> None:
        self.volumes.delete(id)

    def resize_volume(self, id: Id, size: int) -> Row:
        return self.volumes.resize(id, size)

    def volume_by_name(self, name: str) -> Row | None:
        return self.volumes.named(name)

    def rename(self, volume_id: Id, name: str) -> Row:
        return self.volumes.rename(volume_id, name)

    def set_metadata(self, object_id: Id, **values: Any) -> None:
        self.metadata.put(object_id, values)

    def map_volume(self, host_name: str, volume_id: Id) -> int:
        """Lets the host see the volume and returns the LUN; the host is made when the array does not know it."""
        host = self.hosts.named(host_name) or self.hosts.create(host_name)
        return int(self.hosts.map(host["id"], volume_id)["lun"])

    def unmap_volume(self, host_name: str, volume_id: Id) -> None:
        """No error when the host does not see the volume."""
        host = self.hosts.named(host_name)
        for lun in self.hosts.luns_of_host(host["id"]) if host else []:
            if lun["volume"] == str(volume_id):
                self.luns.remove(lun["id"])

    def write(self, volume_id: Id, data: str, size: int = firmware.MIB) -> Row:
        """A guest's write of `size` bytes. Refusal 409 when no host sees the volume or it is write-protected, 507 when the pool is full."""
        return self.volumes.write(volume_id, data, size)

    def content(self, volume_id: Id) -> str:
        """What the volume holds, as `writes:chain:last`; equal for equal write histories only."""
        return content.version(self.volumes.get(volume_id)["content"])

    def connect(self, peer: InfiniBox, name: str = "link") -> Row:
        """The replication link to `peer`, made when there is none."""
        self.identity()
        space = self.network_spaces.table.where(service="RMR_SERVICE")[0]
        return self.links.to(peer.name) or self.links.create(name, space["id"], peer.replication_addresses()[1])
