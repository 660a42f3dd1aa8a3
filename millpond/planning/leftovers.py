"""What is found in a source that is to be deleted and stands in no inventory: nothing goes before somebody has looked at it.

What Neutron holds is found by the kinds that would delete it.
"""

from __future__ import annotations

from collections.abc import Iterator

from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.network.neutron import late
from millpond.reconcilers.twins import by_id


def findings(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Finding]:
    """A blocker for each server, volume and snapshot of a volume."""
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


def _late_snapshot(desired: Desired, id: str, name: str, volume_id: str) -> Finding:
    return Finding(
        "late_volume_snapshot",
        Severity.BLOCKER,
        desired.address("snapshot", id),
        f"volume {desired.names.get(volume_id, volume_id)} of the source has a snapshot that is not in the inventory: {name or id} ({id})",
        "snapshots are not migrated, and only what was in the inventory when it was approved may be deleted",
        f"delete it by hand; or run `millpond discover {desired.tenant}`, have its diff merged, and approve the new digest",
    )
