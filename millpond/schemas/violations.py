"""A rule of a schema that a value breaks, seen together with the place of the value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema.exceptions import ValidationError

from millpond.schemas.definitions import validator
from millpond.schemas.nodes import Mark, Node, Path


@dataclass(frozen=True)
class Violation:
    """`rule` is the schema's keyword, `asked` its value, `schema` the schema around it; `given` is the value that breaks it."""

    error: ValidationError
    root: Node
    rule: str
    asked: Any
    schema: dict[str, Any]
    given: Any
    path: Path

    @property
    def node(self) -> Node | None:
        return self.root.at(self.path)

    @property
    def mark(self) -> Mark:
        return self.root.position(self.path)

    @property
    def holder(self) -> Mark:
        """Where a mapping that lacks something is named."""
        return self.root.key_position(self.path) if self.path else self.root.mark

    @property
    def properties(self) -> dict[str, Any]:
        known: dict[str, Any] = self.schema.get("properties", {})
        return known

    @property
    def dotted(self) -> str:
        """`spec.waves[0].name`"""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return text.removeprefix(".")

    def branches(self) -> list[list[Violation]]:
        """For anyOf: what each of the alternatives has against the value."""
        found: dict[object, list[Violation]] = {}
        for inner in self.error.context or ():
            found.setdefault(inner.schema_path[0], []).append(violation(inner, self.root))
        return list(found.values())


def violation(error: ValidationError, root: Node) -> Violation:
    schema: Any = error.schema
    return Violation(error, root, str(error.validator), error.validator_value, schema, error.instance, tuple(error.absolute_path))


def violations(root: Node, kind: str) -> Iterator[Violation]:
    """All that the schema of `kind` has against `root`."""
    for error in validator(kind).iter_errors(root.value):
        yield violation(error, root)


def without_unknown_keys(root: Node, kind: str) -> object:
    """The value of `root` without the keys that its schema does not know, outside of alternatives."""
    extra = [each for each in violations(root, kind) if each.rule == "additionalProperties"]
    unknown = [(each.path, each.given.keys() - each.properties.keys()) for each in sorted(extra, key=lambda each: -len(each.path))]
    if not unknown:
        return root.value
    value: Any = _copied(root.value)
    for path, keys in unknown:
        holder = value
        for part in path:
            holder = holder[part]
        for key in keys:
            del holder[key]
    return value


def _copied(value: object) -> object:
    """What aliases share is apart in the copy: a key may be known in one place alone."""
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
