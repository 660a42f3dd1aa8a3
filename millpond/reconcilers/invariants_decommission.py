"""What is read again directly before anything of the source goes for good. Each raises `InvariantBroken`; nothing is sent.

Five: nothing on the source is deleted without an admitted decommissioning, a verified twin, and its replica gone.
"""

from __future__ import annotations

from millpond.model.block_storage import Volume
from millpond.model.change import Change
from millpond.model.counting import counted
from millpond.model.marker import DECOMMISSION_TAG_PREFIX, TENANT_TAG
from millpond.providers.ports import Providers
from millpond.reconcilers.invariants import broken


def decommission_admitted(change: Change, providers: Providers) -> None:
    """Before anything on the source is deleted: soak and approval were judged of this very digest, and the project still says so."""
    project, admission = change.parameters.get("source_project", ""), change.parameters.get("admission", "")
    tagged = [p for p in providers.source.identity.tagged_projects(TENANT_TAG) if p.id == project]
    tags = [tag for p in tagged for tag in p.tags if tag.startswith(DECOMMISSION_TAG_PREFIX)]
    if not tags:
        raise broken(change, "the source project does not carry the tag of an admitted decommissioning")
    if admission not in tags:
        raise broken(change, f"the decommissioning that was admitted ({', '.join(sorted(tags))}) is not the one that was planned")


def project_is_empty(change: Change, providers: Providers) -> None:
    """Before the source project is deleted: Keystone does not refuse it, and what is left would belong to nobody."""
    decommission_admitted(change, providers)
    project, source = change.parameters["source_project"], providers.source
    left = {
        "server": len(source.compute.servers(project)),
        "volume": len(source.block_storage.volumes(project)),
        "port": sum(1 for port in source.network.ports(project) if port.project_id == project),
        "image": len(source.image.images(project)),
        "backup": len(source.block_storage.backups(project)),
    }
    if any(left.values()):
        told = ", ".join(counted(count, noun) for noun, count in left.items() if count)
        raise broken(change, f"the project is not empty yet: {told}")


def server_may_die(change: Change, providers: Providers, server_id: str) -> None:
    """Before a source server is deleted: decommissioning is admitted and the server was handed over, by the cut that was planned with."""
    decommission_admitted(change, providers)
    found = [s for s in providers.source.compute.servers(change.parameters["source_project"]) if s.id == server_id]
    if any(not (s.record and s.record.verified and s.stopped) for s in found):
        raise broken(change, "the server was never handed over, or it is not stopped")
    if any(s.record and s.record.cut != change.parameters["cut"] for s in found):
        raise broken(change, "another cut is recorded on the server than the one that was to be decommissioned")
    stays = change.parameters["stays"]
    if any(disk.delete_on_termination and disk.volume_id in stays for server in found for disk in server.volumes):
        raise broken(change, "an excluded volume, which has no copy, would be deleted with the server")
    dying = [disk.volume_id for server in found for disk in server.volumes if disk.delete_on_termination]
    if more := [id for id in dying if id not in change.parameters["disks"]]:
        raise broken(change, f"volume {', '.join(more)}, which nobody has approved to go, would be deleted with the server")


def volume_may_die(change: Change, providers: Providers, volume_id: str) -> None:
    """Before a source volume is deleted: its twin stands on the target, no replica holds it and nobody has it attached."""
    decommission_admitted(change, providers)
    values = change.parameters
    twins = [v for v in providers.target.block_storage.volumes(values["target_project"]) if stands_for(v, volume_id)]
    found = [v for v in providers.source.block_storage.volumes(values["source_project"]) if v.id == volume_id]
    if not twins and not values["handed_over"]:
        raise broken(change, "no volume on the target stands for it, and it was never handed over")
    if any(v.attachments for v in found):
        raise broken(change, "it is still attached to a server")
    names = [v.backend_name for v in found]
    for array in sorted({pair.source.array for pair in providers.site.pool_pairs}) if names else []:
        if any(local.rmr_source or local.rmr_target for local in providers.array(array).volumes(names)):
            raise broken(change, "it is still replicated: the replica goes first")


def stands_for(twin: Volume, volume_id: str) -> bool:
    """Whether this volume of the target has taken the source volume's place: one that was never released may be empty."""
    return twin.marker == volume_id and twin.status not in ("creating", "maintenance", "error")
