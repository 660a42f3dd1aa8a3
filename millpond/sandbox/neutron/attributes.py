"""Neutron's request contract: which attributes a resource has, who may set or see them, and what happens to the rest."""

import copy
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron.conversions import Convert, anything
from millpond.sandbox.neutron.refusals import refused

Rule = Literal["anyone", "admin", "network owner"]


class Default(Enum):
    REQUIRED = "the request must say it"
    UNSET = "left out unless the request says it"


@dataclass(frozen=True)
class Attribute:
    name: str
    convert: Convert = anything
    default: Any = Default.UNSET
    post: bool = True
    put: bool = True
    extension: str | None = None
    """The API extension without which the attribute does not exist."""
    write: Rule = "anyone"
    read: Rule = "anyone"


def shown(name: str, extension: str | None = None, read: Rule = "anyone") -> Attribute:
    """An attribute that only the service itself sets."""
    return Attribute(name, post=False, put=False, extension=extension, read=read)


class Schema:
    """The attributes of one resource that exist with the loaded extensions.

    The order of the checks and the messages are those of neutron_lib/api/attributes.py.
    """

    def __init__(self, singular: str, attributes: Iterable[Attribute], extensions: Collection[str]) -> None:
        self.singular = singular
        self.attributes = {item.name: item for item in attributes if item.extension is None or item.extension in extensions}

    def for_create(self, caller: Caller, body: Row, *, owns_network: bool = False) -> Row:
        """Complete values for a new resource, with `project_id`. Raises 400 and 403."""
        values = dict(body)
        project = _project(caller, values)
        self._refuse_unknown(values)
        for attribute in self.attributes.values():
            if not attribute.post and attribute.name in values:
                raise refused("HTTPBadRequest", reason=f"Attribute '{attribute.name}' not allowed in POST")
            if attribute.default is Default.REQUIRED and attribute.name not in values:
                reason = f"Failed to parse request. Required attribute '{attribute.name}' not specified"
                raise refused("HTTPBadRequest", reason=reason)
        set_by_caller = {name for name, value in values.items() if value != self.attributes[name].default}
        self._authorize("create", caller, set_by_caller, owns_network)
        return {**self._defaults(), **self._converted(values), "project_id": project}

    def for_update(self, caller: Caller, body: Row, *, owns_network: bool = False) -> Row:
        """The converted changes. Raises 400 and 403."""
        for name in ("tenant_id", "project_id"):
            if name in body:
                raise refused("HTTPBadRequest", reason=f"Cannot update read-only attribute {name}")
        self._refuse_unknown(body)
        for name in body:
            if not self.attributes[name].put:
                raise refused("HTTPBadRequest", reason=f"Cannot update read-only attribute {name}")
        self._authorize("update", caller, set(body), owns_network)
        return self._converted(body)

    def view(self, caller: Caller, row: Row) -> Row:
        """What the caller may see of a row."""
        seen = {name: row[name] for name, item in self.attributes.items() if name in row and (item.read != "admin" or caller.is_admin)}
        return {**seen, "project_id": row["project_id"], "tenant_id": row["project_id"]} if "project_id" in row else seen

    def _refuse_unknown(self, body: Row) -> None:
        unknown = [name for name in body if name not in self.attributes]
        if unknown:
            raise refused("HTTPBadRequest", reason=f"Unrecognized attribute(s) '{', '.join(unknown)}'")

    def _authorize(self, action: str, caller: Caller, names: Iterable[str], owns_network: bool) -> None:
        for name in sorted(names):
            rule = self.attributes[name].write
            if not caller.is_admin and (rule == "admin" or (rule == "network owner" and not owns_network)):
                raise refused("PolicyNotAuthorized", rule=f"{action}_{self.singular}:{name}")

    def _defaults(self) -> Row:
        return {
            name: copy.deepcopy(item.default)
            for name, item in self.attributes.items()
            if item.post and not isinstance(item.default, Default)
        }

    def _converted(self, values: Row) -> Row:
        done: Row = {}
        for name, value in values.items():
            try:
                done[name] = self.attributes[name].convert(value)
            except ValueError as error:
                raise refused("HTTPBadRequest", reason=f"Invalid input for {name}. Reason: {error}.") from None
        return done


def _project(caller: Caller, values: Row) -> str:
    """Takes the owner out of `values`; the caller's project when none is named."""
    named = {values.pop(name) for name in ("tenant_id", "project_id") if name in values}
    if len(named) > 1:
        raise refused("HTTPBadRequest", reason="'project_id' and 'tenant_id' do not match")
    project = named.pop() if named else caller.project_id
    if not caller.is_admin and project != caller.project_id:
        reason = "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges"
        raise refused("HTTPBadRequest", reason=reason)
    if project is None:
        raise refused("HTTPBadRequest", reason="Running without keystone AuthN requires that project_id is specified")
    return str(project)
