"""What must be remembered of one cutover, kept as `millpond.*` metadata on the source server (detached volumes: on the volume).

The metadata comes with the list call, works on releases as old as Queens and cannot be edited by the tenant under an admin lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

PREFIX = "millpond."
MARKER_KEY = "millpond:source"
RESERVED = "reserved"


@dataclass(frozen=True)
class CutRecord:
    """All values are strings as Nova stores them; empty means not set.

    cut: id of the cut, the UTC of its start. run: the run that wrote last (read back before each destructive step).
    power: `active` or `shutoff` as found. locked: `yes`/`no` as found, `retaken` once the admin lock was put over a lock as found.
    stopped: ms since epoch on the source array's clock, read after SHUTOFF was confirmed.
    booting: UTC set before POST /servers. verified: UTC of the handover. attempts: how many boots failed before
    launch, the start of the id of the last one's server, and its fault.
    returned: ms on the target array's clock, read after the target server was confirmed stopped in a rollback.
    held: the cut for which the volume is reserved in Cinder; on volumes alone, also where servers carry the rest of the record. `<cut>` is
    the intent, `<cut>/reserved` says that Cinder agreed, `<cut>/<UTC>` since when it is seen under way and nobody knows whose it is.
    """

    cut: str = ""
    wave: str = ""
    run: str = ""
    power: str = ""
    locked: str = ""
    stopped: str = ""
    booting: str = ""
    verified: str = ""
    attempts: str = ""
    returned: str = ""
    held: str = ""

    @property
    def held_for(self) -> str:
        return self.held.partition("/")[0]

    @property
    def reservation(self) -> str:
        """RESERVED, or since when it is in doubt; empty while there is but the intent."""
        return self.held.partition("/")[2]

    def metadata(self) -> dict[str, str]:
        return {PREFIX + f.name: value for f in fields(self) if (value := str(getattr(self, f.name)))}


def split_metadata(metadata: Mapping[str, str]) -> tuple[dict[str, str], CutRecord | None, str]:
    """The tenant's own metadata, the cut record if there is one, and the marker (source id) or an empty string."""
    own = {k: v for k, v in metadata.items() if not k.startswith(PREFIX) and k != MARKER_KEY}
    known = {f.name for f in fields(CutRecord)}
    kept = {k.removeprefix(PREFIX): v for k, v in metadata.items() if k.startswith(PREFIX)}
    record = CutRecord(**{k: v for k, v in kept.items() if k in known}) if kept else None
    return own, record, metadata.get(MARKER_KEY, "")
