"""One kind of object on the array: rows, ids that are integers on the wire, names that are unique."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.refusal import Refusal, conflict

if TYPE_CHECKING:
    from millpond.sandbox.infinibox.array import InfiniBox

Id = int | str


class Collection:
    """Rows keep their own id and those of other objects used for look-ups as strings; `wire` shows them as the array does."""

    kind: ClassVar[str]
    singular: ClassVar[str]
    """As error codes spell it: VOLUME gives VOLUME_NOT_FOUND."""
    hidden: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, box: InfiniBox) -> None:
        self.box = box
        self.table = box.world.store.table(f"{box.name}/{self.kind}")

    def get(self, id: Id) -> Row:
        row = self.table.get(str(id))
        if row is None:
            raise Refusal(404, f"{self.singular}_NOT_FOUND", f"{self.singular} with id {id} was not found")
        return row

    def named(self, name: str) -> Row | None:
        rows = self.table.where(name=name)
        return rows[0] if rows else None

    def claim_name(self, name: str) -> None:
        """Refuses a name that is in use; the array's names are unique per kind."""
        if not name:
            raise Refusal(400, "BAD_REQUEST", f"{self.singular} needs a name")
        if self.named(name) is not None:
            raise conflict(f"{self.singular}_NAME_CONFLICT", f"The name {name!r} is already in use")

    def add(self, **fields: Any) -> Row:
        now = self.box.world.clock.ms()
        return self.table.insert({"id": str(self.box.next_id()), "created_at": now, "updated_at": now, **fields})

    def change(self, id: Id, **fields: Any) -> Row:
        return self.table.update(str(id), updated_at=self.box.world.clock.ms(), **fields)

    def rename(self, id: Id, name: str) -> Row:
        if self.get(id)["name"] != name:
            self.claim_name(name)
        return self.change(id, name=name)

    def remove(self, id: Id) -> None:
        self.table.delete(str(id))

    def wire(self, row: Row) -> Row:
        shown = {field: value for field, value in row.items() if field not in self.hidden}
        return {**shown, "id": int(row["id"])}

    def rows(self) -> list[Row]:
        return list(self.table)
