"""What a server is booted with and would never have on the target."""

from __future__ import annotations

from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers.base import Goals
from millpond.reconcilers.compute.server_identity import moving_disks
from millpond.reconcilers.twins import by_id, twin


def never_there(desired: Desired, snapshot: Snapshot, goals: Goals, server: Server) -> list[str]:
    """Its disks and ports that the target does not have, and that no plan would make there."""
    ports = by_id(desired.inventory.ports)
    volumes = by_id(desired.inventory.volumes)
    disks = [disk.volume_id for disk in moving_disks(desired, server)]
    lost = [f"volume {id}" for id in disks if not (id in volumes and goals.wave(id)) and twin(snapshot, "volumes", id) is None]
    gone = [id for id in server.port_ids if id not in ports or ports[id].network_id in desired.excluded]
    return lost + [f"port {id}" for id in gone if twin(snapshot, "ports", id) is None]


def incomplete(desired: Desired, goals: Goals, server: Server, lacking: list[str]) -> Finding:
    return Finding(
        "incomplete_boot",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"nothing will stand on the target for what the server is booted with: {', '.join(lacking)}",
        "the inventory does not describe it, or it is in no wave: the boot would wait for it inside the outage, without end",
        to_do(
            "take it into a wave, or exclude the server in the manifest with a reason; where the inventory lacks it, write that anew and "
            "merge the diff",
            f"millpond discover {desired.tenant}",
        ),
        wave=goals.wave(server.id),
    )
