"""The simulated world: clock, tables, events and faults; and what every service knows of the cloud that it belongs to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from millpond.sandbox.core.callers import Caller
from millpond.sandbox.core.clock import Clock
from millpond.sandbox.core.events import Events
from millpond.sandbox.core.faults import Faults
from millpond.sandbox.core.releases import Release
from millpond.sandbox.core.requests import RequestLog
from millpond.sandbox.core.store import Row, Store, Table
from millpond.sandbox.settings import Settings


class World:
    """`path` is the state file; None keeps all in memory."""

    def __init__(self, path: Path | None = None, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = Clock(self.settings.speed)
        self.store = Store(path)
        self._time = self.store.table("world/time")
        self._resume()
        self.events = Events(self.clock, self.store)
        self.faults = Faults()
        self.requests = RequestLog()
        self.watches: list[Callable[[], None]] = []
        """Called after every change, to record violations that no single service can see."""

    def settle(self) -> None:
        """Brings what changed to the disk; called after every request and on every tick."""
        if self.store.is_dirty():
            for watch in self.watches:
                watch()
            self.save_time()
            self.store.flush()

    def violations(self) -> list[Row]:
        """What the sandbox itself saw go wrong: broken invariants of the world, and due events that failed."""
        failed = [{"kind": "event_failed", "detail": failure} for failure in self.events.failures]
        return [*self.store.table("violations"), *failed]

    def save_time(self) -> None:
        """Keeps the virtual time for the next start."""
        if "clock" in self._time:
            self._time.update("clock", now=self.clock.now())
        else:
            self._time.insert({"id": "clock", "now": self.clock.now()})

    def snapshot(self) -> bytes:
        """All state of clouds and arrays and the virtual time; not settings, faults and the request log."""
        self.save_time()
        return self.store.snapshot()

    def restore(self, snapshot: bytes) -> None:
        self.store.restore(snapshot)
        saved = self._time.get("clock")
        assert saved is not None
        self.clock.set(saved["now"])
        self.events.reload()
        self.store.flush()

    def close(self) -> None:
        self.save_time()
        self.store.close()

    def _resume(self) -> None:
        # Real time is the floor, so that a world left alone at speed 1 wakes up in the present.
        saved = self._time.get("clock")
        if saved is not None:
            self.clock.set(max(saved["now"], self.clock.now()))


@dataclass(eq=False)
class Cloud:
    """One simulated cloud."""

    name: str
    release: Release
    base_url: str
    """Without a path: `http://127.0.0.11:8180`."""
    world: World
    authenticate: Callable[[str], Caller | None] = field(init=False, repr=False)
    """Who a token stands for; set once there is a Keystone."""

    def table(self, name: str) -> Table:
        """This cloud's table of that name, like "nova/servers"."""
        return self.world.store.table(f"{self.name}/{name}")
