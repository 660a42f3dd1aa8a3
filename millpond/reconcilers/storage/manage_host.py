"""Where the target's Cinder is asked to adopt a volume."""

from __future__ import annotations

from millpond.model.block_storage import Volume, VolumeType
from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.storage.replication import local_volume, pool_pair


def manage_host(desired: Desired, snapshot: Snapshot, volume: Volume, kind: str) -> str:
    """`host@backend#pool` for a manage request: the pool pair's own, or the one pool whose backend the volume type names."""
    local = local_volume(desired, snapshot, volume)
    pair = pool_pair(desired, local) if local else None
    if pair is not None and pair.cinder_host:
        return pair.cinder_host
    backend = _backend(snapshot.target.volume_types, kind)
    fitting = [pool for pool in snapshot.target.storage_pools if backend and pool.backend == backend]
    return fitting[0].name if len(fitting) == 1 else ""


def _backend(types: tuple[VolumeType, ...], name: str) -> str:
    found = next((known for known in types if known.name == name), None)
    return found.extra_specs.get("volume_backend_name", "") if found else ""
