"""What can be turned while the sandbox runs: clock speed, latency, how long things take, rates and limits."""

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any


@dataclass
class Delays:
    """Virtual seconds from an accepted request to its effect."""

    server_stop: float = 8
    server_start: float = 6
    server_boot: float = 10
    server_delete: float = 3
    server_forget: float = 1
    """From the deletion of a server to the moment when it is listed no longer."""
    server_resize: float = 10
    volume_create: float = 2
    volume_delete: float = 1
    volume_manage: float = 3
    volume_extend: float = 1
    snapshot_create: float = 1
    snapshot_delete: float = 1
    backup_create: float = 2
    backup_delete: float = 1
    attach: float = 2
    port_up: float = 1
    sync_min: float = 2


@dataclass
class Rates:
    """Bytes per virtual second over the link between the arrays."""

    seed: float = 1e9
    sync: float = 1e9


@dataclass
class Limits:
    replicas: int = 250
    initialisations: int = 8


@dataclass
class Settings:
    speed: float = 1.0
    """Virtual seconds per real second."""
    latency: float = 0.0
    """Real seconds every request waits before it is handled."""
    delays: Delays = field(default_factory=Delays)
    rates: Rates = field(default_factory=Rates)
    limits: Limits = field(default_factory=Limits)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def change(self, changes: dict[str, Any]) -> None:
        """Applies a nested, partial document.

        ValueError names an unknown or negative setting; nothing is changed then.
        """
        _check(self, changes, "")
        _apply(self, changes)


def _check(part: Any, changes: dict[str, Any], where: str) -> None:
    known = {item.name for item in fields(part)}
    for name, value in changes.items():
        if name not in known:
            raise ValueError(f"no such setting: {where}{name}")
        current = getattr(part, name)
        if is_dataclass(current):
            if not isinstance(value, dict):
                raise ValueError(f"{where}{name} is a group of settings")
            _check(current, value, f"{where}{name}.")
        elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ValueError(f"{where}{name} must be a number, not negative")


def _apply(part: Any, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        current = getattr(part, name)
        if is_dataclass(current):
            _apply(current, value)
        else:
            setattr(part, name, value)
