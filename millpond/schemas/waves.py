"""The waves in order, with their members and their effective flags."""

from __future__ import annotations

from millpond.model.desired import REST, DesiredWave
from millpond.model.manifest import Wave
from millpond.schemas.draft import Draft
from millpond.schemas.membership import Membership


def waves(draft: Draft, excluded: frozenset[str], grouping: str) -> tuple[DesiredWave, ...]:
    """`rest` comes last, and only if something is in it. `grouping` is the site's."""
    _names(draft)
    given = list(draft.manifest.waves)
    if not given or given[-1].name != REST:
        given.append(Wave(REST))
    membership = Membership(draft, excluded)
    membership.assign(rest=len(given) - 1)
    servers, volumes = _grouped(membership.servers, len(given)), _grouped(membership.volumes, len(given))
    return tuple(
        _effective(draft, wave, servers[index], volumes[index], grouping)
        for index, wave in enumerate(given)
        if wave.name != REST or servers[index] or volumes[index]
    )


def cuts_over(draft: Draft, wave: Wave) -> bool:
    return draft.manifest.cutover if wave.cutover is None else wave.cutover


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


def _grouped(indexes: dict[str, int], count: int) -> list[tuple[str, ...]]:
    groups: list[list[str]] = [[] for _ in range(count)]
    for id, index in indexes.items():
        groups[index].append(id)
    return [tuple(group) for group in groups]


def _effective(draft: Draft, wave: Wave, servers: tuple[str, ...], volumes: tuple[str, ...], grouping: str) -> DesiredWave:
    manifest = draft.manifest
    cutover = cuts_over(draft, wave)
    return DesiredWave(
        wave.name,
        servers,
        volumes,
        cutover,
        window=wave.window or manifest.window,
        cutover_at=wave.cutover_at or manifest.cutover_at,
        rollback=wave.rollback or (None if cutover else manifest.rollback),
        grouping=wave.grouping or manifest.grouping or grouping,
    )
