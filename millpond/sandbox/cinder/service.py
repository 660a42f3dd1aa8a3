"""Cinder's rules, without HTTP, and what Nova and scenarios call in the same process."""

from collections.abc import Mapping
from typing import Any

from millpond.sandbox.cinder.attaching import Attaching
from millpond.sandbox.cinder.backends import Backends
from millpond.sandbox.cinder.backups import Backups
from millpond.sandbox.cinder.driver import Driver
from millpond.sandbox.cinder.managing import Managing
from millpond.sandbox.cinder.metadata import Metadata
from millpond.sandbox.cinder.quotas import Quotas
from millpond.sandbox.cinder.refusals import no_volume
from millpond.sandbox.cinder.snapshots import Snapshots
from millpond.sandbox.cinder.types import Types
from millpond.sandbox.cinder.volumes import Order, Volumes
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud
from millpond.sandbox.infinibox import InfiniBox


class CinderService:
    """One cloud's Cinder, by subject. `volumes`, `snapshots` and `attachments` are the tables themselves."""

    def __init__(self, cloud: Cloud, arrays: Mapping[str, InfiniBox]) -> None:
        self.cloud = cloud
        self.volumes = cloud.table("cinder/volumes")
        self.snapshots = cloud.table("cinder/snapshots")
        self.attachments = cloud.table("cinder/attachments")
        self.types = Types(cloud)
        self.quotas = Quotas(cloud, self.types.table, self.volumes, self.snapshots)
        self.backends = Backends(cloud, arrays)
        self.driver = Driver(cloud, self.backends)
        self.life = Volumes(cloud, self.backends, self.driver, self.types, self.quotas)
        self.metadata = Metadata(self.life)
        self.attaching = Attaching(cloud, self.life, self.driver)
        self.managing = Managing(cloud, self.backends, self.driver, self.life)
        self.snapshooting = Snapshots(cloud, self.life)
        self.backing_up = Backups(cloud, self.life)

    # For Nova.

    def reserve(self, volume_id: str, project_id: str, server_id: str) -> Row:
        """ApiError 404 for another project's volume, 400 unless it is available, or in use and multiattach."""
        if self.life.require(volume_id)["project_id"] != project_id:
            raise no_volume(volume_id)
        return self.attaching.reserve(volume_id, server_id)

    def unreserve(self, volume_id: str, server_id: str) -> None:
        self.attaching.drop(volume_id, server_id)

    def attach(self, volume_id: str, server_id: str, device: str, host_name: str) -> Row:
        """In use afterwards, and mapped on the array to the compute host. ApiError 404 for what was not reserved, 500."""
        return self.attaching.connect(volume_id, server_id, device, host_name)

    def begin_detaching(self, volume_id: str) -> None:
        self.attaching.begin_detaching(volume_id)

    def terminate(self, volume_id: str, server_id: str) -> None:
        """Detached, and unmapped unless another server on that host has it too."""
        self.attaching.detach(volume_id, server_id)

    def delete(self, volume_id: str) -> None:
        self.life.delete(self.life.require(volume_id))

    def create_volume_for_nova(
        self, project_id: str, user_id: str, size: int, volume_type: str | None = None, image_id: str | None = None
    ) -> Row:
        return self.life.create(Order(project_id, user_id, size, name="", volume_type=volume_type, image_id=image_id))

    # For scenarios.

    def create_volume(
        self,
        project_id: str,
        user_id: str,
        name: str,
        size: int,
        volume_type: str | None = None,
        used: int = 0,
        bootable: bool = False,
        image_metadata: Mapping[str, str] | None = None,
        **order: Any,
    ) -> Row:
        """A volume that is available at once, with `used` bytes on it; further fields as in Order. Failed, ApiError."""
        wanted = Order(project_id, user_id, size, name, volume_type=volume_type, **order)
        kind = self.types.by_name_or_id(volume_type) if volume_type else self.types.default()
        row = self.life.insert(wanted, size, kind, "available", bootable=bootable, image_metadata=dict(image_metadata or {}))
        self.life.build(row, {"image": wanted.image_id})
        if used:
            self.driver.write(row, f"data of {name}", used)
        return row

    def array_volume(self, volume_id: str) -> Row:
        """The row of the array's volume behind a Cinder volume. Failed when there is none."""
        return self.driver.find(self.life.require(volume_id))

    def write(self, volume_id: str, data: str, size: int = 2**20) -> Row:
        """A guest's write through a mapping. Refusal 409 when nothing is mapped or the array protects the volume."""
        row = self.life.require(volume_id)
        backend = self.backends.of(row)
        assert backend is not None
        return self.backends.array(backend).write(self.driver.find(row)["id"], data, size)
