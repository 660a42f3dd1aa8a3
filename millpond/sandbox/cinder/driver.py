"""What the upstream Infinidat driver does on the array (cinder/volume/drivers/infinidat.py, 1.15)."""

from dataclasses import dataclass
from uuid import UUID

from millpond.sandbox.cinder.backends import GIB, Backends
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud
from millpond.sandbox.infinibox import InfiniBox

CINDER_VERSIONS = {"queens": "12.0", "wallaby": "18.0", "antelope": "22.0"}
MANAGING_RELEASES = ("antelope",)
"""Releases whose driver can manage and list existing volumes; it learned so in 1.9 (Zed)."""


class Busy(Exception):
    """The volume has snapshots on the array."""


class Failed(Exception):
    """The back end refused; Cinder puts the volume into an error state."""


@dataclass(frozen=True)
class Found:
    """An existing volume of the array, looked up to be managed."""

    array: InfiniBox
    row: Row

    @property
    def gib(self) -> int:
        """The size rounded up."""
        return -(-int(self.row["size"]) // GIB)


def volume_name(id: str) -> str:
    return f"openstack-vol-{id}"


def snapshot_name(id: str) -> str:
    return f"openstack-snap-{id}"


class Driver:
    """Raises Busy and Failed; the array's own refusals come out as Failed."""

    def __init__(self, cloud: Cloud, backends: Backends) -> None:
        self.cloud, self.backends = cloud, backends

    def _array(self, volume: Row) -> InfiniBox:
        backend = self.backends.of(volume)
        if backend is None:
            raise Failed(f"volume {volume['id']} has no back end")
        return self.backends.array(backend)

    def find(self, volume: Row) -> Row:
        row = self._array(volume).volume_by_name(volume_name(volume["name_id"]))
        if row is None:
            raise Failed(f"Volume {volume_name(volume['name_id'])} was not found on the back end")
        return row

    def create(self, volume: Row) -> Row:
        backend = self.backends.of(volume)
        if backend is None:
            raise Failed("No valid backend was found.")
        array = self.backends.array(backend)
        try:
            row = array.create_volume(volume_name(volume["name_id"]), self.backends.pool(backend)["id"], volume["size"] * GIB)
        except ApiError as error:
            raise Failed(error.message) from None
        self._mark(array, row, volume["id"])
        return row

    def _mark(self, array: InfiniBox, row: Row, id: str, kind: str = "volume") -> None:
        """`cinder_name` is Cinder's name for the thing, not what people call it (volume_name_template)."""
        version = CINDER_VERSIONS.get(self.cloud.release.name, "22.0")
        values = {
            "system": "openstack",
            "openstack_version": version,
            "cinder_id": id,
            "cinder_name": f"{kind}-{id}",
            "host.created_by": f"cinder/{version}",
        }
        array.metadata.put(row["id"], values)

    def delete(self, volume: Row) -> None:
        """One that is not on the array counts as deleted."""
        backend = self.backends.of(volume)
        row = self.backends.array(backend).volume_by_name(volume_name(volume["name_id"])) if backend else None
        if backend is None or row is None:
            return
        array = self.backends.array(backend)
        if array.volumes.children(row):
            raise Busy(volume["id"])
        try:
            array.delete_volume(row["id"])
        except ApiError as error:
            raise Failed(error.message) from None

    def extend(self, volume: Row, gib: int) -> None:
        try:
            self._array(volume).resize_volume(self.find(volume)["id"], gib * GIB)
        except ApiError as error:
            raise Failed(error.message) from None

    def copy(self, volume: Row, source: Row) -> None:
        """Fills the new volume with what the array's volume or snapshot `source` holds."""
        array = self._array(volume)
        array.volumes.replace(self.find(volume)["id"], source["content"], min(volume["size"] * GIB, source["used"] or source["size"]))

    def write(self, volume: Row, data: str, used: int) -> None:
        """Puts the bytes of an image, or a seeded history, onto the volume."""
        self._array(volume).volumes.fill(self.find(volume)["id"], data, used)

    def create_snapshot(self, volume: Row, snapshot: Row) -> None:
        array = self._array(volume)
        try:
            row = array.volumes.snapshot(snapshot_name(snapshot["id"]), self.find(volume)["id"])
        except ApiError as error:
            raise Failed(error.message) from None
        self._mark(array, row, snapshot["id"], "snapshot")

    def find_snapshot(self, volume: Row, snapshot_id: str) -> Row | None:
        return self._array(volume).volume_by_name(snapshot_name(snapshot_id))

    def delete_snapshot(self, volume: Row, snapshot: Row) -> None:
        row = self.find_snapshot(volume, snapshot["id"])
        if row is not None:
            self._array(volume).delete_volume(row["id"])

    # Attachments.

    def initiator(self, host: str) -> str:
        """The compute host's own name as an iSCSI initiator."""
        return f"iqn.1994-05.com.redhat:{self.cloud.name}-{host}"

    def host_name(self, host: str) -> str:
        return f"openstack-host-{self.initiator(host).replace(':', '.')}"

    def initialize_connection(self, volume: Row, host: str) -> int:
        """Maps the volume to the compute host, once for all its attachments there, and returns the LUN."""
        array, row, name = self._array(volume), self.find(volume), self.host_name(host)
        known = array.hosts.named(name)
        if known is None:
            known = array.hosts.create(name)
            array.hosts.add_port(known["id"], "ISCSI", self.initiator(host))
            version = CINDER_VERSIONS.get(self.cloud.release.name, "22.0")
            array.metadata.put(known["id"], {"system": "openstack", "openstack_version": version, "hostname": host})
        for lun in array.hosts.luns_of_host(known["id"]):
            if lun["volume"] == row["id"]:
                return int(lun["lun"])
        return array.map_volume(name, row["id"])

    def terminate_connection(self, volume: Row, host: str) -> None:
        """Unmaps, and deletes the host from the array when it sees nothing any more."""
        array, name = self._array(volume), self.host_name(host)
        row, known = array.volume_by_name(volume_name(volume["name_id"])), array.hosts.named(name)
        if row is not None:
            array.unmap_volume(name, row["id"])
        if known is not None and not array.hosts.luns_of_host(known["id"]):
            array.hosts.delete(known["id"])

    # Existing volumes.

    def can_manage(self) -> bool:
        return self.cloud.release.name in MANAGING_RELEASES

    def look_up(self, backend: Row, ref: dict[str, object] | str) -> Found:
        """`ref` holds `source-name`, or `source-id` which must be the numeric id: a serial number ends in an error."""
        if not self.can_manage():
            raise Failed("The driver does not manage existing volumes.")
        array = self.backends.array(backend)
        if isinstance(ref, str):
            raise Failed("Reference must contain source-id or source-name.")
        if "source-name" in ref:
            row = array.volume_by_name(str(ref["source-name"]))
        elif "source-id" in ref:
            text = str(ref["source-id"])
            if not text.isdigit():
                raise Failed(f"invalid literal for int() with base 10: {text!r}")
            row = array.volumes.table.get(text)
        else:
            raise Failed("Reference must contain source-id or source-name.")
        if row is None:
            raise Failed(f"Manage existing volume failed due to invalid backend reference {ref}")
        return Found(array, row)

    def manage(self, volume: Row, backend: Row, found: Found, known_ids: frozenset[str]) -> None:
        """Renames the array's volume. Neither write protection nor a running replication stops it, as in the real driver."""
        owner = array_owner(found.array, found.row)
        if owner in known_ids:
            raise Failed(f"Unable to manage existing volume. Volume {owner} already managed.")
        if found.row["pool"] != self.backends.pool(backend)["id"]:
            raise Failed(f"Pool of the volume does not match the configured pool {backend['pool']}")
        try:
            found.array.rename(found.row["id"], volume_name(volume["name_id"]))
        except ApiError as error:
            raise Failed(error.message) from None
        self._mark(found.array, found.row, volume["id"])

    def unmanage(self, volume: Row) -> None:
        """Takes the marks off; the name on the array stays. Drivers that cannot manage do nothing."""
        if self.can_manage():
            array = self._array(volume)
            array.metadata.clear(self.find(volume)["id"])


def array_owner(array: InfiniBox, row: Row) -> str | None:
    """The Cinder id that the array's volume carries, if it is one."""
    text = array.metadata.values(row["id"]).get("cinder_id")
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None
