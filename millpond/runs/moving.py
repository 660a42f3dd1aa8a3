"""What a step may move: read again once it was performed, and looked at while it is waited for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from millpond.model.change import AnyStep

Readers = tuple[tuple[str, str], ...]

REPLICAS: Readers = (("replica", ""),)
TARGET_VOLUMES: Readers = (("volume", "target"),)

MOVED_BY: Mapping[str, Readers] = {
    "gate": (("server", ""),),
    "gate#boots": (("server", ""), ("port", "target"), ("volume", "target"), ("server_group", "target"), ("reservation", "target")),
    "source_project": (("projects", ""),),
    "project": (("projects", ""),),
    "source_server": (("server", "source"),),
    "source_volume": (("volume", "source"),),
    "server": (("server", "target"), ("port", "target"), ("volume", "target"), ("server_group", "target"), ("reservation", "target")),
    "volume": (("volume", "target"), ("replication_group", "")),
    **dict.fromkeys(
        ("volume#bootable", "volume#image_metadata", "volume#reserve", "volume#reserve_first", "volume#release", "volume#release_detached"),
        TARGET_VOLUMES,
    ),
    "volume#take_back_reservation": (("server", "target"), ("volume", "target"), ("reservation", "target")),
    "replication_group": (("replication_group", ""),),
    **dict.fromkeys(
        (
            *("replication_group#seed", "replication_group#sync", "replication_group#suspend"),
            *("replication_group#resume", "replication_group#resume_for_sync", "replication_group#take_back"),
            *("replication_group#fence", "replication_group#refence"),
            *("replication_group#promote", "replication_group#demote", "replication_group#restore"),
            *("replication_group#reverse", "replication_group#reverse_seed", "replication_group#reverse_sync"),
            *("replication_group#reverse_suspend", "replication_group#resume_for_reverse_sync"),
        ),
        REPLICAS,
    ),
    "subnet": (("subnet", ""), ("port", "source")),
    "stretch": (("network", "target"), ("stretch", "target")),
    "segment": (("router", ""), ("port", ""), ("floating_ip", "")),
}
"""By kind, or by `kind#verb` where that step moves less: which readers to ask again, and on which side (empty: both). `projects` asks
everything. Kinds that are not listed ask themselves on both sides."""

SIDES = frozenset(("source", "target"))


def moved_by(steps: Iterable[AnyStep]) -> dict[str, frozenset[str]]:
    """Reader → the sides on which it is asked again."""
    wanted: dict[str, frozenset[str]] = {}
    for pattern in {f"{step.kind}#{step.action.partition(':')[0]}" for step in steps}:
        kind = pattern.partition("#")[0]
        for reader, side in MOVED_BY.get(pattern) or MOVED_BY.get(kind) or ((kind, ""),):
            wanted[reader] = wanted.get(reader, frozenset()) | (frozenset((side,)) if side else SIDES)
    return wanted
