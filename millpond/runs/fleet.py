"""What one apply has admitted so far, over all of its tenants: the brakes of the site count there."""

from __future__ import annotations

from threading import Lock

from millpond.model.plan import WaveStatus
from millpond.model.site import Brakes
from millpond.planning.brakes import Admitted


class Fleet:
    """One for all tenants' threads. What was admitted counts until the apply ends."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._admitted: dict[tuple[str, str], int] = {}

    @property
    def admitted(self) -> Admitted:
        with self._lock:
            return dict(self._admitted)

    def admit(self, tenant: str, wave: WaveStatus, brakes: Brakes) -> bool:
        """False where one of `brakes`, which hold for this tenant, is exceeded with this wave: the next plan says by how much."""
        with self._lock:
            wanted = {**self._admitted, (tenant, wave.name): len(wave.servers)}
            stopped = sum(wanted.values())
            if (brakes.cutovers and len(wanted) > brakes.cutovers) or (brakes.servers_stopped and stopped > brakes.servers_stopped):
                return False
            self._admitted = wanted
            return True
