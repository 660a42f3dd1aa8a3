"""Desired = manifest over inventory, with every reference resolved to a source id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from millpond.model.address import Address
from millpond.model.inventory import Inventory
from millpond.model.manifest import Manifest, Rollback, ServerValues, VolumeValues, Window
from millpond.model.site import Site

REST = "rest"


@dataclass(frozen=True)
class DesiredWave:
    """`servers` and `volumes` are source ids; `volumes` holds those of its servers and the detached ones that move with it."""

    name: str
    servers: tuple[str, ...]
    volumes: tuple[str, ...]
    cutover: bool
    window: Window | None = None
    cutover_at: datetime | None = None
    rollback: Rollback | None = None
    grouping: str = "consistency_group"


@dataclass(frozen=True)
class Desired:
    """`names` gives every source id of the inventory the name that its address carries. Excluded objects are in no wave.

    `places`: source id → `file:line:column` of the manifest's entry with values for it.
    """

    site: Site
    manifest: Manifest
    inventory: Inventory
    waves: tuple[DesiredWave, ...]
    names: Mapping[str, str]
    server_values: Mapping[str, ServerValues] = field(default_factory=dict)
    volume_values: Mapping[str, VolumeValues] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def tenant(self) -> str:
        return self.manifest.name

    def address(self, kind: str, source_id: str) -> Address:
        return Address(self.tenant, kind, self.names.get(source_id, source_id))

    def wave_of(self, source_id: str) -> DesiredWave | None:
        return next((w for w in self.waves if source_id in w.servers or source_id in w.volumes), None)

    def adoption(self, volume_id: str) -> str:
        own = self.volume_values.get(volume_id)
        return (own.adoption if own else "") or self.manifest.adoption or self.site.replication.adoption
