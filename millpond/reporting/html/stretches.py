"""What a server waited for, in as few words as a person needs: neighbouring steps of one phase are one stretch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from millpond.model.cutover import Cutover, ServerOutage
from millpond.reporting.html.phases import Named, Phase


@dataclass(frozen=True)
class Stretch:
    """`of` names the server whose steps these are, if it is another one. `critical`: a step of it is on the critical path."""

    phase: Phase
    steps: tuple[Named, ...]
    began: datetime
    ended: datetime
    of: str = ""
    critical: bool = False

    @property
    def seconds(self) -> float:
        return (self.ended - self.began).total_seconds()

    @property
    def text(self) -> str:
        """`boot`, or `web-1: boot`."""
        return f"{self.of}: {self.phase}" if self.of else str(self.phase)

    @property
    def words(self) -> str:
        return ", ".join(dict.fromkeys(step.words for step in self.steps))


def stretches(cutover: Cutover, server: ServerOutage) -> Iterator[Stretch]:
    """In order, without gaps."""
    named = [(Named.of(wait.step), wait) for wait in server.waits]
    for (phase, owner), found in groupby(named, lambda pair: (pair[0].phase, pair[0].server)):
        pairs = list(found)
        yield Stretch(
            phase=phase,
            steps=tuple(step for step, _ in pairs),
            began=pairs[0][1].began,
            ended=pairs[-1][1].ended,
            of=pairs[0][0].name if owner and owner != server.address else "",
            critical=any(wait.step in cutover.critical for _, wait in pairs),
        )
