"""What a step of a cutover is to the person who waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache


class Phase(StrEnum):
    """The value is what a legend says."""

    STOP = "shutdown"
    SYNC = "last sync"
    SIDES = "disks change sides"
    PREPARE = "volumes and ports"
    BOOT = "boot"
    VERIFY = "handover"
    UNDONE = "steps given up"
    OTHER = "other"


_PHASES: Mapping[str, Phase] = {
    "source_server#stop": Phase.STOP,
    "source_server#time": Phase.STOP,
    "source_server#time_return": Phase.STOP,
    "server#stop": Phase.STOP,
    "replication_group#sync": Phase.SYNC,
    "replication_group#reverse_sync": Phase.SYNC,
    "source_server#boot": Phase.BOOT,
    "source_server#start": Phase.BOOT,
    "server#create": Phase.BOOT,
    "source_server#verify": Phase.VERIFY,
}
_KINDS: Mapping[str, Phase] = {
    "replication_group": Phase.SIDES,
    "volume": Phase.PREPARE,
    "port": Phase.PREPARE,
    "server": Phase.BOOT,
    "wave": Phase.UNDONE,
}


@dataclass(frozen=True)
class Named:
    """A step's id, `acme/server/web-1#create`, in its parts."""

    tenant: str
    kind: str
    name: str
    action: str

    @classmethod
    @lru_cache(maxsize=8192)
    def of(cls, step: str) -> Named:
        """Kept for a while: many servers wait for the same steps."""
        address, _, action = step.partition("#")
        tenant, kind, name = [*address.split("/", 2), "", ""][:3]
        return cls(tenant, kind, name, action)

    @cached_property
    def phase(self) -> Phase:
        own = _PHASES.get(f"{self.kind}#{self.action.partition(':')[0]}")
        return own or _KINDS.get(self.kind, Phase.OTHER)

    @cached_property
    def server(self) -> str:
        """The address of the server whose own step this is; empty for a step that several wait for."""
        return f"{self.tenant}/server/{self.name}" if self.kind in ("server", "source_server") else ""

    @property
    def words(self) -> str:
        match self.phase:
            case Phase.STOP:
                return f"{self.name} shuts down" if self.action == "stop" else f"the array's time after {self.name} stopped"
            case Phase.SYNC:
                return f"last sync of {self.name}"
            case Phase.SIDES:
                return f"{self.name}: {self.action}"
            case Phase.BOOT if self.action == "boot":
                return f"the boot of {self.name} is written down"
            case Phase.BOOT:
                return f"{self.name} boots"
            case Phase.VERIFY:
                return f"{self.name} is checked and handed over"
            case Phase.UNDONE:
                return "steps that were given up"
        return f"{self.kind} {self.name}: {self.action}"
