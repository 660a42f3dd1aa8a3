"""The arrays' view of a tenant's volumes: what they hold, and which hosts see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.lab.foundation import Cloud
from tests.sandbox.running import Control

DRIVERS_PREFIX = "openstack-vol-"
DRIVERS_HOSTS = "openstack-host-"
"""What Cinder's Infinidat driver calls volumes and hosts on the array (cinder/volume/drivers/infinidat.py)."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Disk:
    """`content`: writes, their chain, and the last of them: equal only for equal histories. `hosts`: who sees it."""

    content: Row
    hosts: tuple[str, ...]
    write_protected: bool


class Disks:
    """Of one array, by the names that the tenant's volumes have in the Cinder before it."""

    def __init__(self, arrays: Control, array: str, cloud: Cloud, project_id: str) -> None:
        self._arrays, self._array = arrays, array
        listed = cloud.block_storage.volumes(all_projects=True, project_id=project_id)
        self.names = {volume.name: f"{DRIVERS_PREFIX}{volume.id}" for volume in listed}

    def read(self) -> dict[str, Disk]:
        dump = self._arrays.dump()
        hosts = {host["id"]: host["name"] for host in dump[f"{self._array}/hosts"]}
        rows = {row["name"]: row for row in dump[f"{self._array}/volumes"]}
        seen = [(lun["volume"], hosts[lun["host"]]) for lun in dump[f"{self._array}/luns"]]
        return {name: _disk(rows[on_array], seen) for name, on_array in self.names.items()}

    def contents(self) -> dict[str, Row]:
        return {name: disk.content for name, disk in self.read().items()}

    def write(self, name: str, data: str) -> None:
        """As the guest that has the volume; requests.HTTPError 409 when its host does not see it or may not write."""
        self._arrays.write(array=self._array, volume=self.names[name], data=data)


def _disk(row: Row, seen: list[tuple[str, str]]) -> Disk:
    return Disk(row["content"], tuple(host for volume, host in seen if volume == row["id"]), row["write_protected"])
