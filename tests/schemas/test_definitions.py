"""The schemas are valid, complete, and say the same as the model."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from millpond.model.inventory import Inventory
from millpond.model.manifest import Manifest, ServerValues, VolumeValues
from millpond.model.site import Site
from millpond.schemas import KINDS, schema_text
from millpond.schemas.carried import VOLATILE, VOLATILE_OF

WRITTEN_BY_PEOPLE = ("site", "tenant")


def schema(kind: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(schema_text(kind))
    return parsed


def objects(tree: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema with properties, and where it stands."""
    if isinstance(tree, dict):
        if "properties" in tree and isinstance(tree["properties"], dict) and tree.get("type") == "object":
            yield path, tree
        for key, value in tree.items():
            yield from objects(value, f"{path}/{key}")
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from objects(value, f"{path}/{index}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_schemas_are_schemas(kind: str) -> None:
    Draft202012Validator.check_schema(schema(kind))
    assert schema(kind)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("kind", KINDS)
def test_every_property_is_described(kind: str) -> None:
    bare = [
        f"{path}/{name}" for path, each in objects(schema(kind)) for name, rule in each["properties"].items() if "description" not in rule
    ]
    assert bare == []


@pytest.mark.parametrize("kind", ["site", "tenant", "inventory"])
def test_unknown_keys_are_refused_everywhere(kind: str) -> None:
    assert [path for path, each in objects(schema(kind)) if each.get("additionalProperties") is not False] == []


def test_an_unknown_kind_has_no_schema() -> None:
    with pytest.raises(KeyError):
        schema_text("../site")


def resolved(rule: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    return resolved(root["$defs"][rule["$ref"].rsplit("/", 1)[1]], root) if "$ref" in rule else rule


def noun_in(hint: object) -> type | None:
    """The dataclass that a type hint holds, if any: `tuple[Wave, ...]` → Wave."""
    if isinstance(hint, type) and is_dataclass(hint):
        return hint
    return next((found for each in typing.get_args(hint) if (found := noun_in(each))), None)


def differences(noun: type, rule: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[str]:
    """Where the properties of a schema are not the fields of the noun."""
    hints = typing.get_type_hints(noun)
    wanted, given = {each.name for each in fields(noun)}, set(rule["properties"])
    if noun in (ServerValues, VolumeValues):
        wanted = (wanted - {"server", "volume"}) | {"name", "source_id"}
    else:
        wanted -= VOLATILE | VOLATILE_OF.get(noun, set())
    yield from (f"{path}: {name}" for name in wanted ^ given)
    for name in wanted & given & hints.keys():
        inner, below = noun_in(hints[name]), resolved(rule["properties"][name], root)
        below = resolved(below.get("items", below), root)
        if inner and "properties" in below:
            yield from differences(inner, below, root, f"{path}.{name}")


def test_the_inventory_holds_what_the_model_carries() -> None:
    root = schema("inventory")
    spec = root["properties"]["spec"]
    assert sorted(differences(Inventory, spec, root, "")) == [": discovered_at", ": tenant"]


def test_the_manifest_holds_what_the_model_holds() -> None:
    root = schema("tenant")
    assert sorted(differences(Manifest, root["properties"]["spec"], root, "")) == [": file", ": name"]


def test_the_site_holds_what_the_model_holds() -> None:
    root = schema("site")
    spec = root["properties"]["spec"]
    assert sorted(differences(Site, spec, root, "")) == [": directory", ": expiry", ": name", ": plan"]
