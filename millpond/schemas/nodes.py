"""A YAML document as a tree in which every value knows where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
Mark = tuple[int, int]


@dataclass(frozen=True)
class Node:
    """`value` is plain data; `text` a scalar as written; `mark` is (line, column) from 1. `size` counts values, aliases expanded."""

    value: object
    mark: Mark
    text: str = ""
    quoted: bool = False
    children: Mapping[str | int, Node] = field(default_factory=dict)
    keys: Mapping[str, Mark] = field(default_factory=dict)
    size: int = 1

    def at(self, path: Sequence[str | int]) -> Node | None:
        node: Node | None = self
        for part in path:
            if node is None:
                return None
            node = node.children.get(part)
        return node

    def position(self, path: Sequence[str | int]) -> Mark:
        """Where the value at `path` stands, or the nearest thing around it that exists."""
        for length in range(len(path), -1, -1):
            if node := self.at(path[:length]):
                return node.mark
        return self.mark

    def key_position(self, path: Sequence[str | int]) -> Mark:
        """Where the key of `path` stands; for an item of a list, the item."""
        *above, last = path
        parent = self.at(above)
        return parent.keys.get(last) or self.position(path) if parent and isinstance(last, str) else self.position(path)
