"""What no wave asks for any more: objects that were made for a server or volume which the manifest excludes or the inventory dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from millpond.model.address import Address
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals

NO_WAVE = "-"
"""The wave of a blocker that holds none."""


def findings(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Finding]:
    """Nothing is done to them: what leaves the documents is detached, never deleted."""
    if goals.decommission or snapshot.source.project is None:
        return
    for server in snapshot.source.servers:
        if server.record and server.record.cut and not server.record.verified and not goals.wave(server.id):
            yield _in_outage(desired, server)
    tenants = goals.verified | {v.volume_id for s in desired.inventory.servers if s.id in goals.verified for v in s.volumes}
    for kind, items in (("server", snapshot.target.servers), ("volume", snapshot.target.volumes)):
        for item in items:
            if item.marker and not goals.wave(item.marker) and item.marker not in tenants:
                yield _orphan(desired, kind, item)


def _orphan(desired: Desired, kind: str, item: Any) -> Finding:
    return Finding(
        f"orphan_{kind}",
        Severity.WARNING,
        Address(desired.tenant, kind, desired.names.get(item.marker, item.marker)),
        f"the target has a {kind} made for it ({item.id}), but it is in no wave any more",
        "what leaves the documents is detached: nothing is deleted",
        f"take it back into the manifest, or delete the {kind} on the target (and its replica on the arrays) by hand",
    )


def _in_outage(desired: Desired, server: Server) -> Finding:
    return Finding(
        "orphan_in_outage",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"OUTAGE: {server.name or server.id} was left in the middle of cut {server.record.cut if server.record else ''}",
        "the manifest excluded it before the cut was complete",
        "take it back into the manifest and run apply: it goes on, or goes back, as its wave's flag says",
        wave=NO_WAVE,
    )
