"""What is found in a source that is to be deleted and stands in no inventory, or would be left without a project: nothing goes before
somebody has looked at it.

What Neutron holds is found by the kinds that would delete it.
"""

from __future__ import annotations

from collections.abc import Iterator

from millpond.model.counting import told_of
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers.base import Goals
from millpond.reconcilers.few import few
from millpond.reconcilers.twins import by_id
from millpond.reconcilers.unlisted import late


def findings(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Finding]:
    """A blocker for each server, volume and snapshot of a volume; one for all images, and one for all backups."""
    if not goals.decommission or snapshot.source.project is None:
        return
    inventory, source = desired.inventory, snapshot.source
    for kind, known, found in (("server", by_id(inventory.servers), source.servers), ("volume", by_id(inventory.volumes), source.volumes)):
        for item in found:
            if item.id not in known:
                yield late(desired.address(kind, item.id), kind, item.id, item.name)
    covered = {one.id for one in inventory.snapshots}
    for one in source.volume_snapshots:
        if one.id not in covered and one.volume_id not in desired.excluded:
            yield _late_snapshot(desired, one.id, one.name, one.volume_id)
    if not desired.excluded:  # else the project stays
        yield from _without_a_project(desired, snapshot)


def _without_a_project(desired: Desired, snapshot: Snapshot) -> Iterator[Finding]:
    """Keystone asks nobody before it deletes a project: what it owned elsewhere is still there, and an administrator's alone to reach."""
    images, backups = snapshot.source.images, snapshot.source.volume_backups
    if images:
        names = few(one.name or one.id for one in images)
        yield Finding(
            "images_left", Severity.BLOCKER, desired.address("image", ""),
            f"{told_of(len(images), 'image', 'of the source belongs', 'of the source belong')} to the project that is to be deleted: "
            f"{names}",
            "images are not migrated; without their project they stay in Glance, and only an administrator may change them",
            to_do(
                "copy those that must live on to the target and delete them on the source, or give them to a project that stays",
                "openstack image set --project PROJECT IMAGE",
            ),
        )  # fmt: skip
    if backups:
        names = few(one.name or one.id for one in backups)
        yield Finding(
            "backups_left", Severity.BLOCKER, desired.address("backup", ""),
            f"{told_of(len(backups), 'backup', 'of a volume belongs', 'of volumes belong')} to the project that is to be deleted: {names}",
            "backups are not migrated, and Cinder gives none to another project: without theirs only an administrator reaches them",
            to_do("restore what must live on and copy it out, then delete them", "openstack volume backup delete BACKUP"),
        )  # fmt: skip


def _late_snapshot(desired: Desired, id: str, name: str, volume_id: str) -> Finding:
    return Finding(
        "late_volume_snapshot",
        Severity.BLOCKER,
        desired.address("snapshot", id),
        f"volume {desired.names.get(volume_id, volume_id)} of the source has a snapshot that is not in the inventory: {name or id} ({id})",
        "snapshots are not migrated, and only what was in the inventory when it was approved may be deleted",
        to_do(
            "delete it by hand; or take it into the inventory, have the diff merged, and approve the new digest",
            f"millpond discover {desired.tenant}",
        ),
    )
