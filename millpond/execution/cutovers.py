"""Cutovers as the journal remembers them: what each server waited for, and which steps decided how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from millpond.execution.journal import Entry
from millpond.execution.outages import outages_and_stops
from millpond.model.cutover import GIVE_UP, Cutover, Expectation, ExpectedStep, Outage, ServerOutage, Stop, TimedStep, Wait
from millpond.model.outcome import Result

Said = tuple[datetime, Expectation]
_ENDS = ("verify", "start")
"""Of the way over, and of the way back."""


def cutovers_of(entries: Sequence[Entry], said: Iterable[Said], now: datetime, measured: Sequence[Outage] = ()) -> tuple[Cutover, ...]:
    """Oldest first, those under way too: their servers wait until `now`. Outages are those of `outages_and_stops`.

    What was said again of the same way while servers of the wave were down continues it. A cutover that was given up is told as what
    became of its servers: their outage ended as they came back.
    """
    ended, down = outages_and_stops(entries, measured)
    ways: list[_Way] = []
    for at, expectation in sorted(said, key=lambda pair: pair[0]):
        last = next((way for way in reversed(ways) if way.wave == expectation.wave), None)
        if last is None or last.back != _goes_back(expectation) or last.over(at, ended, down):
            last = _Way(expectation.wave, at, _goes_back(expectation), [e for e in entries if e.at >= at])
            ways.append(last)
        last.join(expectation)
    for outage in ended:
        _take(ways, outage)
    for address, stop in down.items():
        if way := _said(ways, address):
            way.servers.setdefault(address, (stop.at, None))
    return tuple(cutover for way in ways for cutover in way.cutovers(now))


def _goes_back(said: Expectation) -> bool:
    return any(_action(step.id) == "start" for step in said.steps)


def _said(ways: Sequence[_Way], address: str, until: datetime | None = None) -> _Way | None:
    """The last that was said of a server by then."""
    return next((way for way in reversed(ways) if address in way.estimated and (until is None or way.at <= until)), None)


def _take(ways: Sequence[_Way], outage: Outage) -> None:
    """Of one that ended otherwise than the last way had it, that one was given up: a return from before the first boot stops nothing, so
    nothing is said of it."""
    way = _said(ways, outage.server, outage.ended)
    if way and (way.back or outage.back or way.at <= outage.began):
        taken = way.servers if way.back == outage.back else way.undone
        taken.setdefault(outage.server, (outage.began, outage.ended))


_Outages = dict[str, tuple[datetime, datetime | None]]


@dataclass
class _Way:
    """One wave on its way, over or back. `entries` begin with it. `undone`: outages that ended the other way."""

    wave: str
    at: datetime
    back: bool
    entries: Sequence[Entry]
    expected: dict[str, ExpectedStep] = field(default_factory=dict)
    estimated: dict[str, float] = field(default_factory=dict)
    servers: _Outages = field(default_factory=dict)
    undone: _Outages = field(default_factory=dict)

    def join(self, said: Expectation) -> None:
        self.expected |= {step.id: step for step in said.steps if step.id not in self.expected}
        for address, seconds in said.servers:
            self.estimated.setdefault(address, seconds)

    def over(self, at: datetime, ended: Sequence[Outage], down: Mapping[str, Stop]) -> bool:
        """Whether none of its servers was down then by what was begun before."""
        since = {outage.server for outage in ended if outage.began < at < outage.ended}
        since |= {address for address, stop in down.items() if stop.at < at}
        return not self.estimated.keys() & since

    def cutovers(self, now: datetime) -> Iterator[Cutover]:
        for outages, back in ((self.undone, not self.back), (self.servers, self.back)):
            ended = [end for _, end in outages.values()]
            last = None if None in ended else max((end for end in ended if end), default=None)
            steps = {step.id: step for step in _timed(self.entries, _resources(self.expected), last)}
            servers = tuple(filter(None, (self._server(address, outages[address], steps, back, now) for address in sorted(outages))))
            if servers:
                yield Cutover(wave=self.wave, back=back, servers=servers, steps=tuple(steps.values()))

    def _server(
        self, address: str, outage: tuple[datetime, datetime | None], steps: Mapping[str, TimedStep], back: bool, now: datetime
    ) -> ServerOutage | None:
        """None where nothing is known of the step that ended it: it is another journal's."""
        began, ended = outage
        end = _ENDS[back]
        last = next((id for id in steps if _server_of(id) == address and _action(id) == end), "") if ended else self._latest(address, steps)
        if ended and not last:
            return None
        estimated = self.estimated[address] if back == self.back else 0.0
        return ServerOutage(address, began, ended, estimated, tuple(self._waits(address, last, steps, began, ended or now)))

    def _latest(self, address: str, steps: Mapping[str, TimedStep]) -> str:
        """The last step that is known of a server that is still down, if there is one."""
        ours = [step for id, step in steps.items() if _server_of(id) == address or address in self._concerned(id)]
        return max(ours, key=lambda step: step.began).id if ours else ""

    def _concerned(self, id: str) -> tuple[str, ...]:
        return self.expected[id].servers if id in self.expected else ()

    def _waits(self, address: str, last: str, steps: Mapping[str, TimedStep], began: datetime, until: datetime) -> Iterator[Wait]:
        """Its own stop, then what was given up after it if anything was, then the chain that its return waited for."""
        chain = list(reversed(list(self._chain(last, steps))))
        stop = next((id for id in steps if _server_of(id) == address and _action(id) == "stop"), "")
        begins = [*(steps[id].began for id in chain), until]
        waited: list[tuple[str, datetime]] = []
        if stop and stop not in chain:
            follows = [steps[id].began for id, step in self.expected.items() if stop in step.after and id in steps]
            waited.append((stop, min(follows, default=steps[stop].ended)))
        if not stop or (last in steps and _action(last) in _ENDS and last not in self.expected):
            waited.append((f"{address.partition('/')[0]}/wave/{self.wave}#{GIVE_UP}", begins[0]))
        for id, end in (*waited, *zip(chain, begins[1:], strict=True)):
            if (end := min(end, until)) > began:
                yield self._wait(id, began, end)
                began = end

    def _wait(self, id: str, began: datetime, ended: datetime) -> Wait:
        return Wait(id, began, ended, self.expected[id].seconds if id in self.expected else 0.0)

    def _chain(self, id: str, steps: Mapping[str, TimedStep]) -> Iterator[str]:
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
