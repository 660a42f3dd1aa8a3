"""The tenant manifest `tenants/<name>.yaml`, written by people. Durations are seconds, times are aware datetimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class ProjectRef:
    cloud: str
    domain: str
    project: str


@dataclass(frozen=True)
class Window:
    """A wave is admitted only between `opens` and `closes`; an admitted wave is finished regardless."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True)
class Rollback:
    """Valid for the cut it names alone. `target_writes` is `discard` or `carry_back`."""

    cut: str
    target_writes: str


@dataclass(frozen=True)
class Approval:
    """`digest` is the tenant's digest as the plan printed it."""

    action: str
    digest: str
    expires: datetime
    by: str = ""


@dataclass(frozen=True)
class BrakeOverride:
    """Another value for one of the site's brakes, for this tenant, until it `expires`. Seconds where the brake is a time."""

    brake: str
    value: int
    expires: datetime
    reason: str
    by: str = ""


@dataclass(frozen=True)
class Reference:
    """A server or volume by its name, or by its source id where names are empty or repeat."""

    name: str = ""
    source_id: str = ""

    def __str__(self) -> str:
        return self.name or self.source_id


@dataclass(frozen=True)
class Wave:
    """`cutover` None: the tenant's flag holds. `grouping` empty: the tenant's."""

    name: str
    servers: tuple[Reference, ...] = ()
    volumes: tuple[Reference, ...] = ()
    cutover: bool | None = None
    window: Window | None = None
    cutover_at: datetime | None = None
    rollback: Rollback | None = None
    grouping: str = ""


@dataclass(frozen=True)
class ServerValues:
    """What shall hold on the target where it differs from what the tenant had."""

    server: Reference
    flavor: str = ""
    power: str = ""
    availability_zone: str = ""
    user_data: str = ""


@dataclass(frozen=True)
class VolumeValues:
    volume: Reference
    volume_type: str = ""
    adoption: str = ""


@dataclass(frozen=True)
class Exclusion:
    """Exactly one of `server`, `volume`, `network` (name or source id) and why it stays behind."""

    reason: str
    server: str = ""
    volume: str = ""
    network: str = ""


@dataclass(frozen=True)
class Manifest:
    name: str
    source: ProjectRef
    target: ProjectRef
    cutover: bool = False
    decommission: bool = False
    waves: tuple[Wave, ...] = ()
    quotas: Mapping[str, int] = field(default_factory=dict)
    servers: tuple[ServerValues, ...] = ()
    volumes: tuple[VolumeValues, ...] = ()
    exclude: tuple[Exclusion, ...] = ()
    approvals: tuple[Approval, ...] = ()
    adoption: str = ""
    grouping: str = ""
    soak: int | None = None
    keep_pairs_until: datetime | None = None
    rollback: Rollback | None = None
    window: Window | None = None
    cutover_at: datetime | None = None
    brake_overrides: tuple[BrakeOverride, ...] = ()
    file: str = ""
