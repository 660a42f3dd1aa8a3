"""Inventories as discover writes them: small diffs, no secrets, nothing that changes by itself."""

from __future__ import annotations

from typing import Any

import yaml
from cattrs import Converter

from millpond.model.inventory import Inventory
from millpond.schemas.carried import carried
from millpond.schemas.definitions import API_VERSION, modeline

HEADER = """\
{modeline}
# Written by `millpond discover {tenant}` alone: what is changed here by hand is lost with the next run.
# What shall differ on the target belongs in {tenant}.yaml.
"""

_BaseDumper: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_SPARSE = Converter(omit_if_default=True)


class Dumper(_BaseDumper):  # type: ignore[misc,valid-type]
    """Writes every value out: an alias would tie two objects together in the eyes of a reader."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def dump_inventory(inventory: Inventory) -> str:
    """The inventory as YAML. Equal for inventories that carry the same and were made at the same time."""
    spec: dict[str, Any] = _SPARSE.unstructure(carried(inventory))
    metadata = {"name": spec.pop("tenant"), "discovered_at": spec.pop("discovered_at")}
    for quota in spec.get("quotas", ()):
        del quota["used"]
    document = {"apiVersion": API_VERSION, "kind": "Inventory", "metadata": metadata, "spec": spec}
    return HEADER.format(modeline=modeline("inventory"), tenant=inventory.tenant) + dump_yaml(document)


def dump_yaml(value: object, **style: Any) -> str:
    """`value` as YAML in block style, keys in their own order, lines not folded."""
    text: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10**6, **style)
    return text
