"""A rollback that cannot be finished is not begun: what runs on the target goes on running until the blocker is gone."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from functools import lru_cache

from millpond.model.block_storage import Volume
from millpond.model.change import AnyStep, Waiting
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import AFTER_A_BOOT, BACK, Stage
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.storage.replication import Group, ends, groups
from millpond.reconcilers.twins import Same, by_id, twin
from millpond.reconcilers.usage import servers_of_volumes

USED = ("disk_used_elsewhere", "marker_lost")


def of_group(desired: Desired, snapshot: Snapshot, group: Group, stage: Stage, blockers: Iterable[Finding]) -> list[Waiting]:
    """The gate of a group with a blocker, for those of its servers whose copy is not stopped yet. While somebody else uses one of its
    disks, for all of them: no last write can be timed."""
    used = any(finding.code in USED for finding in blockers)
    up = tuple(id for id in group.servers(desired) if used or copy_may_be_up(snapshot, id))
    if not (up or used) or stage not in AFTER_A_BOOT:
        return []
    address, servers = desired.address("gate", group.members[0].volume.id), beside(desired, snapshot, up)
    return [Waiting(address, "way_back", "held by the blocker of its replica", wave=group.wave, servers=servers, long=True)]


def all_away(desired: Desired, snapshot: Snapshot) -> tuple[Group, ...]:
    """The groups of every wave that are still to change hands."""
    return _all_away_once(Same(desired), Same(snapshot))


@lru_cache(maxsize=16)
def _all_away_once(desired: Same, snapshot: Same) -> tuple[Group, ...]:
    pairs = ((group, ends(group, snapshot.item)) for group in groups(desired.item, snapshot.item))
    return tuple(group for group, found in pairs if found.paired and not found.source_writable)


def beside(desired: Desired, snapshot: Snapshot, held: Iterable[str]) -> tuple[str, ...]:
    """These servers, and whose copies may be up and have disks that change hands with theirs, directly or by another of them: stopped,
    they would only wait."""
    found = dict.fromkeys(held)
    sets = [_held_or_up(snapshot, group.servers(desired), found) for group in all_away(desired, snapshot)] if found else []
    while joined := [id for own in sets if not found.keys().isdisjoint(own) for id in own if id not in found]:
        found |= dict.fromkeys(joined)
    return tuple(found)


def _held_or_up(snapshot: Snapshot, servers: Iterable[str], held: Container[str]) -> list[str]:
    return [id for id in servers if id in held or copy_may_be_up(snapshot, id)]


def copy_may_be_up(snapshot: Snapshot, server: str) -> bool:
    """Also one that is just being started: it would be locked, and come up as one that its tenant cannot stop."""
    copy = twin(snapshot, "servers", server)
    return copy is not None and not copy.never_ran and not copy.stopped


def of_volume(desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume) -> list[Waiting]:
    """The gate of a volume that another server uses."""
    if goals.stage(volume.id) not in BACK:
        return []
    servers = beside(desired, snapshot, servers_of_volumes(desired).get(volume.id, ()))
    address, wave = desired.address("gate", volume.id), goals.wave(volume.id)
    return [Waiting(address, "way_back:volume", "held by the blocker of this volume", wave=wave, servers=servers, long=True)]


def held(steps: Iterable[AnyStep]) -> list[AnyStep]:
    """A server that nothing takes the volume from is waited for no longer than a person wants to."""
    return [replace(step, long=True) if isinstance(step, Waiting) and step.action == "release_by_server" else step for step in steps]


def other_servers(desired: Desired, snapshot: Snapshot, volume: Volume, target: Volume | None) -> list[str]:
    """Ids of the target's servers that the volume is attached to and that stand for none of its own."""
    known, own = by_id(snapshot.target.servers), servers_of_volumes(desired).get(volume.id, ())
    holders = [attachment.server_id for attachment in target.attachments] if target is not None else []
    return [id for id in holders if id not in known or known[id].marker not in own]


def used_elsewhere(desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume, others: Iterable[str]) -> Finding:
    known = by_id(snapshot.target.servers)
    names = ", ".join(f"{known[id].name} ({id})" if id in known else id for id in others)
    return Finding(
        "volume_used_elsewhere",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        f"the volume is attached on the target to what Millpond did not make: {names}",
        "it is to be taken out of use there, and nothing is taken away from a server of the tenant's",
        "have it detached on the target; the next apply goes on",
        wave=goals.wave(volume.id),
    )
