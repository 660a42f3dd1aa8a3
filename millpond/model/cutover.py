"""What was expected of a cutover, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from millpond.model.address import Side
from millpond.model.outcome import Result


@dataclass(frozen=True)
class Stop:
    """What a server is down by: sent `at` to it on the source or, on the way back, to its copy on the target."""

    at: datetime
    side: Side = Side.SOURCE


@dataclass(frozen=True)
class Outage:
    """One that ended. `server` is its address, such as `acme/server/web-1`; `back`: it ended on the source, by a rollback."""

    server: str
    began: datetime
    ended: datetime
    back: bool = False

    @property
    def seconds(self) -> float:
        return (self.ended - self.began).total_seconds()


@dataclass(frozen=True)
class ExpectedStep:
    """A step between a server's stop and its return. `servers` are addresses; `seconds` is what it typically takes, waiting included."""

    id: str
    after: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Expectation:
    """What the plan said when servers of a wave were about to be stopped. `servers`: address → seconds of outage."""

    wave: str
    servers: tuple[tuple[str, float], ...] = ()
    critical_path: tuple[str, ...] = ()
    steps: tuple[ExpectedStep, ...] = ()


@dataclass(frozen=True)
class TimedStep:
    """All attempts of one step. `ended` is when its last call returned: what it set going may go on until the next step begins."""

    id: str
    began: datetime
    ended: datetime
    result: Result
    attempts: int = 1


GIVE_UP = "give_up"
"""In place of a step, `acme/wave/rest#give_up`: all that was begun of a way that was given up."""


@dataclass(frozen=True)
class Wait:
    """What a server waited for from `began` to `ended`: a step's call, and whatever that set going. `typical`: seconds it was given.

    `step` is the id of a step, or ends in GIVE_UP.
    """

    step: str
    began: datetime
    ended: datetime
    typical: float = 0.0


@dataclass(frozen=True)
class ServerOutage:
    """`ended` None: it has not come back yet. `waits` follow each other without gaps. `estimated`: seconds, 0 where nothing was said."""

    address: str
    began: datetime
    ended: datetime | None
    estimated: float = 0.0
    waits: tuple[Wait, ...] = ()

    @property
    def seconds(self) -> float | None:
        return (self.ended - self.began).total_seconds() if self.ended else None


@dataclass(frozen=True)
class Cutover:
    """Servers of one wave that went over, or came back, together. `steps`: every step that is known of it, in order."""

    wave: str
    back: bool
    servers: tuple[ServerOutage, ...]
    steps: tuple[TimedStep, ...] = ()

    @cached_property
    def slowest(self) -> ServerOutage:
        """The longest outage; while some have not ended, the one of these that began first."""
        down = [server for server in self.servers if server.ended is None]
        if down:
            return min(down, key=lambda server: (server.began, server.address))
        return max(self.servers, key=lambda server: (server.seconds or 0.0, server.address))

    @cached_property
    def began(self) -> datetime:
        return min(server.began for server in self.servers)

    @cached_property
    def critical(self) -> frozenset[str]:
        """The steps that the slowest server waited for."""
        return frozenset(wait.step for wait in self.slowest.waits)

    @property
    def ended(self) -> datetime | None:
        ends = [server.ended for server in self.servers]
        return None if None in ends else max(end for end in ends if end)
