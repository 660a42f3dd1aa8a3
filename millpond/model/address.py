"""Stable names of resources, the same in plans, journals, findings and reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    SOURCE = "source"
    TARGET = "target"
    STORAGE = "storage"
    FABRIC = "fabric"


@dataclass(frozen=True, order=True)
class Address:
    """`tenant/kind/name`, e.g. `acme/server/web-1`. Names that repeat or are empty carry the start of their id: `acme/volume/@1f3c9a2e`."""

    tenant: str
    kind: str
    name: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.tenant, self.kind, self.name) if part)


def unique_names(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """id → a name that is unique among `pairs` of (id, name).

    The name itself, or with `@` and eight digits of the id where it is not unique, or the whole id where these eight are not either.
    """
    seen = Counter(name for _, name in pairs)
    short = {id: name if name and seen[name] == 1 else f"{name}@{id[:8]}" for id, name in pairs}
    taken = Counter(short.values())
    return {id: short[id] if taken[short[id]] == 1 else f"{name}@{id}" for id, name in pairs}
