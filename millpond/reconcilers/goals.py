"""The table: which rung each resource kind must be on, by the stage of its wave. Orderings stand in planning/ordering.py."""

from __future__ import annotations

from collections.abc import Mapping

from millpond.model.plan import Stage

R, C, V, B, D, K, X = (
    Stage.REPLICATE,
    Stage.CUT,
    Stage.HANDED_OVER,
    Stage.RETURN,
    Stage.DISCARD,
    Stage.CARRY_BACK,
    Stage.DECOMMISSION,
)

GOALS: Mapping[str, Mapping[Stage, str]] = {
    "source_server": {R: "as_found", C: "verified", V: "verified", B: "as_found", D: "as_found", K: "as_found", X: "absent"},
    "source_volume": {R: "as_found", C: "verified", V: "verified", B: "as_found", D: "as_found", K: "as_found", X: "absent"},
    "replication_group": {R: "in_sync", C: "promoted", V: "promoted", B: "in_sync", D: "in_sync", K: "carried_back", X: "absent"},
    "volume": {R: "reserved", C: "released", V: "tenants", B: "reserved", D: "reserved", K: "reserved", X: "tenants"},
    "port": {R: "unbound", C: "bound", V: "tenants", B: "unbound", D: "unbound", K: "unbound", X: "tenants"},
    "server": {R: "absent", C: "running", V: "tenants", B: "absent", D: "absent", K: "absent", X: "tenants"},
}
"""`unbound` means absent on an OVN target; `reserved` and `released` mean absent and managed where adoption is `manage`."""


def goal(kind: str, stage: Stage) -> str:
    """The rung that `kind` must be on; empty for a held wave: nothing is done to it."""
    return GOALS[kind].get(stage, "")
