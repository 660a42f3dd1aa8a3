"""A rollback that cannot be finished is not begun: what runs on the target goes on running until the blocker is gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from millpond.model.block_storage import Volume
from millpond.model.change import AnyStep, Waiting
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import Stage
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.storage.replication import Group, ends, groups
from millpond.reconcilers.twins import by_id, twin
from millpond.reconcilers.usage import RETURNING, servers_of_volumes

USED = ("disk_used_elsewhere", "marker_lost")


def of_group(desired: Desired, snapshot: Snapshot, group: Group, stage: Stage, blockers: Iterable[Finding]) -> list[Waiting]:
    """The gate of a group with a blocker, for those of its servers whose copy is not stopped yet. While somebody else uses one of its
    disks, for all of them: no last write can be timed."""
    used = any(finding.code in USED for finding in blockers)
    up = tuple(id for id in group.servers(desired) if used or _runs(snapshot, id))
    if not (up or used) or stage not in (Stage.DISCARD, Stage.CARRY_BACK):
        return []
    address, servers = desired.address("gate", group.members[0].volume.id), beside(desired, snapshot, up)
    return [Waiting(address, "way_back", "held by the blocker of its replica", wave=group.wave, servers=servers, long=True)]


def all_away(desired: Desired, snapshot: Snapshot) -> list[Group]:
    """The groups of every wave that are still to change hands."""
    pairs = ((group, ends(group, snapshot)) for group in groups(desired, snapshot))
    return [group for group, found in pairs if found.paired and not found.source_writable]


def beside(desired: Desired, snapshot: Snapshot, held: Iterable[str]) -> tuple[str, ...]:
    """These servers, and whose copies run and have disks that change hands with theirs, directly or by another of them: stopped, they
    would only wait."""
    found = dict.fromkeys(held)
    sets = [group.servers(desired) for group in all_away(desired, snapshot)] if found else []
    while joined := [id for own in sets if not found.keys().isdisjoint(own) for id in own if id not in found and _runs(snapshot, id)]:
        found |= dict.fromkeys(joined)
    return tuple(found)


def _runs(snapshot: Snapshot, server: str) -> bool:
    return _may_run(twin(snapshot, "servers", server))


def _may_run(copy: Server | None) -> bool:
    return copy is not None and not copy.never_ran and (copy.status != "SHUTOFF" or copy.guest_runs)


def of_volume(desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume) -> list[Waiting]:
    """The gate of a volume that another server uses."""
    if goals.stage(volume.id) not in RETURNING:
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
