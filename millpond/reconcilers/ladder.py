"""The rungs that lead one resource from where it is observed to its goal, each after the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from millpond.model.address import Address, Side
from millpond.model.change import AnyStep, Change, Effect, FieldChange, Waiting
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.twins import by_id


class Ladder:
    """Collects the steps of one resource. `first` names steps of the same kind that must be done before any of them."""

    def __init__(
        self,
        address: Address,
        *,
        wave: str = "",
        source_id: str = "",
        servers: tuple[str, ...] = (),
        side: Side = Side.TARGET,
        first: tuple[str, ...] = (),
    ) -> None:
        self._place: dict[str, Any] = {"address": address, "wave": wave, "source_id": source_id, "servers": servers}
        self._side = side
        self._after = first
        self._beside: list[str] = []
        self.steps: list[AnyStep] = []

    def change(
        self,
        action: str,
        reason: str,
        *,
        effect: Effect = Effect.UPDATE,
        fields: tuple[FieldChange, ...] = (),
        destination: str = "",
        side: Side | None = None,
        reversible: bool = True,
        outage: bool = False,
        danger: bool = False,
        alone: bool = False,
        beside: bool = False,
        **parameters: Any,
    ) -> None:
        """One more rung. `alone` leaves it out of the chain: the next rung does not wait for it.

        Rungs that stand `beside` each other follow the same one and are done together; the next rung waits for all of them.
        """
        if not beside:
            self._gather()
        step = Change(
            **self._place,
            action=action,
            reason=reason,
            after=self._after,
            side=side or self._side,
            effect=effect,
            fields=fields,
            destination=destination or action,
            reversible=reversible,
            outage=outage,
            danger=danger,
            parameters=parameters,
        )
        self._add(step, alone=alone, beside=beside)

    def wait(self, action: str, reason: str, *, long: bool = False, bytes_left: int = 0, rate: int = 0, seconds: float = 0.0) -> None:
        self._gather()
        step = Waiting(
            **self._place, action=action, reason=reason, after=self._after, long=long, bytes_left=bytes_left, rate=rate, seconds=seconds
        )
        self._add(step)

    def _gather(self) -> None:
        if self._beside:
            self._after, self._beside = tuple(self._beside), []

    def _add(self, step: AnyStep, *, alone: bool = False, beside: bool = False) -> None:
        self.steps.append(step)
        if beside:
            self._beside.append(step.id)
        elif not alone:
            self._after = (step.id,)


def signed(steps: Iterable[AnyStep], run: str, snapshot: Snapshot) -> tuple[AnyStep, ...]:
    """Each change names the run that will perform it, and the cuts that are recorded where it is planned: it stops where a record names
    another run, another cut, or is gone. Nothing to a plan that is only shown.
    """
    if not run:
        return tuple(steps)
    return tuple(replace(step, parameters=_signature(step, run, snapshot)) if isinstance(step, Change) else step for step in steps)


def _signature(step: Change, run: str, snapshot: Snapshot) -> Mapping[str, Any]:
    project, servers, volumes = snapshot.source.project, by_id(snapshot.source.servers), by_id(snapshot.source.volumes)
    known = {id: one.record for id in carriers(step) if (one := servers.get(id) or volumes.get(id))}
    cuts = {id: record.cut for id, record in known.items() if record and record.cut}
    where = {"source_project": project.id} if cuts and project else {}
    return {**where, **step.parameters, "run": run, "cuts": cuts}


def carriers(step: Change) -> tuple[str, ...]:
    """The servers and volumes of the source whose records say whose this step is."""
    return tuple(dict.fromkeys((*step.servers, *step.parameters.get("recorded", ()), step.source_id)))
