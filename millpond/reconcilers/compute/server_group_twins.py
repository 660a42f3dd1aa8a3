"""Which server group of the target stands for which of the source's.

Nova keeps nothing on a group by which it could be known again, and takes several of one name. Those that are equal in name, policy and
rules are interchangeable until a server is in them: from then on the server's marker tells whose they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from millpond.model.compute import ServerGroup
from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.twins import REMEMBERED, Same

Likeness = tuple[str, str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True)
class Twins:
    """By source id: the target's group, or the ids of those of which it is not clear which one it is."""

    found: Mapping[str, ServerGroup] = field(default_factory=dict)
    doubtful: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def likeness(group: ServerGroup) -> Likeness:
    return group.name, group.policy, tuple(sorted(group.rules.items()))


def in_order(desired: Desired) -> list[ServerGroup]:
    """The source's, in the order in which they are given a group of the target: first those that a server which moves is in."""
    moving = {id for wave in desired.waves for id in wave.servers}
    return sorted(desired.inventory.server_groups, key=lambda group: moving.isdisjoint(group.members))


def twins(desired: Desired, snapshot: Snapshot) -> Twins:
    return _twins_once(Same(desired), Same(snapshot))


@lru_cache(maxsize=REMEMBERED)
def _twins_once(desired: Same, snapshot: Same) -> Twins:
    markers = {server.id: server.marker for server in snapshot.item.target.servers}
    there: dict[Likeness, list[ServerGroup]] = {}
    for group in sorted(snapshot.item.target.server_groups, key=lambda group: group.id):
        there.setdefault(likeness(group), []).append(group)
    alike: dict[Likeness, list[ServerGroup]] = {}
    for group in in_order(desired.item):
        alike.setdefault(likeness(group), []).append(group)
    found: dict[str, ServerGroup] = {}
    doubtful: dict[str, tuple[str, ...]] = {}
    for like, sources in alike.items():
        _pair(sources, there.get(like, []), markers, found, doubtful)
    return Twins(found, doubtful)


def _pair(
    sources: list[ServerGroup],
    targets: list[ServerGroup],
    markers: Mapping[str, str],
    found: dict[str, ServerGroup],
    doubtful: dict[str, tuple[str, ...]],
) -> None:
    """Of groups that are alike: by their members, then any empty one, then the only one that there is."""
    owners = {group.id: set(_owners(group, sources, markers)) for group in targets}
    for source in sources:
        own = [group for group in targets if source.id in owners[group.id]]
        if len(own) > 1 or any(len(owners[group.id]) > 1 for group in own):
            doubtful[source.id] = _ids(own)
        elif own:
            found[source.id] = own[0]
    left = [source for source in sources if source.id not in found and source.id not in doubtful]
    free = [group for group in targets if not owners[group.id]]
    found |= {source.id: group for source, group in zip(left, (group for group in free if not group.members), strict=False)}
    if len(sources) == 1 and free and left and left[0].id not in found:
        if len(free) == 1:
            found[left[0].id] = free[0]
        else:
            doubtful[left[0].id] = _ids(free)


def _owners(group: ServerGroup, sources: Iterable[ServerGroup], markers: Mapping[str, str]) -> Iterator[str]:
    members = {markers.get(member, "") for member in group.members}
    return (source.id for source in sources if not members.isdisjoint(source.members))


def _ids(groups: Iterable[ServerGroup]) -> tuple[str, ...]:
    return tuple(group.id for group in groups)
