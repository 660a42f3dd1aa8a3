"""Reads both arrays of every pool pair: few requests for any number of volumes, as many at once as the arrays allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from millpond.errors import Refused
from millpond.model.array import ArrayVolume, Replica
from millpond.model.snapshot import Facts
from millpond.providers.ports import Providers
from millpond.providers.together import Read, Reads, together
from millpond.reconcilers.base import Scope
from millpond.reconcilers.mappings import wwpn

T = TypeVar("T")


def read(providers: Providers, scope: Scope) -> dict[str, object]:
    """All collections of `StorageState`. Volumes: those that Cinder made for the tenant, and the ends of their replicas."""
    pairs = providers.site.pool_pairs
    sources = sorted({pair.source.array for pair in pairs})
    targets = sorted({pair.target.array for pair in pairs})
    local_names = [volume.backend_name for volume in scope.seen.source.volumes]
    remote_names = [volume.backend_name for volume in scope.seen.target.volumes]
    arrays = [providers.array(name) for name in sorted({*sources, *targets})]
    with Reads() as reads:
        facts = [reads.begin(array.facts) for array in arrays]
        pools = [] if scope.again else [reads.begin(array.pools) for array in arrays]
        groups = [reads.begin(array.groups) for array in arrays]
        asked = {array.name: reads.begin(array.replicas) for array in arrays}
        local = [reads.begin(providers.array(name).volumes, local_names) for name in sources]
        here = _all(local)
        replicas = {name: read.result() for name, read in asked.items()}
        ends = _remote_ends(here, (replica for name in sources for replica in replicas[name]))
        there = _all([reads.begin(providers.array(name).volumes, remote_names, ends) for name in targets])
        return {
            "arrays": tuple(read.result() for read in facts),
            "volumes": (*here, *there),
            "replicas": tuple(replica for name in (*sources, *targets) for replica in replicas[name]),
            "groups": _all(groups),
            "initiators": _initiators(providers, scope, here),
            **({} if scope.again else {"pools": _all(pools)}),
        }


def _initiators(providers: Providers, scope: Scope, volumes: Iterable[ArrayVolume]) -> Mapping[tuple[str, str], frozenset[str]] | None:
    """Asked for where they decide whose a mapping is. An account that only reads may not see them."""
    if not any(wwpn(host) for volume in volumes for host in volume.mapped_to):
        return None
    try:
        return providers.source.block_storage.initiators(scope.source_project)
    except Refused:
        return None


class Replicas:
    """The replicas alone: all that moves while a group syncs and its roles change."""

    KIND = "replica"
    READS_AFTER: tuple[str, ...] = ()

    def observe(self, providers: Providers, scope: Scope) -> Facts:
        pairs = providers.site.pool_pairs
        names = (*sorted({pair.source.array for pair in pairs}), *sorted({pair.target.array for pair in pairs}))
        found = together([providers.array(name).replicas for name in names])
        return Facts(storage={"replicas": tuple(replica for replicas in found for replica in replicas)})


REPLICAS = Replicas()


def _all(begun: Iterable[Read[tuple[T, ...]]]) -> tuple[T, ...]:
    return tuple(item for read in begun for item in read.result())


def _remote_ends(volumes: Iterable[ArrayVolume], replicas: Iterable[Replica]) -> list[int]:
    ids = {(volume.array, volume.id) for volume in volumes}
    return sorted({pair.remote_id for replica in replicas for pair in replica.pairs if (replica.array, pair.local_id) in ids})
