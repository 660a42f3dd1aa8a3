"""Names and ids in a manifest → source ids of the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from millpond.errors import Problem
from millpond.model.manifest import Reference
from millpond.schemas.nearest import did_you_mean, listed


class Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Objects:
    """The objects of one kind in the inventory of one tenant. `noun` is the kind as people call it."""

    noun: str
    tenant: str
    ids: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]]

    def find(self, reference: Reference, where: str) -> str | Problem:
        """The source id that a reference means, or what is wrong with it."""
        if reference.source_id:
            return reference.source_id if reference.source_id in self.ids else self._unknown(reference, where)
        found = self.names.get(reference.name, ())
        if len(found) == 1:
            return found[0]
        if found:
            what = f"the name `{reference.name}` is ambiguous: {len(found)} {self.noun}s have it"
            return Problem(where, what, fix=f"write {{source_id: ID}} with one of {listed(found, 'or')}")
        if reference.name in self.ids:
            return Problem(where, f"`{reference.name}` is an id, not a name", fix=f"write {{source_id: {reference.name}}}")
        return self._unknown(reference, where)

    def find_name_or_id(self, text: str, where: str) -> str | Problem:
        found = self.names.get(text, ())
        if len(found) > 1:
            what = f"the name `{text}` is ambiguous: {len(found)} {self.noun}s have it"
            return Problem(where, what, fix=f"write the id instead: {listed(found, 'or')}")
        if text in self.ids:
            return text
        return found[0] if found else self._unknown(Reference(name=text), where)

    def label(self, source_id: str) -> str:
        return f"`{self.ids.get(source_id) or source_id}`"

    def labels(self, source_ids: Iterable[str]) -> str:
        return listed(sorted(self.ids.get(each) or each for each in source_ids))

    def _unknown(self, reference: Reference, where: str) -> Problem:
        known = self.ids if reference.source_id else [name for name in self.names if name]
        why = f"the inventory of {self.tenant} has no such {self.noun}"
        fix = did_you_mean(str(reference), known, f"correct it, or run `millpond discover {self.tenant}` if it is new")
        return Problem(where, f"there is no {self.noun} `{reference}`", why, fix)


def objects(noun: str, tenant: str, found: Iterable[Named]) -> Objects:
    ids = {each.id: each.name for each in found}
    names: dict[str, tuple[str, ...]] = {}
    for id, name in ids.items():
        names[name] = (*names.get(name, ()), id)
    return Objects(noun, tenant, ids, names)
