"""Volume types, who may use them, and QoS specs."""

import uuid
from collections.abc import Mapping, Sequence

from millpond.sandbox.cinder.refusals import invalid_input, no_type
from millpond.sandbox.core.callers import Caller
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud


class Types:
    def __init__(self, cloud: Cloud) -> None:
        self.table = cloud.table("cinder/types")
        self.qos = cloud.table("cinder/qos_specs")

    def add(
        self,
        name: str,
        extra_specs: Mapping[str, str] | None = None,
        is_public: bool = True,
        projects: Sequence[str] = (),
        description: str | None = None,
        encryption: Mapping[str, str] | None = None,
        default: bool = False,
    ) -> Row:
        """`projects` may use a private type. A multiattach type has the extra spec `multiattach` `<is> True`."""
        if not name or len(name) > 255:
            raise ApiError(400, "Volume type name can not be empty.")
        if self.table.where(name=name):
            raise ApiError(409, f"Volume Type {name} already exists.")
        return self.table.insert(
            {
                "id": str(uuid.uuid4()),
                "name": name,
                "description": description,
                "extra_specs": dict(extra_specs or {}),
                "is_public": is_public,
                "projects": list(projects),
                "encryption": dict(encryption) if encryption else None,
                "qos_specs_id": None,
                "default": default,
            }
        )

    def visible(self, caller: Caller) -> list[Row]:
        return [row for row in self.table if self._may_use(caller.project_id, row) or caller.is_admin]

    def _may_use(self, project_id: str | None, row: Row) -> bool:
        return row["is_public"] or project_id in row["projects"]

    def get(self, id: str) -> Row:
        row = self.table.get(id)
        if row is None:
            raise no_type(id)
        return row

    def shown(self, caller: Caller, id: str) -> Row:
        row = self.get(id)
        if row not in self.visible(caller):
            raise no_type(id)
        return row

    def by_name_or_id(self, text: str, project_id: str | None = None, any_project: bool = True) -> Row:
        found = self.table.get(text) or next(iter(self.table.where(name=text)), None)
        if found is None or not (any_project or self._may_use(project_id, found)):
            raise no_type(text)
        return found

    def default(self) -> Row | None:
        return next((row for row in self.table if row["default"]), None)

    def set_access(self, id: str, project: str, allowed: bool) -> None:
        row = self.get(id)
        if row["is_public"]:
            raise ApiError(409, "Type access modification is not applicable to public volume type.")
        if allowed and project in row["projects"]:
            raise ApiError(409, f"Volume type access for {id} / {project} combination already exists.")
        if not allowed and project not in row["projects"]:
            raise ApiError(404, f"Volume type access not found for {id} / {project} combination.")
        kept = [one for one in row["projects"] if one != project]
        self.table.update(id, projects=[*kept, project] if allowed else kept)

    def set_extra_specs(self, id: str, specs: Mapping[str, object]) -> dict[str, str]:
        if not specs or not all(isinstance(value, str) for value in specs.values()):
            raise invalid_input("extra_specs must be a dictionary of strings")
        row = self.get(id)
        self.table.update(id, extra_specs={**row["extra_specs"], **specs})
        return {key: str(value) for key, value in specs.items()}

    def delete(self, id: str, volumes: Sequence[Row]) -> None:
        self.get(id)
        if any(volume["type_id"] == id for volume in volumes):
            raise ApiError(
                400, f"Target volume type is still in use. Volume Type {id} deletion is not allowed with volumes present with the type."
            )
        self.table.delete(id)

    def add_qos(self, name: str, specs: Mapping[str, str], consumer: str = "back-end", type_ids: Sequence[str] = ()) -> Row:
        row = self.qos.insert({"id": str(uuid.uuid4()), "name": name, "consumer": consumer, "specs": dict(specs)})
        for id in type_ids:
            self.table.update(self.get(id)["id"], qos_specs_id=row["id"])
        return row


def is_multiattach(row: Row | None) -> bool:
    return row is not None and row["extra_specs"].get("multiattach") == "<is> True"
