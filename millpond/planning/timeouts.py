"""What takes longer than the site allows: a run does not wait for it any more, and says which server it is.

Nothing is forced. Nova itself powers a guest off that does not react (`shutdown_timeout`, 60 s, or the image's `os_shutdown_timeout`), so a
stop that takes longer is stuck in the compute service; a build that has not ended may still come up. Only a person can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from millpond.model.address import Side
from millpond.model.change import AnyStep, Waiting
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import GATE
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers import boot
from millpond.reconcilers.compute import boots_first, server_back_gate
from millpond.reconcilers.storage.reservation import ACTION
from millpond.reconcilers.twins import by_id, twin

GUEST_RUNS = "its guest runs on its host although it is SHUTOFF"
END_THE_GUEST = (
    "look at its hypervisor: shut the guest down there, or start and stop the server by Nova; mend nova-compute where it is down"
)
OPENED_BY = {boots_first.ACTION: ("#stop", "#arrive"), server_back_gate.ACTION: ("#stop", "#start")}
"""Gate of a way back → what it waits for."""
SERVERS = {"source_server": Side.SOURCE, "server": Side.TARGET}
POWER = ("stop", "settle", "start", "power")
"""What any other task of Nova keeps from being done."""
BUSY = "its task {0} does not end"
Waited = Mapping[str, float]
"""Step id → seconds for which a run has seen it under way, for clouds whose clock differs from ours."""


def overdue(
    desired: Desired, snapshot: Snapshot, steps: tuple[AnyStep, ...], waited: Waited
) -> tuple[tuple[AnyStep, ...], tuple[Finding, ...]]:
    """The steps, those that ran out of time as long waits, and a blocker of its wave for each of these."""
    freed = {server for step in steps if step.id.endswith(f"#{ACTION}") and not _is_long(step) for server in step.servers}
    asked = (step for step in steps if not (step.kind == "server" and step.source_id in freed))  # it boots again then
    late = {step.id: finding for step in asked for finding in _late(desired, snapshot, step, waited)}
    held = (replace(s, long=True) if isinstance(s, Waiting) and (s.id in late or _is_held(s, late)) else s for s in steps)
    return tuple(held), tuple(late.values())


def _is_long(step: AnyStep) -> bool:
    """Then the reservation is not taken back before a person has done something."""
    return isinstance(step, Waiting) and step.long


def _is_held(step: Waiting, late: Mapping[str, Finding]) -> bool:
    """A gate of a wave in which what it waits for ran out of time."""
    endings = OPENED_BY.get(step.action, ()) if step.kind == GATE else ()
    return bool(endings) and any(finding.wave == step.wave for id, finding in late.items() if id.endswith(endings))


def _late(desired: Desired, snapshot: Snapshot, step: AnyStep, waited: Waited) -> Iterator[Finding]:
    if not isinstance(step, Waiting) or step.long or step.kind not in SERVERS:
        return
    here = by_id(snapshot.source.servers).get(step.source_id)
    server = here if step.kind == "source_server" else twin(snapshot, "servers", step.source_id)
    declared = boot.declared(here.record) if here else None
    code, doing, since = _under_way(server, declared)
    if not code and server is not None and step.action in POWER and _is_busy(server):
        code, doing, since = "stop_timeout", BUSY.format(server.task_state), _moment(server.updated_at)
    limit = getattr(desired.site.limits, code, 0)
    took = max((snapshot.now - since).total_seconds() if since else 0.0, waited.get(step.id, 0.0))
    if limit and took >= limit:
        yield _finding(desired, step, server, code, doing, f"{took:.0f} s, limits.{code} is {limit} s")


def _under_way(server: Server | None, declared: boot.Boot | None) -> tuple[str, str, datetime | None]:
    """(the limit it falls under, what it is doing, since when)."""
    if server is None:
        sent = declared is not None and declared.run != boot.FAILED
        return ("boot_timeout", "a boot was declared and no server has come of it", declared.at) if declared and sent else ("", "", None)
    if server.task_state == "powering-off":
        return "stop_timeout", "it is being stopped", _moment(server.updated_at)
    if server.task_state == "powering-on":
        return "boot_timeout", "it is being started", _moment(server.updated_at)
    if server.guest_runs and server.idle and (server.record or server.marker):  # before a cut its gate tells it
        return "stop_timeout", GUEST_RUNS, _moment(server.updated_at)
    if server.status == "BUILD" or server.task_state == "spawning":
        return "boot_timeout", "it is being built", _moment(server.created_at)
    if server.status == "ACTIVE" and server.idle and server.marker:
        return "boot_timeout", "it runs, but not all of its ports are ACTIVE", _moment(server.launched_at)
    return "", "", None


def _is_busy(server: Server) -> bool:
    """Before a cut its gate tells it."""
    return not server.idle and bool(server.record or server.marker)


def being_stopped(desired: Desired, snapshot: Snapshot, server: Server) -> bool:
    """Whether Nova is powering it off, and has not taken longer than the site allows."""
    since = _moment(server.updated_at) if server.task_state == "powering-off" else None
    return since is not None and (snapshot.now - since).total_seconds() < desired.site.limits.stop_timeout


def _moment(text: str) -> datetime | None:
    """Nova prints its times in UTC, with or without saying so."""
    found = datetime.fromisoformat(text) if text else None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _finding(desired: Desired, step: Waiting, server: Server | None, code: str, doing: str, numbers: str) -> Finding:
    cloud = desired.manifest.source.cloud if SERVERS[step.kind] is Side.SOURCE else desired.manifest.target.cloud
    which = f"server {server.id} on {cloud}" if server else f"server on {cloud}"
    why = "nothing is forced: what is under way may still end, and then the next apply goes on by itself"
    fix = f"look at {which} in Nova and at its host, and mend it there; or let the wave go back by its flag"
    if doing == GUEST_RUNS:
        why = (
            "Nova stops such a guest when it compares power states, and has not: that may be off, or nova-compute down and what it told old"
        )
        fix = f"{END_THE_GUEST}; the next apply goes on once its power state tells it"
    elif server and doing == BUSY.format(server.task_state):
        why = "nothing is forced: Nova may still end it, and neither stops nor starts the server before"
        fix = to_do(
            f"look at {which} in Nova; wait and apply again, or end it at its host as an administrator: to reset its state ends nothing",
            f"openstack --os-cloud {cloud} server event list {server.id}",
        )
    return Finding(
        code,
        Severity.BLOCKER,
        desired.address("server", step.source_id),
        f"{desired.names.get(step.source_id, step.source_id)}: {doing} ({which}) for {numbers}",
        why,
        fix,
        wave=step.wave,
    )
