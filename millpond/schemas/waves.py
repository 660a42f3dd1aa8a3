"""Which wave each server and volume belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from millpond.model.desired import REST, DesiredWave
from millpond.model.manifest import Manifest, Wave
from millpond.schemas.draft import Draft


@dataclass
class Members:
    """Source id → index of its wave; `places` says where the manifest names it. The index after the last wave stands for `rest`."""

    servers: dict[str, int] = field(default_factory=dict)
    volumes: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


def waves(draft: Draft, excluded: frozenset[str], grouping: str) -> tuple[DesiredWave, ...]:
    """The waves in order, `rest` last; `grouping` is the site's. What is named twice, or stays behind, becomes a problem."""
    manifest = draft.manifest
    given = list(manifest.waves)
    _names(draft)
    members = Members()
    for index, wave in enumerate(given):
        _named_servers(draft, excluded, members, index, wave)
    rest = len(given) - 1 if given and given[-1].name == REST else len(given)
    for server in draft.inventory.servers:
        if server.id not in excluded:
            members.servers.setdefault(server.id, rest)
    _attached_volumes(draft, excluded, members)
    for index, wave in enumerate(given):
        _named_volumes(draft, excluded, members, index, wave)
    for volume in draft.inventory.volumes:
        if volume.id not in excluded:
            members.volumes.setdefault(volume.id, rest)
    all_waves = [*given, Wave(REST)] if rest == len(given) else given
    return tuple(_desired(all_waves, members, manifest, grouping))


def _names(draft: Draft) -> None:
    seen: dict[str, int] = {}
    for index, wave in enumerate(draft.manifest.waves):
        where = draft.where("waves", index, "name")
        if (first := seen.setdefault(wave.name, index)) != index:
            why = f"the first is at {draft.where('waves', first, 'name')}"
            draft.problem(where, f"two waves are named `{wave.name}`", why, "give one of them another name")
        elif wave.name == REST and index != len(draft.manifest.waves) - 1:
            why = "servers and detached volumes that no wave names join it, so it comes last"
            draft.problem(where, f"wave `{REST}` must be the last wave", why, "move it to the end, or give it another name")
        if wave.name != REST and not wave.servers and not wave.volumes:
            draft.problem(where, f"wave `{wave.name}` names no server and no volume", fix="name some, or delete the wave")


def _named_servers(draft: Draft, excluded: frozenset[str], members: Members, index: int, wave: Wave) -> None:
    for number, reference in enumerate(wave.servers):
        id = draft.server(reference, "waves", index, "servers", number)
        if id:
            _join(draft, excluded, members, members.servers, id, index, f"server {draft.servers.label(id)}", ("servers", number))


def _named_volumes(draft: Draft, excluded: frozenset[str], members: Members, index: int, wave: Wave) -> None:
    for number, reference in enumerate(wave.volumes):
        id = draft.volume(reference, "waves", index, "volumes", number)
        if not id:
            continue
        attached = draft.disks.servers_of(id) & members.servers.keys()
        if attached and id in members.volumes and id not in members.places:
            if members.volumes[id] != index:
                where = draft.where("waves", index, "volumes", number)
                what = (
                    f"volume {draft.volumes.label(id)} is attached to {draft.servers.labels(attached)}, which is not in wave `{wave.name}`"
                )
                draft.problem(where, what, "a volume moves with its server", "delete it here; only detached volumes need to be named")
            continue
        _join(draft, excluded, members, members.volumes, id, index, f"volume {draft.volumes.label(id)}", ("volumes", number))


def _join(
    draft: Draft, excluded: frozenset[str], members: Members, group: dict[str, int], id: str, index: int, label: str, path: tuple[str, int]
) -> None:
    where = draft.where("waves", index, *path)
    if id in excluded:
        draft.problem(where, f"{label} is in a wave, but excluded", fix="delete it here, or delete its exclusion")
    elif id in members.places:
        other = draft.manifest.waves[group[id]].name
        what = f"{label} is named twice in wave `{other}`" if group[id] == index else f"{label} is in two waves, `{other}` and this one"
        draft.problem(where, what, f"the first is at {members.places[id]}", "delete one of them")
    else:
        group[id], members.places[id] = index, where


def _attached_volumes(draft: Draft, excluded: frozenset[str], members: Members) -> None:
    """A volume goes where its servers go; servers that share one must go together."""
    apart: set[frozenset[str]] = set()
    for volume in draft.inventory.volumes:
        servers = draft.disks.servers_of(volume.id) & members.servers.keys()
        if not servers or volume.id in excluded:
            continue
        indexes = {members.servers[server] for server in servers}
        members.volumes[volume.id] = min(indexes)
        if len(indexes) > 1 and servers not in apart:
            apart.add(servers)
            where = next(place for id, place in members.places.items() if id in servers)
            what = f"{draft.servers.labels(servers)} share volume {draft.volumes.label(volume.id)}, but are in different waves"
            draft.problem(where, what, "a volume cannot be on both sides", "put them into one wave")


def _desired(given: list[Wave], members: Members, manifest: Manifest, grouping: str) -> Iterator[DesiredWave]:
    servers: list[list[str]] = [[] for _ in given]
    volumes: list[list[str]] = [[] for _ in given]
    for group, lists in ((members.servers, servers), (members.volumes, volumes)):
        for id, index in group.items():
            lists[index].append(id)
    for index, wave in enumerate(given):
        if wave.name == REST and not servers[index] and not volumes[index]:
            continue
        cutover = manifest.cutover if wave.cutover is None else wave.cutover
        rollback = wave.rollback or (None if cutover else manifest.rollback)
        window, together = wave.window or manifest.window, wave.grouping or manifest.grouping or grouping
        yield DesiredWave(wave.name, tuple(servers[index]), tuple(volumes[index]), cutover, window, rollback, together)
