"""The target's objects by the source objects they stand for: by marker first, by natural key where an object is not marked yet."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from millpond.model.snapshot import Snapshot


class Marked(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def marker(self) -> str: ...


M = TypeVar("M", bound=Marked)
K = TypeVar("K")
V = TypeVar("V")


class Same:
    """Equal to itself alone: what it holds is large and often not hashable."""

    __slots__ = ("item",)

    def __init__(self, item: Any) -> None:
        self.item = item

    def __hash__(self) -> int:
        return id(self.item)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.item is self.item


REMEMBERED = 64


def once_per(build: Callable[[K], V]) -> Callable[[K], V]:
    """`build`, remembered for the REMEMBERED objects that it was last built for, by identity. Its argument must never change."""
    known: dict[int, tuple[K, V]] = {}

    def remembered(item: K) -> V:
        hit = known.get(id(item))
        if hit is not None and hit[0] is item:
            return hit[1]
        value = build(item)
        for oldest in list(known)[: len(known) - REMEMBERED + 1]:
            known.pop(oldest, None)
        known[id(item)] = (item, value)
        return value

    return remembered


@once_per
def _by_marker(items: tuple[Any, ...]) -> dict[str, list[Any]]:
    index: dict[str, list[Any]] = {}
    for item in items:
        if item.marker:
            index.setdefault(item.marker, []).append(item)
    return index


@once_per
def _by_id(items: tuple[Any, ...]) -> dict[str, Any]:
    return {item.id: item for item in items}


def by_id(items: tuple[M, ...]) -> Mapping[str, M]:
    return _by_id(items)


def ids(items: Iterable[M]) -> list[str]:
    return [item.id for item in items]


def marked(items: tuple[M, ...], source_id: str) -> tuple[M, ...]:
    """All that carry the marker of `source_id`."""
    return tuple(_by_marker(items).get(source_id, ()))


def only(items: tuple[M, ...], source_id: str) -> M | None:
    """The one that carries the marker of `source_id`; None where there is none, or more than one."""
    found = _by_marker(items).get(source_id, ())
    return found[0] if len(found) == 1 else None


def twin(snapshot: Snapshot, collection: str, source_id: str) -> Any:
    """The target's object, in the collection of that name, which carries the marker of `source_id`; None where not exactly one does."""
    return only(getattr(snapshot.target, collection), source_id)


def ambiguous(snapshot: Snapshot, collection: str, source_id: str) -> tuple[Any, ...]:
    """The target's objects that carry the marker of `source_id`, if they are more than one."""
    found = marked(getattr(snapshot.target, collection), source_id)
    return found if len(found) > 1 else ()


@dataclass
class Candidates:
    """Unmarked objects that a natural key may adopt, each of them once."""

    by_key: dict[Hashable, list[Any]]

    @classmethod
    def among(cls, items: Iterable[M], key: Callable[[M], Hashable]) -> Candidates:
        index: dict[Hashable, list[Any]] = {}
        for item in items:
            if not item.marker:
                index.setdefault(key(item), []).append(item)
        return cls(index)

    def take(self, key: Hashable) -> tuple[Any, ...]:
        """All that have this natural key. They are not offered again: the next object with the same key is created."""
        return tuple(self.by_key.pop(key, ()))
