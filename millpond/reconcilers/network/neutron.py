"""What the kinds of Neutron have in common: the ladder create → mark → update, and the removal.

Neutron takes no tags in a create call, so that an object is marked by a call of its own; in between its natural key finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from millpond.model.address import Address, Side
from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.finding import Finding, Severity
from millpond.model.marker import own_tags, tag_for
from millpond.reconcilers.base import KindPlan
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.twins import Candidates, Marked, marked

ON_SOURCE = "the tenant has it on the source"
LEAVING = "decommission: true"


class Tagged(Marked, Protocol):
    @property
    def tags(self) -> tuple[str, ...]: ...


T = TypeVar("T", bound=Tagged)


@dataclass(frozen=True)
class Wanted:
    """One object that the target must have. `fields` are compared and updated, `fixed` are sent at creation alone; both in Neutron's words.
    `given` is what Neutron gives it of itself: shown and not sent, so that a reviewed plan allows for it.

    `key` is its natural key among unmarked objects. `tags` are the tenant's; `marks` are Millpond's own besides the marker.
    `made_by_cloud` objects are never created: they appear with the project. The rungs of an `outage` object are climbed inside the cut,
    and their actions end with `_inside`.
    """

    source_id: str
    address: Address
    key: Hashable
    fields: Mapping[str, Any]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    reason: str = ON_SOURCE
    wave: str = ""
    servers: tuple[str, ...] = ()
    outage: bool = False
    first: tuple[str, ...] = ()
    made_by_cloud: bool = False


def climb(
    resource: str,
    wanted: Iterable[Wanted],
    found: tuple[T, ...],
    key: Callable[[T], Hashable],
    shown: Callable[[T], Mapping[str, Any]],
) -> KindPlan:
    """The rungs for each wanted object: create it or adopt the one with its natural key, mark it, update what differs.

    Objects that share a natural key are created one after the other, each after its forerunner was marked.
    """
    candidates = Candidates.among(found, key)
    forerunner: dict[Hashable, str] = {}
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    for one in wanted:
        twins = marked(found, one.source_id) or candidates.take(one.key)
        if len(twins) > 1:
            findings.append(_ambiguous(resource, one, twins))
            continue
        before = (forerunner[one.key],) if one.key in forerunner else ()
        ladder = Ladder(
            one.address, wave=one.wave, source_id=one.source_id, servers=one.servers, first=(*one.first, *(() if twins else before))
        )
        if twins:
            _keep(ladder, resource, one, twins[0], shown(twins[0]))
        elif one.made_by_cloud:
            _mark(ladder, resource, one, UNKNOWN, (), "adopted: it comes with the project")
        else:
            _create(ladder, resource, one)
        steps += ladder.steps
        forerunner.update((one.key, step.id) for step in ladder.steps if step.action == _action(one, "mark"))
    return KindPlan(tuple(steps), tuple(findings))


def _action(one: Wanted, action: str) -> str:
    return f"{action}_inside" if one.outage else action


def _create(ladder: Ladder, resource: str, one: Wanted) -> None:
    body = {**one.fixed, **one.fields}
    ladder.change(
        _action(one, "create"),
        one.reason,
        effect=Effect.CREATE,
        fields=tuple(FieldChange(name, None, value) for name, value in {**body, **one.given}.items()),
        destination="present",
        outage=one.outage,
        call="create",
        resource=resource,
        body=body,
    )
    _mark(ladder, resource, one, UNKNOWN, (), "just created")


def _keep(ladder: Ladder, resource: str, one: Wanted, twin: Tagged, shown: Mapping[str, Any]) -> None:
    if not twin.marker:
        _mark(ladder, resource, one, twin.id, twin.tags, "adopted: the same natural key in the tenant's project")
    elif not set(own_tags(one.tags)) <= set(twin.tags):
        _mark(ladder, resource, one, twin.id, twin.tags, "the tenant's tags are carried")
    unequal = tuple(FieldChange(name, shown[name], value) for name, value in one.fields.items() if shown[name] != value)
    if unequal:
        body = {change.path: change.after for change in unequal}
        ladder.change(
            _action(one, "update"),
            "it differs from what the tenant has on the source",
            fields=unequal,
            destination="equal",
            outage=one.outage,
            call="update",
            resource=resource,
            id=twin.id,
            body=body,
        )


def _mark(ladder: Ladder, resource: str, one: Wanted, id: str, tags: Sequence[str], reason: str) -> None:
    all_tags = sorted({*tags, *own_tags(one.tags), tag_for(one.source_id), *one.marks})
    ladder.change(
        _action(one, "mark"),
        reason,
        fields=(FieldChange("tags", sorted(tags), all_tags),),
        destination="marked",
        outage=one.outage,
        call="tag",
        resource=resource,
        id=id,
        tags=all_tags,
    )


def _ambiguous(resource: str, one: Wanted, twins: tuple[Tagged, ...]) -> Finding:
    ids = ", ".join(sorted(twin.id for twin in twins))
    return Finding(
        f"ambiguous_{resource}",
        Severity.BLOCKER,
        one.address,
        f"{len(twins)} objects on the target may stand for it: {ids}",
        "Millpond never guesses which one is meant",
        f"delete those that nobody uses, or tag the right one with `{tag_for(one.source_id)}`",
        wave=one.wave,
    )


def removal(
    resource: str, address: Address, id: str, reason: str, *, source_id: str, servers: tuple[str, ...] = (), first: tuple[str, ...] = ()
) -> Change:
    """The step that deletes an object of the source for good."""
    return Change(
        address=address,
        action="delete",
        reason=reason,
        after=first,
        source_id=source_id,
        servers=servers,
        side=Side.SOURCE,
        effect=Effect.DELETE,
        fields=(FieldChange("id", id, None),),
        destination="absent",
        reversible=False,
        danger=True,
        parameters={"call": "delete", "resource": resource, "id": id},
    )
