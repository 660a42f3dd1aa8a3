"""Why a volume on the target is left as it is until a person has decided, or cannot come to be."""

from __future__ import annotations

from millpond.model.block_storage import Volume
from millpond.model.cut_record import MARKER_KEY
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers.base import Goals
from millpond.reconcilers.storage.replication import local_volume, pool_pair


def doubled(desired: Desired, goals: Goals, volume: Volume, ids: list[str]) -> Finding:
    return Finding(
        "ambiguous_volume",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        f"{len(ids)} volumes on the target carry the marker of this volume: {', '.join(ids)}",
        "Millpond never guesses which one is meant",
        "delete the ones that no replica uses",
        wave=goals.wave(volume.id),
    )


def broken(desired: Desired, goals: Goals, volume: Volume, target: Volume) -> Finding:
    return Finding(
        "volume_error",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        f"the volume on the target ({target.id}) is in {target.status}",
        "it may hold what the target wrote, so Millpond neither deletes nor resets it",
        "repair it in the target's Cinder; the next apply goes on",
        wave=goals.wave(volume.id),
    )


def not_let_go(desired: Desired, goals: Goals, volume: Volume, target: Volume, *, has_no_disk: bool) -> Finding:
    """Cinder takes no os-unmanage in this status (cinder/volume/api.py, delete). The Infinidat driver looks for the disk by the volume's
    name, which one that was never adopted does not have: there it always ends so (cinder/volume/drivers/infinidat.py, unmanage)."""
    left = f"the volume on the target ({target.id}) is in error_unmanaging: Cinder could not let go of it"
    if has_no_disk:
        what, why = left, "it was never adopted and stands for no disk: the disk has another name on the array and is as it was"
        fix = to_do(
            "see in cinder-volume's log why the adoption failed and mend it, then take the marker off what is left; the next apply adopts "
            "the disk by a new volume",
            f"openstack volume unset --property {MARKER_KEY} {target.id}",
        )
    else:
        what, why = left, "its driver failed; the disk is on the array under the volume's name, and Millpond neither deletes nor resets it"
        fix = to_do(
            "see in cinder-volume's log why, then let Cinder take the request again; the next apply goes on",
            f"openstack volume set --state available {target.id}",
        )
    return Finding("unmanage_failed", Severity.BLOCKER, desired.address("volume", volume.id), what, why, fix, wave=goals.wave(volume.id))


def missing_type(desired: Desired, goals: Goals, volume: Volume, kind: str) -> Finding:
    return Finding(
        "missing_volume_type",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        f"the target has no volume type `{kind}`",
        "the volume cannot be created there",
        f"create the type on the target, or {_named_otherwise(desired, volume)}",
        wave=goals.wave(volume.id),
        cause=None if _stated(desired, volume) else desired.address("volume_type", kind),
    )


def _stated(desired: Desired, volume: Volume) -> bool:
    """Whether the manifest names the type of this very volume."""
    values = desired.volume_values.get(volume.id)
    return bool(values and values.volume_type)


def _named_otherwise(desired: Desired, volume: Volume) -> str:
    if _stated(desired, volume):
        return f"name another one at {desired.places.get(volume.id) or desired.manifest.file}"
    return f"map `{volume.volume_type}` to another one under maps.volume_types in millpond.yaml"


def no_host(desired: Desired, snapshot: Snapshot, goals: Goals, volume: Volume, kind: str) -> Finding:
    local = local_volume(desired, snapshot, volume)
    pair = pool_pair(desired, local) if local else None
    return Finding(
        "no_manage_host",
        Severity.BLOCKER,
        desired.address("volume", volume.id),
        "it cannot be told which Cinder backend shall adopt the volume",
        f"no single pool of the target's Cinder belongs to volume type `{kind}`",
        "state `cinder_host: host@backend#pool` at the pool pair in millpond.yaml",
        wave=goals.wave(volume.id),
        cause=desired.address("pool_pair", pair.name) if pair else None,
    )
