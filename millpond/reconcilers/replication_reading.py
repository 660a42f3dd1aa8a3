"""Reads both arrays of every pool pair: few requests for any number of volumes."""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.array import ArrayVolume, Replica
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Scope


def read(providers: Providers, scope: Scope) -> dict[str, object]:
    """All collections of `StorageState`. Volumes: those that Cinder made for the tenant, and the ends of their replicas."""
    pairs = providers.site.pool_pairs
    sources = sorted({pair.source.array for pair in pairs})
    targets = sorted({pair.target.array for pair in pairs})
    local_names = [volume.backend_name for volume in scope.seen.source.volumes]
    remote_names = [volume.backend_name for volume in scope.seen.target.volumes]
    volumes: list[ArrayVolume] = []
    replicas: list[Replica] = []
    for name in sources:
        array = providers.array(name)
        volumes += array.volumes(local_names)
        replicas += array.replicas()
    ends = _remote_ends(volumes, replicas)
    for name in targets:
        array = providers.array(name)
        volumes += array.volumes(remote_names, ends)
        replicas += array.replicas()
    arrays = [providers.array(name) for name in sorted({*sources, *targets})]
    return {
        "arrays": tuple(array.facts() for array in arrays),
        "pools": tuple(pool for array in arrays for pool in array.pools()),
        "volumes": tuple(volumes),
        "replicas": tuple(replicas),
        "groups": tuple(group for array in arrays for group in array.groups()),
    }


def _remote_ends(volumes: Iterable[ArrayVolume], replicas: Iterable[Replica]) -> list[int]:
    ids = {(volume.array, volume.id) for volume in volumes}
    return sorted({pair.remote_id for replica in replicas for pair in replica.pairs if (replica.array, pair.local_id) in ids})
