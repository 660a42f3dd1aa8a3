"""Cutovers as the journal remembers them: what each server waited for, and which steps decided how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from millpond.execution.journal import Entry
from millpond.model.cutover import Cutover, Expectation, ExpectedStep, Outage, ServerOutage, TimedStep, Wait
from millpond.model.outcome import Result

Said = tuple[datetime, Expectation]
_ENDS = ("verify", "start")


def cutovers_of(entries: Sequence[Entry], said: Iterable[Said], now: datetime, measured: Sequence[Outage] = ()) -> tuple[Cutover, ...]:
    """Oldest first, those under way too: their servers wait until `now`. Outages last as long as runs `measured` them.

    What was said again while servers of the wave were down continues their cutover.
    """
    ways: list[_Way] = []
    for at, expectation in sorted(said, key=lambda pair: pair[0]):
        last = next((way for way in reversed(ways) if way.wave == expectation.wave), None)
        if last is None or last.over(at):
            last = _Way(expectation.wave, at, [e for e in entries if e.at >= at], measured)
            ways.append(last)
        last.join(expectation)
    return tuple(way.cutover(now) for way in ways if way.servers)


@dataclass
class _Way:
    """One wave on its way, over or back. `entries` begin with it."""

    wave: str
    at: datetime
    entries: Sequence[Entry]
    measured: Sequence[Outage]
    expected: dict[str, ExpectedStep] = field(default_factory=dict)
    estimated: dict[str, float] = field(default_factory=dict)
    servers: dict[str, tuple[datetime, datetime | None]] = field(default_factory=dict)

    def join(self, said: Expectation) -> None:
        self.expected |= {step.id: step for step in said.steps if step.id not in self.expected}
        for address, seconds in said.servers:
            self.estimated.setdefault(address, seconds)
            if address not in self.servers and (found := _outage(address, self.entries)):
                self.servers[address] = self._as_measured(address, *found)

    def _as_measured(self, address: str, began: datetime, ended: datetime | None) -> tuple[datetime, datetime | None]:
        if ended is None:
            return began, None
        found = (one for one in self.measured if one.server == address and one.began <= ended and began <= one.ended)
        return next(((one.began, one.ended) for one in found), (began, ended))

    def over(self, at: datetime) -> bool:
        """Whether all of its servers had come back by then."""
        return all(end is not None and end <= at for _, end in self.servers.values())

    def cutover(self, now: datetime) -> Cutover:
        ended = [end for _, end in self.servers.values()]
        last = None if None in ended else max(end for end in ended if end)
        steps = {step.id: step for step in _timed(self.entries, _resources(self.expected), last)}
        servers = tuple(self._server(address, steps, now) for address in sorted(self.servers))
        return Cutover(
            wave=self.wave,
            back=any(_action(id) == "start" for id in self.expected),
            servers=servers,
            steps=tuple(steps.values()),
        )

    def _server(self, address: str, steps: Mapping[str, TimedStep], now: datetime) -> ServerOutage:
        began, ended = self.servers[address]
        last = (
            next((id for id in steps if _server_of(id) == address and _action(id) in _ENDS), "") if ended else self._latest(address, steps)
        )
        waits = tuple(self._waits(address, last, steps, began, ended or now))
        return ServerOutage(address, began, ended, self.estimated.get(address, 0.0), waits)

    def _latest(self, address: str, steps: Mapping[str, TimedStep]) -> str:
        """The last step that is known of a server that is still down."""
        ours = [step for id, step in steps.items() if _server_of(id) == address or address in self._concerned(id)]
        return max(ours, key=lambda step: step.began).id

    def _concerned(self, id: str) -> tuple[str, ...]:
        return self.expected[id].servers if id in self.expected else ()

    def _waits(self, address: str, last: str, steps: Mapping[str, TimedStep], began: datetime, until: datetime) -> Iterator[Wait]:
        """Its own stop, then the chain that its return waited for."""
        chain = list(reversed(list(self._back(last, steps))))
        stop = next((id for id in steps if _server_of(id) == address and _action(id) == "stop"), "")
        if stop and stop not in chain:
            follows = [steps[id].began for id, step in self.expected.items() if stop in step.after and id in steps]
            own_end = min(follows, default=steps[stop].ended)
            yield self._wait(stop, began, min(own_end, until))
            began = min(own_end, until)
        for id, later in zip(chain, [*chain[1:], ""], strict=True):
            end = steps[later].began if later else until
            if end > began:
                yield self._wait(id, began, end)
                began = end

    def _wait(self, id: str, began: datetime, ended: datetime) -> Wait:
        return Wait(id, began, ended, self.expected[id].seconds if id in self.expected else 0.0)

    def _back(self, id: str, steps: Mapping[str, TimedStep]) -> Iterator[str]:
        """From the return of a server to the stop that its chain begins with: of all that a step came after, what ended last."""
        seen: set[str] = set()
        while id and id not in seen:
            seen.add(id)
            yield id
            if _action(id) == "stop":
                return
            id = max(self._before(id, steps), key=lambda each: steps[each].ended, default="")

    def _before(self, id: str, steps: Mapping[str, TimedStep]) -> list[str]:
        """What it came after, through steps of which nothing is known."""
        found: list[str] = []
        look, seen = [id], {id}
        while look:
            step = self.expected.get(look.pop())
            for earlier in step.after if step else ():
                if earlier not in seen:
                    seen.add(earlier)
                    (found if earlier in steps else look).append(earlier)
        return found


def _outage(address: str, entries: Iterable[Entry]) -> tuple[datetime, datetime | None] | None:
    """From the first stop that was sent to the return."""
    began = None
    for entry in entries:
        if _server_of(entry.step) != address or entry.outcome is None or entry.outcome.result is Result.FAILED:
            continue
        if _action(entry.step) == "stop":
            began = began or entry.at
        elif began and _action(entry.step) in _ENDS and entry.step.split("/")[1] == "source_server" and entry.outcome.result is Result.DONE:
            return began, _end(entry)
    return (began, None) if began else None


def _timed(entries: Iterable[Entry], resources: set[str], until: datetime | None) -> list[TimedStep]:
    """Steps on these resources, in the order in which they were begun first. What nobody knows the end of ends where it begins."""
    found: dict[str, TimedStep] = {}
    for entry in entries:
        if entry.step.partition("#")[0] not in resources or (until and entry.at > until):
            continue
        before = found.get(entry.step)
        result = entry.outcome.result if entry.outcome else Result.UNKNOWN
        began, attempts = (before.began, before.attempts + 1) if before else (entry.at, 1)
        found[entry.step] = TimedStep(entry.step, began, _end(entry), result, attempts)
    return list(found.values())


def _end(entry: Entry) -> datetime:
    return entry.at + timedelta(seconds=entry.outcome.seconds if entry.outcome else 0.0)


def _resources(steps: Iterable[str]) -> set[str]:
    return {id.partition("#")[0] for id in steps}


def _action(id: str) -> str:
    return id.partition("#")[2].partition(":")[0]


def _server_of(id: str) -> str:
    """The address of the server whose own step this is, or empty."""
    tenant, kind, name = [*id.partition("#")[0].split("/", 2), "", ""][:3]
    return f"{tenant}/server/{name}" if kind in ("source_server", "server") else ""
