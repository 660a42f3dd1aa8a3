"""The array's event log."""

from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.collection import Collection


class Log(Collection):
    kind = "events"
    singular = "EVENT"
    hidden = frozenset({"created_at", "updated_at"})

    def add_event(
        self, code: str, level: str, description: str, data: list[Any] | None = None, visibility: str = "CUSTOMER", reporter: str = "SYSTEM"
    ) -> Row:
        return self.add(
            code=code,
            level=level,
            description=description,
            description_template=description,
            data=data or [],
            visibility=visibility,
            reporter=reporter,
            username="system",
            timestamp=self.box.world.clock.ms(),
            seq_num=len(self.table) + 1,
            system_version=self.box.version,
            source_node_id=1,
            affected_entity_id=None,
        )
