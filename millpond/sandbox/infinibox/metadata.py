"""Key and value pairs that belong to an object; they are not replicated."""

from collections.abc import Mapping

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.collection import Collection, Id
from millpond.sandbox.infinibox.refusal import Refusal, bad_request


class Metadata(Collection):
    kind = "metadata"
    singular = "METADATA"
    hidden = frozenset({"object", "created_at", "updated_at"})

    def put(self, object_id: Id, values: Mapping[str, object]) -> list[Row]:
        """Sets the given keys, keeps the others. Invented: the limits of 256 characters a key and 4096 a value."""
        kind = self._type_of(object_id)
        for key, value in values.items():
            if not key or len(key) > 256 or len(str(value)) > 4096:
                raise bad_request("METADATA_INVALID", f"Metadata key {key!r} or its value is too long or empty")
        return [self._set(str(object_id), kind, key, str(value)) for key, value in values.items()]

    def _set(self, object: str, kind: str, key: str, value: str) -> Row:
        for row in self.table.where(object=object, key=key):
            return self.change(row["id"], value=value)
        return self.add(object=object, object_type=kind, key=key, value=value)

    def of(self, object_id: Id) -> list[Row]:
        self._type_of(object_id)
        return self.table.where(object=str(object_id))

    def values(self, object_id: Id) -> dict[str, str]:
        return {row["key"]: row["value"] for row in self.table.where(object=str(object_id))}

    def item(self, object_id: Id, key: str) -> Row:
        for row in self.of(object_id):
            if row["key"] == key:
                return row
        raise Refusal(404, "METADATA_NOT_FOUND", f"Object {object_id} has no metadata key {key!r}")

    def clear(self, object_id: Id) -> None:
        for row in self.table.where(object=str(object_id)):
            self.remove(row["id"])

    def _type_of(self, object_id: Id) -> str:
        if str(object_id) == "system":
            return "system"
        for collection, name in self.box.kinds_with_metadata():
            if str(object_id) in collection.table:
                return name
        raise Refusal(404, "OBJECT_NOT_FOUND", f"No object has the id {object_id}")

    def wire(self, row: Row) -> Row:
        object_id = row["object"] if row["object"] == "system" else int(row["object"])
        return {**super().wire(row), "object_id": object_id}
