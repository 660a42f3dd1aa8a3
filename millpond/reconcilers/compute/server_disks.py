"""What becomes of a handed-over server's disks when the tenant deletes it: what the tenant wanted, once no way back needs them."""

from __future__ import annotations

from millpond.model.change import FieldChange
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.storage.replication import handed_over_by
from millpond.reconcilers.twins import twin
from millpond.reconcilers.usage import servers_of_volumes


def carry_delete_on_termination(ladder: Ladder, desired: Desired, snapshot: Snapshot, goals: Goals, server: Server, target: Server) -> None:
    """The tenant's own value, set just before the replica goes: earlier, a rollback's server delete would destroy the disk."""
    attached = {volume.volume_id: volume for volume in target.volumes}
    for volume in server.volumes:
        double = twin(snapshot, "volumes", volume.volume_id)
        if volume.delete_on_termination and double and double.id in attached and not attached[double.id].delete_on_termination:
            ladder.change(
                f"delete_on_termination:{double.id}",
                "the disk went with its server on the source",
                fields=(FieldChange("delete_on_termination", False, True),),
                server_id=target.id,
                volume_id=double.id,
                **handed_over_by(desired, snapshot, goals, servers_of_volumes(desired).get(volume.volume_id, ())),
            )
