"""The volume on the target. Precreated: made empty by Cinder, dressed, and kept in `maintenance` as the replica's remote end until the cut.
Managed: absent until the replica's remote end is promoted, then adopted."""

from __future__ import annotations

from typing import Any

from millpond.model.array import ArrayVolume
from millpond.model.block_storage import Volume
from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.cut_record import MARKER_KEY
from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.plan import BACK, Stage
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.goals import goal
from millpond.reconcilers.ladder import Ladder, signed
from millpond.reconcilers.storage import handed_over, invariants_storage, reservation
from millpond.reconcilers.storage.manage_host import manage_host
from millpond.reconcilers.storage.replication import RemoteEnd, adoption_of, grouped, local_volume, remote_ends, volume_names
from millpond.reconcilers.storage.volume_refusals import broken, doubled, missing_type, no_host, not_let_go
from millpond.reconcilers.storage.way_back import held, of_volume, other_servers, used_elsewhere
from millpond.reconcilers.twins import ambiguous, twin
from millpond.reconcilers.usage import attached_to, detached_volumes, servers_of_volumes

KIND = "volume"
READS_AFTER: tuple[str, ...] = ("project",)

SOURCE_CLOUD_KEYS = frozenset(
    {
        "block_device_mapping",
        "bdm_v2",
        "mappings",
        "root_device_name",
        "kernel_id",
        "ramdisk_id",
        "instance_uuid",
        "base_image_ref",
        "img_signature",
        "img_signature_hash_method",
        "img_signature_key_type",
        "img_signature_certificate_uuid",
    }
)
"""Image metadata that points into the source cloud: Nova on the target would follow it."""

LETTING_GO = ("unmanaging", "error_unmanaging")


def observe(providers: Providers, scope: Scope) -> Facts:
    source, target = providers.source.block_storage, providers.target.block_storage
    here: dict[str, object] = {}
    there: dict[str, object] = {}
    if scope.source:
        here = {"volumes": source.volumes(scope.source_project), "volume_snapshots": source.snapshots(scope.source_project)}
    if scope.target:
        if not scope.again:
            there = {"volume_types": target.volume_types(), "storage_pools": target.storage_pools()}
        if scope.target_project:
            there["volumes"] = target.volumes(scope.target_project)
    return Facts(source=here, target=there)


def image_metadata(desired: Desired, volume: Volume) -> dict[str, str]:
    """What a boot volume carries on the target: the site's defaults under the volume's own, without what points into the source cloud."""
    if not volume.bootable:
        return {}
    own = {key: value for key, value in volume.image_metadata.items() if key not in SOURCE_CLOUD_KEYS}
    return {**desired.site.image_metadata, **own}


def volume_type(desired: Desired, volume: Volume) -> str:
    values = desired.volume_values.get(volume.id)
    return (values.volume_type if values else "") or desired.site.maps.volume_types.get(volume.volume_type, volume.volume_type)


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    remote = remote_ends(desired, snapshot)
    for volume in desired.inventory.volumes:
        local = local_volume(desired, snapshot, volume)
        wave = goals.wave(volume.id)
        if not wave or volume.encrypted or (local is None and wave not in goals.admitted):
            continue
        ladder = Ladder(
            desired.address(KIND, volume.id),
            wave=wave,
            source_id=volume.id,
            servers=servers_of_volumes(desired).get(volume.id, ()),
        )
        target = twin(snapshot, "volumes", volume.id)
        aim = goal(KIND, goals.stage(volume.id))
        moved = handed_over.of_volume(desired, goals, volume, target, remote.get(volume.id))
        if aim in ("", "tenants") or (moved and all(moved)):
            continue
        if local is None or (aim == "released" and wave in goals.admitted and volume.id not in grouped(desired, snapshot)):
            steps += _in_no_group(ladder, aim, desired, volume)
            continue
        findings += reservation.take_back(ladder, desired, snapshot, goals, volume, target)
        if doubles := ambiguous(snapshot, "volumes", volume.id):
            blockers = [doubled(desired, goals, volume, [double.id for double in doubles])]
        elif aim == "released" and target is not None and target.status.startswith("error_") and target.status not in LETTING_GO:
            blockers = [broken(desired, goals, volume, target)]
        elif _is_managed(desired, snapshot, volume, local, target, remote.get(volume.id)):
            blockers = _managed(ladder, aim, desired, snapshot, goals, volume, target, remote.get(volume.id))
        else:
            writable = volume.id in remote and remote[volume.id].writable
            blockers = _precreated(ladder, aim, desired, snapshot, goals, volume, target, moved=any(moved), writable=writable)
        if aim == "reserved" and (others := other_servers(desired, snapshot, volume, target)):
            blockers = [*blockers, used_elsewhere(desired, snapshot, goals, volume, others)]
            steps += of_volume(desired, snapshot, goals, volume)
            ladder.steps = held(ladder.steps)
        if blockers and aim == "released":
            ladder.wait("blocked", "held by the blocker of this volume", long=True)
        findings += blockers
        steps += signed(ladder.steps, goals.run, snapshot) if goals.stage(volume.id) in BACK else ladder.steps
    return KindPlan(tuple(steps), tuple(findings))


def _in_no_group(ladder: Ladder, aim: str, desired: Desired, volume: Volume) -> list[AnyStep]:
    """In the middle of a cut it is in no replication group, which preflight tells: no server of it is booted, and nobody is let at it."""
    if aim == "released" and volume.id in attached_to(desired):
        ladder.wait("blocked", "held by the blocker of this volume: nothing replicates it", long=True)
    return ladder.steps


def _is_managed(
    desired: Desired, snapshot: Snapshot, volume: Volume, local: ArrayVolume, target: Volume | None, remote: RemoteEnd | None
) -> bool:
    """Where the volume on the target is gone, its remote end is adopted, whatever the manifest says: a new volume would be empty."""
    if target is None or target.status in LETTING_GO or (target.status in ("creating", "error") and _has_no_disk(snapshot, target, remote)):
        return remote is not None or target is not None or adoption_of(desired, snapshot, volume, local) == "manage"
    return adoption_of(desired, snapshot, volume, local) == "manage"


def _precreated(
    ladder: Ladder,
    aim: str,
    desired: Desired,
    snapshot: Snapshot,
    goals: Goals,
    volume: Volume,
    target: Volume | None,
    *,
    moved: bool,
    writable: bool,
) -> list[Finding]:
    """`moved`: a server of it was handed over. `writable`: its side of the replica is. Else an `available` one was not reserved yet."""
    kind = volume_type(desired, volume)
    if target is None:
        if not any(known.name == kind for known in snapshot.target.volume_types):
            return [missing_type(desired, goals, volume, kind)]
        _create(ladder, desired, snapshot, volume, kind)
        target_id = UNKNOWN
    elif target.status == "error" and goals.stage(volume.id) is not Stage.REPLICATE:
        return [broken(desired, goals, volume, target)]
    elif target.status == "error":
        ladder.change(
            "delete_failed",
            "Cinder could not create it; it was never paired",
            effect=Effect.DELETE,
            volume_id=target.id,
            **_project(snapshot),
        )
        _create(ladder, desired, snapshot, volume, kind)
        target, target_id = None, UNKNOWN
    elif target.status == "creating":
        ladder.wait("create", "Cinder is creating it")
        target_id = target.id
    else:
        target_id = target.id
    _dress(ladder, desired, snapshot, volume, target, target_id)
    if aim == "reserved":
        _reserve(ladder, snapshot, target, target_id, first=_goes_first(goals, volume, target, writable=writable))
    elif (
        target is None
        or target.status in ("creating", "error", "maintenance")
        or _unready(desired, volume, target, released=moved or writable)
    ):
        if target is None or target.status != "maintenance":
            _reserve(ladder, snapshot, None, target_id)
        _release(ladder, desired, goals, snapshot, volume, target_id)
    return []


def _project(snapshot: Snapshot) -> dict[str, Any]:
    return {"project_id": snapshot.target.project.id if snapshot.target.project else UNKNOWN}


def _create(ladder: Ladder, desired: Desired, snapshot: Snapshot, volume: Volume, kind: str) -> None:
    body: dict[str, object] = {
        "name": volume.name,
        "description": volume.description,
        "size": volume.size,
        "volume_type": kind,
        "metadata": {**volume.metadata, MARKER_KEY: volume.id},
    }
    zone = desired.site.maps.availability_zones.get(volume.availability_zone, "")
    if zone:
        body["availability_zone"] = zone
    ladder.change(
        "create",
        "it becomes the remote end of the replica",
        effect=Effect.CREATE,
        destination="available",
        fields=tuple(FieldChange(key, None, value) for key, value in sorted(body.items()) if value not in ("", None)),
        body=body,
        **_project(snapshot),
    )


def _unready(desired: Desired, volume: Volume, target: Volume, *, released: bool) -> bool:
    dressed = target.bootable == volume.bootable and not _missing_metadata(desired, volume, target)
    return target.status == "available" and not (released and dressed)


def _missing_metadata(desired: Desired, volume: Volume, target: Volume) -> dict[str, str]:
    want = image_metadata(desired, volume)
    return {key: value for key, value in want.items() if target.image_metadata.get(key) != value}


def _dress(
    ladder: Ladder, desired: Desired, snapshot: Snapshot, volume: Volume, target: Volume | None, target_id: str, *, inside: bool = False
) -> None:
    """Bootable flag and image metadata: only while `available`, Cinder refuses both in `maintenance`.

    `inside` the cut, the actions end with `_inside`: nobody waits for them before the wave is admitted.
    """
    if target is not None and target.status not in ("available", "creating"):
        return
    suffix = f"_inside{_apart(desired, volume)}" if inside else ""
    if volume.bootable and not (target and target.bootable) and not (inside and target is None):
        ladder.change(
            f"bootable{suffix}",
            "the tenant boots from it",
            fields=(FieldChange("bootable", False, True),),
            outage=inside,
            volume_id=target_id,
            **_project(snapshot),
        )
    missing = _missing_metadata(desired, volume, target) if target else image_metadata(desired, volume)
    if missing:
        ladder.change(
            f"image_metadata{suffix}",
            "Nova takes the guest's hardware from the boot volume's image metadata",
            fields=tuple(
                FieldChange(f"image_metadata.{key}", target.image_metadata.get(key) if target else None, value)
                for key, value in sorted(missing.items())
            ),
            outage=inside,
            volume_id=target_id,
            metadata=missing,
            **_project(snapshot),
        )


def _goes_first(goals: Goals, volume: Volume, target: Volume | None, *, writable: bool) -> bool:
    """A volume that no server holds could be attached and written after its last writes were timed: it is taken out of use before."""
    free = target is not None and target.status == "available" and not target.attachments
    return free and writable and goals.stage(volume.id) is Stage.CARRY_BACK


def _reserve(ladder: Ladder, snapshot: Snapshot, target: Volume | None, target_id: str, *, first: bool = False) -> None:
    if target is not None and target.status == "maintenance":
        return
    if target is not None and _has_server(ladder, target):
        ladder.wait("release_by_server", "its server is being removed")
    ladder.change(
        "reserve_first" if first else "reserve",
        "nobody shall write to it any more" if first else "nobody shall use it before the cutover",
        fields=(FieldChange("status", "available", "maintenance"),),
        destination="reserved",
        volume_id=target_id,
        **_project(snapshot),
    )


def _has_server(ladder: Ladder, target: Volume) -> bool:
    """Not where a boot that came to nothing reserved it: no server is removed then."""
    return target.status in ("in-use", "detaching", "reserved", "attaching") and not reservation.is_taken_back(ladder)


def _apart(desired: Desired, volume: Volume) -> str:
    """What the actions end with that let people at a volume which no boot waits for: anybody may write to it at once, so they come after
    the boots of its wave are declared, and no way back forgets that."""
    return "_detached" if volume.id in detached_volumes(desired) else ""


def _release(ladder: Ladder, desired: Desired, goals: Goals, snapshot: Snapshot, volume: Volume, target_id: str) -> None:
    ladder.change(
        f"release{_apart(desired, volume)}",
        f"cutover: true for wave {goals.wave(volume.id)}",
        fields=(FieldChange("status", "maintenance", "available"),),
        destination="released",
        outage=True,
        volume_id=target_id,
        **_project(snapshot),
    )


def _has_no_disk(snapshot: Snapshot, target: Volume, remote: RemoteEnd | None) -> bool:
    """As long as the remote end does not have the volume's name, it is not the volume's: nothing was ever written through it.

    Cinder shows a volume that it adopts as one that it creates: `managing` as `creating`, `error_managing` as `error`
    (cinder/api/v3/views/volumes.py, _get_volume_status).
    """
    name = volume_names(snapshot.storage.volumes).get((remote.array, remote.id), "") if remote else ""
    return name not in ("", target.backend_name)


def _managed(
    ladder: Ladder,
    aim: str,
    desired: Desired,
    snapshot: Snapshot,
    goals: Goals,
    volume: Volume,
    target: Volume | None,
    remote: RemoteEnd | None,
) -> list[Finding]:
    if target is not None and target.status == "error" and _has_no_disk(snapshot, target, remote):
        ladder.change(
            "unmanage_failed", "Cinder could not adopt it; the disk stays on the array", volume_id=target.id, **_project(snapshot)
        )
        target = None
    if target is not None and target.status == "error_unmanaging":
        return [not_let_go(desired, goals, volume, target, has_no_disk=_has_no_disk(snapshot, target, remote))]
    if target is not None and target.status == "error" and aim == "released":
        return [broken(desired, goals, volume, target)]
    if aim == "released":
        return _manage(ladder, desired, snapshot, goals, volume, target, remote)
    if target is None:
        return []
    if _has_server(ladder, target):
        ladder.wait("release_by_server", "its server is being removed")
    if target.status in ("creating", "unmanaging"):
        ladder.wait("unmanage", f"Cinder is busy with it ({target.status})")
    else:
        ladder.change(
            "unmanage_first" if _goes_first(goals, volume, target, writable=bool(remote and remote.writable)) else "unmanage",
            f"wave {goals.wave(volume.id)} goes back: the disk stays on the array as the replica's remote end",
            effect=Effect.DELETE,
            destination="absent",
            volume_id=target.id,
            **_project(snapshot),
        )
    return []


def _manage(
    ladder: Ladder,
    desired: Desired,
    snapshot: Snapshot,
    goals: Goals,
    volume: Volume,
    target: Volume | None,
    remote: RemoteEnd | None,
) -> list[Finding]:
    kind = volume_type(desired, volume)
    host = manage_host(desired, snapshot, volume, kind)
    if not host:
        return [no_host(desired, snapshot, goals, volume, kind)]
    if target is None:
        body: dict[str, object] = {
            "host": host,
            "ref": {"source-id": str(remote.id) if remote else UNKNOWN},
            "name": volume.name,
            "description": volume.description,
            "volume_type": kind,
            "bootable": volume.bootable,
            "metadata": {**volume.metadata, MARKER_KEY: volume.id},
        }
        zone = desired.site.maps.availability_zones.get(volume.availability_zone, "")
        if zone:
            body["availability_zone"] = zone
        ladder.change(
            f"manage{_apart(desired, volume)}",
            f"cutover: true for wave {goals.wave(volume.id)}",
            effect=Effect.CREATE,
            destination="released",
            fields=tuple(FieldChange(key, None, value) for key, value in sorted(body.items()) if value not in ("", None)),
            outage=True,
            body=body,
            **_project(snapshot),
        )
    elif target.status == "creating":
        ladder.wait(f"manage{_apart(desired, volume)}", "Cinder is adopting it")
    _dress(ladder, desired, snapshot, volume, target, target.id if target else UNKNOWN, inside=True)
    return []


def perform(change: Change, providers: Providers) -> None:
    storage = providers.target.block_storage
    values = change.parameters
    project = values["project_id"]
    action = change.action.removesuffix("_detached").removesuffix("_inside")
    match action:
        case "create":
            storage.create_volume(project, values["body"])
        case "manage":
            storage.manage_volume(project, values["body"])
        case "bootable":
            storage.volume_action(project, values["volume_id"], "os-set_bootable", {"bootable": True})
        case "image_metadata":
            storage.volume_action(project, values["volume_id"], "os-set_image_metadata", {"metadata": values["metadata"]})
        case "reserve" | "reserve_first" | "release":
            if action != "release":
                invariants_storage.cut_still_stands(change, providers)
            status = "available" if action == "release" else "maintenance"
            storage.volume_action(project, values["volume_id"], "os-reset_status", {"status": status})
        case "unmanage" | "unmanage_first" | "unmanage_failed":
            invariants_storage.cut_still_stands(change, providers)
            invariants_storage.volume_is_ours(change, providers)
            storage.volume_action(project, values["volume_id"], "os-unmanage", {})
        case reservation.ACTION:
            reservation.perform(change, providers)
        case "delete_failed":
            invariants_storage.volume_is_ours(change, providers)
            storage.delete_volume(project, values["volume_id"])
        case other:
            raise AssertionError(other)
