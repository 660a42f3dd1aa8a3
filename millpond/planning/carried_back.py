"""A way back that carries the target's writes has begun: what the source held at the cut stands in snapshots alone."""

from __future__ import annotations

from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.storage.replication import groups
from millpond.reconcilers.storage.safety import safety_prefix


def carry_back_begun(desired: Desired, snapshot: Snapshot, wave: DesiredWave, cut: str) -> Finding | None:
    """Discarding would start the source on what was carried back so far."""
    prefix = safety_prefix(cut)
    members = [member for group in groups(desired, snapshot) if group.wave == wave.name for member in group.members]
    kept = [(member, name) for member in members for name in member.local.snapshots if name.startswith(prefix)]
    if not kept:
        return None
    listed = ", ".join(f"{name} of {member.label}" for member, name in kept)
    arrays = " and ".join(sorted({member.local.array for member, _ in kept}))
    return Finding(
        "carry_back_begun",
        Severity.BLOCKER,
        desired.address("wave", wave.name),
        "target_writes is discard, but what the target wrote is being carried back already",
        f"the source no longer holds what it held at cut {cut}: that is in snapshots on {arrays} ({listed})",
        f"state target_writes: carry_back in tenants/{desired.tenant}.yaml and run apply. To have what the source held at the cut: rename "
        f"the snapshots on {arrays} before that, or apply deletes them once the wave is back; when it is, stop its servers on the source, "
        "remove its replicas on both arrays (a volume that replicates cannot be restored), restore each volume from its snapshot and "
        "start the servers; the next apply replicates them again",
        wave=wave.name,
    )
