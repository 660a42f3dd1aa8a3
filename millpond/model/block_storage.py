"""Cinder's nouns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from millpond.model.cut_record import RESERVED, CutRecord


@dataclass(frozen=True)
class Attachment:
    """`host` is the hypervisor that has the volume mapped, empty where Cinder does not say it."""

    server_id: str
    device: str = ""
    host: str = ""


@dataclass(frozen=True)
class VolumeAttachment:
    """A row of Cinder's own list, which alone has those that only reserve their volume. `server_id` is what the caller named: it may not
    exist, and is empty where none was named."""

    id: str
    volume_id: str
    server_id: str
    status: str


@dataclass(frozen=True)
class Volume:
    """`size` in GiB, as Cinder says (rounded up from the array's bytes). `host` is `host@backend#pool`.

    `name_id` differs from `id` after a migration or retype inside the source: the backend's object is named after it.
    """

    id: str
    name: str
    size: int
    volume_type: str
    status: str = "available"
    description: str = ""
    availability_zone: str = ""
    bootable: bool = False
    multiattach: bool = False
    encrypted: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    image_metadata: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    host: str = ""
    name_id: str = ""
    group_id: str = ""
    user_id: str = ""
    marker: str = ""
    record: CutRecord | None = None

    @property
    def backend_name(self) -> str:
        """The object's name on the array, by Cinder's default volume_name_template."""
        return f"openstack-vol-{self.name_id or self.id}"

    @property
    def attachable(self) -> bool:
        """Not guarded by the servers that have it, however stopped and locked: it can be attached to another one."""
        return self.multiattach or not self.attachments

    @property
    def held(self) -> bool:
        """Reserved by Millpond, as Cinder's own answer proves: nobody can attach it, delete it, or have Cinder write to it."""
        return self.status == "attaching" and self.record is not None and self.record.reservation == RESERVED

    @property
    def held_in_doubt(self) -> bool:
        """Millpond wanted it reserved and has no answer: it may be Nova's older way to attach, whose reservation looks the same."""
        return self.status == "attaching" and self.record is not None and bool(self.record.held) and not self.held


@dataclass(frozen=True)
class VolumeSnapshot:
    id: str
    name: str
    volume_id: str


@dataclass(frozen=True)
class VolumeBackup:
    id: str
    name: str
    volume_id: str


@dataclass(frozen=True)
class VolumeType:
    id: str
    name: str
    is_public: bool = True
    extra_specs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StoragePool:
    """A place the scheduler can put volumes: `name` is the `host` of a manage request; `backend` its volume_backend_name."""

    name: str
    backend: str
    free_gib: float = 0.0
