"""How long a cutover will stop each server: typical seconds per rung along the longest chain of the plan."""

from __future__ import annotations

from collections.abc import Mapping

from millpond.model.change import AnyStep
from millpond.model.plan import OutageEstimate

TYPICAL: Mapping[str, float] = {
    "source_server#stop": 15.0,
    "source_server#time": 1.0,
    "source_server#boot": 0.5,
    "source_server#verify": 1.0,
    "source_server#start": 10.0,
    "replication_group#sync": 10.0,
    "replication_group#reverse_sync": 10.0,
    "replication_group#suspend": 1.0,
    "replication_group#fence": 1.5,
    "replication_group#promote": 1.5,
    "replication_group#demote": 1.5,
    "replication_group#restore": 1.5,
    "volume#release": 0.5,
    "volume#release_detached": 0.5,
    "volume#manage": 5.0,
    "volume#manage_detached": 5.0,
    "volume#image_metadata": 0.5,
    "port#create": 1.5,
    "port#create_inside": 1.5,
    "server#create": 20.0,
    "server#stop": 15.0,
    "server#delete_first": 5.0,
}
"""Seconds, from published experience: a guest's shutdown, the last sync, a boot from volume up to ACTIVE. What is not listed: 0.5."""


def estimate(steps: tuple[AnyStep, ...]) -> OutageEstimate:
    """Per server that is stopped: the seconds from its stop to its last step inside the outage; the chain of the longest.

    Of a server that a way back has stopped already: the seconds that are left.
    """
    by_id = {step.id: step for step in steps}
    finish: dict[str, tuple[float, str]] = {}
    seconds: dict[str, float] = {}
    chains: dict[str, tuple[str, ...]] = {}
    stopped = {id for step in steps if step.kind in ("source_server", "server") and step.action == "stop" for id in step.servers}
    for step in steps:
        back = step.action == "start"  # one that is not stopped first is down already
        if step.kind != "source_server" or not (back or (step.action == "verify" and stopped & set(step.servers))):
            continue
        address = f"{step.address.tenant}/server/{step.address.name}"
        total, _ = _finish(step.id, by_id, finish, frozenset())
        seconds[address] = total
        chains[address] = _chain(step.id, finish)
    longest = max(seconds, key=lambda key: seconds[key], default="")
    return OutageEstimate(tuple(sorted(seconds.items())), chains.get(longest, ()))


def _finish(id: str, by_id: Mapping[str, AnyStep], known: dict[str, tuple[float, str]], path: frozenset[str]) -> tuple[float, str]:
    """(seconds from the first stop to the end of this step, the step before it on the longest chain)."""
    if id in known:
        return known[id]
    step = by_id[id]
    best, before = 0.0, ""
    if step.action != "stop" or step.kind not in ("source_server", "server"):
        for earlier in step.after:
            if earlier in by_id and earlier not in path and _inside(by_id[earlier]):
                total, _ = _finish(earlier, by_id, known, path | {id})
                if total > best:
                    best, before = total, earlier
    known[id] = (best + typical(step), before)
    return known[id]


def typical(step: AnyStep) -> float:
    """Seconds that a step of this kind takes, its waiting included."""
    return TYPICAL.get(f"{step.kind}#{step.action.partition(':')[0]}", 0.5)


def _inside(step: AnyStep) -> bool:
    return bool(getattr(step, "outage", False)) or step.action in ("sync", "reverse_sync", "create", "stop")


def _chain(id: str, known: Mapping[str, tuple[float, str]]) -> tuple[str, ...]:
    chain = []
    while id:
        chain.append(id)
        id = known[id][1]
    return tuple(reversed(chain))
