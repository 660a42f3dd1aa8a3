"""One rung on one resource, as data. Renderer and performer read the same object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from millpond.model.address import Address, Side

UNKNOWN = "(known after apply)"


class Effect(StrEnum):
    """Terraform's words. Whatever loses data or an object says delete."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class FieldChange:
    """`before` None: was not there. Values are what people read; secrets appear as `(sensitive value)`."""

    path: str
    before: object
    after: object


@dataclass(frozen=True)
class Step:
    """A node of the plan: a change, or something that time alone will bring.

    `after` holds the ids of steps that must be done before; a step is done when it is no longer in the plan. `source_id` is the source
    object it stands for; `servers` the source ids of the servers it concerns (cross-kind orderings go by wave and by these).
    """

    address: Address
    action: str
    reason: str = ""
    wave: str = ""
    after: tuple[str, ...] = ()
    source_id: str = ""
    servers: tuple[str, ...] = ()

    @cached_property
    def id(self) -> str:
        return f"{self.address}#{self.action}"

    @property
    def kind(self) -> str:
        return self.address.kind


@dataclass(frozen=True)
class Change(Step):
    """One mutating call. `parameters` are references that `perform` needs (ids, plain values): no secret, all JSON.

    `destination` says which rung the resource is on afterwards. `danger` puts it into the first block of the plan: it stops, promotes or
    deletes. `outage` is true between the stop of a server and its verification. Ids that do not exist yet are UNKNOWN.
    """

    side: Side = Side.TARGET
    effect: Effect = Effect.UPDATE
    fields: tuple[FieldChange, ...] = ()
    destination: str = ""
    reversible: bool = True
    outage: bool = False
    danger: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting(Step):
    """What time alone will reach. `long` is true for hours and days (seeding, soak, window): apply returns instead of staying.

    `bytes_left`, `rate` (bytes per second) and `seconds` are 0 where unknown.
    """

    long: bool = False
    bytes_left: int = 0
    rate: int = 0
    seconds: float = 0.0


AnyStep = Change | Waiting
