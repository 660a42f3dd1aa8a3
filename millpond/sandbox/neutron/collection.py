"""What all resources have in common: identity, owner, times, revision, and who sees them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron.attributes import Attribute, Schema
from millpond.sandbox.neutron.refusals import refused

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

Filters = Mapping[str, list[str]]
SERVICE = Caller("neutron", None, None, frozenset({"admin"}), is_admin=True, token="", user_name="neutron")
"""Who acts when nobody asked over HTTP: agents, Nova, scenarios."""


class Collection:
    singular: ClassVar[str]
    plural: ClassVar[str]
    not_found: ClassVar[str]
    attributes: ClassVar[tuple[Attribute, ...]]
    tagged: ClassVar[bool] = True

    def __init__(self, service: NeutronService) -> None:
        self.service = service
        self.table = service.cloud.table(f"neutron/{self.plural}")
        self.schema = Schema(self.singular, self.attributes, service.extensions)

    # What a caller sees.

    def find(self, caller: Caller, id: str) -> Row:
        """The row, if the caller may see it; 404 otherwise."""
        row = self.table.get(id)
        if row is None or not self.visible(caller, row):
            raise refused(self.not_found, id=id)
        return row

    def require(self, id: str) -> Row:
        """The row; 404 when there is none."""
        return self.find(SERVICE, id)

    def get(self, id: str) -> Row | None:
        return self.table.get(id)

    def visible(self, caller: Caller, row: Row) -> bool:
        return self.owns(caller, row)

    def owns(self, caller: Caller, row: Row) -> bool:
        return caller.is_admin or bool(caller.project_id and row.get("project_id") == caller.project_id)

    def rows(self, caller: Caller, filters: Filters) -> list[Row]:
        return [row for row in self.table if self.visible(caller, row)]

    def view(self, caller: Caller, row: Row) -> Row:
        return self.schema.view(caller, self.complete(row))

    def complete(self, row: Row) -> Row:
        """The row with the attributes that follow from other rows."""
        return row

    # What a caller does.

    def create(self, caller: Caller, body: Row) -> Row:
        raise refused("HTTPNotFound")

    def update(self, caller: Caller, id: str, body: Row) -> Row:
        row = self.writable(caller, "update", id)
        return self.change(row, **self.schema.for_update(caller, body))

    def delete(self, caller: Caller, id: str) -> None:
        self.remove(self.writable(caller, "delete", id))

    def writable(self, caller: Caller, action: str, id: str) -> Row:
        """The row if the caller may change it. To others it does not exist, even if they can see it (neutron/policy.py)."""
        row = self.find(caller, id)
        if not self.owns(caller, row):
            raise refused(self.not_found, id=id)
        return row

    # Rows.

    def add(self, **fields: Any) -> Row:
        now = self.service.cloud.world.clock.iso()
        standard = {"id": str(uuid.uuid4()), "tags": [], "created_at": now, "updated_at": now, "revision_number": 0}
        return self.table.insert({**standard, **fields})

    def change(self, row: Row, **fields: Any) -> Row:
        """Every change is a new revision."""
        now = self.service.cloud.world.clock.iso()
        return self.table.update(row["id"], **fields, updated_at=now, revision_number=row["revision_number"] + 1)

    def remove(self, row: Row) -> None:
        self.table.delete(row["id"])
