"""YAML → nodes. Composes by itself, iteratively: PyYAML's composer recurses, and its C variant crashes on deep nesting."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from millpond.errors import Problem
from millpond.schemas.nodes import Mark, Node
from millpond.schemas.scalars import is_boolean_to_some, plain_scalar
from millpond.schemas.syntax import syntax_problem

DEEPEST = 40
EXPANSION = 100_000
MERGE = "tag:yaml.org,2002:merge"

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Events(_Base):  # type: ignore[misc,valid-type]
    """Parser and resolver alone: nothing of this loader constructs an object."""


@dataclass
class Container:
    """A mapping or list that is still being read. `key` is the pending key of a mapping."""

    mark: Mark
    is_mapping: bool
    anchor: str | None
    key: Node | None = None
    is_merge: bool = False
    merged: list[Node] = field(default_factory=list)
    children: dict[str | int, Node] = field(default_factory=dict)
    keys: dict[str, Mark] = field(default_factory=dict)

    def node(self) -> Node:
        for source in self.merged:
            for key, child in source.children.items():
                if key not in self.children:
                    self.children[key] = child
                    self.keys[str(key)] = source.keys[str(key)]
        plain = {key: child.value for key, child in self.children.items()}
        value: object = plain if self.is_mapping else list(plain.values())
        return Node(value, self.mark, children=self.children, keys=self.keys, size=1 + sum(c.size for c in self.children.values()))


class Composer:
    """Reads one document. `problems` grows while it reads; the tree is None where the text is no YAML at all."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self._text = text
        self._anchors: dict[str, Node] = {}
        self._open: list[Container] = []
        self._count = 0

    def compose(self) -> Node | None:
        loader = Events(self._text)
        try:
            while loader.check_event():
                if not self._take(loader.get_event(), loader):
                    return None
        except yaml.YAMLError as error:
            self.problems.append(syntax_problem(error, self.file, self._text))
            return None
        finally:
            loader.dispose()
        if self.root and self.root.size > self._count + EXPANSION:
            self._problem(self.root.mark, "the aliases of this file expand to too much", fix="write the values out")
            return None
        return self.root

    def _problem(self, mark: Mark, what: str, why: str = "", fix: str = "") -> None:
        self.problems.append(Problem(f"{self.file}:{mark[0]}:{mark[1]}", what, why, fix))

    def _take(self, event: yaml.Event, loader: Events) -> bool:
        """False when reading on makes no sense."""
        start = event.start_mark
        mark = (start.line + 1, start.column + 1) if start else (1, 1)
        match event:
            case yaml.DocumentStartEvent() if self.root is not None:
                fix = "move it to a file of its own, or delete the line `---`"
                self._problem(mark, "a second document begins here", "one file holds one document", fix)
                return False
            case yaml.AliasEvent():
                self._alias(event.anchor, mark)
            case yaml.ScalarEvent():
                self._scalar(event, mark, loader)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                return self._start(event, mark)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                done = self._open.pop()
                self._add(done.node(), done.anchor)
        return True

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, mark: Mark) -> bool:
        if len(self._open) >= DEEPEST:
            self._problem(mark, f"the file is nested more than {DEEPEST} levels deep")
            return False
        self._refuse_tag(event.tag, mark)
        self._open.append(Container(mark, isinstance(event, yaml.MappingStartEvent), event.anchor))
        return True

    def _alias(self, anchor: str | None, mark: Mark) -> None:
        if (node := self._anchors.get(anchor or "")) is None:
            inside = any(container.anchor == anchor for container in self._open)
            what = f"the alias `*{anchor}` refers to itself" if inside else f"the alias `*{anchor}` has no anchor `&{anchor}` before it"
            self._problem(mark, what, fix="write the value out")
            node = Node(None, mark)
        self._add(node, None, mark)

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark, loader: Events) -> None:
        self._refuse_tag(event.tag, mark)
        text, quoted = event.value, bool(event.style) or event.tag is not None
        tag = "" if quoted else loader.resolve(yaml.ScalarNode, text, (True, False))
        if is_boolean_to_some(text, tag) and not self._is_key():
            why = "YAML 1.1 has it for a boolean, YAML 1.2 for a text"
            self._problem(
                mark, f"`{text}` is not the same to all readers", why, f"write true or false, or the text between quotes: '{text}'"
            )
        self._add(Node(plain_scalar(text, tag), mark, text, quoted), event.anchor, is_merge=tag == MERGE)

    def _is_key(self) -> bool:
        """Whether a scalar that comes now is the key of a pair."""
        return bool(self._open) and self._open[-1].is_mapping and self._open[-1].key is None

    def _refuse_tag(self, tag: str | None, mark: Mark) -> None:
        if tag not in (None, "!", "tag:yaml.org,2002:str"):
            self._problem(mark, f"the tag `{tag}` is not supported", fix="delete the tag; write texts between quotes")

    def _add(self, node: Node, anchor: str | None, mark: Mark | None = None, *, is_merge: bool = False) -> None:
        self._count += 1
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        container = self._open[-1]
        if not container.is_mapping:
            container.children[len(container.children)] = node
        elif container.key is None:
            container.key, container.is_merge = node, is_merge
            if node.children or isinstance(node.value, dict | list):
                self._problem(mark or node.mark, "a key must be a single text")
        else:
            self._pair(container, container.key, node)
            container.key = None

    def _pair(self, container: Container, key: Node, node: Node) -> None:
        if container.is_merge:
            self._merge(container, key, node)
        elif key.text in container.children:
            why = f"the first is on line {container.keys[key.text][0]}; only one can hold"
            self._problem(key.mark, f"the key `{key.text}` is written twice", why, "delete one of them")
        else:
            container.children[key.text] = node
            container.keys[key.text] = key.mark

    def _merge(self, container: Container, key: Node, node: Node) -> None:
        sources = list(node.children.values()) if isinstance(node.value, list) else [node]
        for source in sources:
            if isinstance(source.value, dict):
                container.merged.append(source)
            else:
                self._problem(key.mark, "`<<` can merge mappings only")
