"""Admission: judged once, for a whole wave, before its cut record is written. After it only invariants hold a wave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from millpond.model.change import Waiting
from millpond.model.compute import Server
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.manifest import Window
from millpond.model.plan import GATE, OutageEstimate, Stage
from millpond.model.snapshot import Snapshot
from millpond.planning.brakes import Admitted, exceeded, held_by, too_many_deleted
from millpond.planning.stages import decommission_admitted, soaked
from millpond.planning.timeouts import END_THE_GUEST, GUEST_RUNS
from millpond.reconcilers.base import Goals

EARLY = timedelta(minutes=15)
"""An apply that runs so long before a wave's `cutover_at` waits for it."""
LATE = timedelta(hours=1)
"""A wave that missed its `cutover_at` by more is not cut over any more: nobody expects it then."""


@dataclass(frozen=True)
class Admission:
    """What an apply knows beside documents and snapshot: what it `admitted` already, over all tenants; when its saved plan `expires`;
    what became of hooks."""

    admitted: Admitted = field(default_factory=dict)
    expires: datetime | None = None
    hooks: tuple[Finding, ...] = ()


def gate(desired: Desired, name: str, reason: str, *, long: bool = False, seconds: float = 0.0) -> Waiting:
    """The one step that everything of a cut comes after. It is left out of the plan once nothing holds it."""
    return Waiting(desired.address(GATE, name), "admission", reason, wave=name, long=long, seconds=seconds)


def wave_gates(
    desired: Desired,
    snapshot: Snapshot,
    goals: Goals,
    found: tuple[Finding, ...],
    estimate: OutageEstimate,
    admission: Admission,
    only: str = "",
) -> Iterator[tuple[str, Finding | None, Waiting]]:
    """For every wave that is to be cut and has no record yet: (wave, what a person must change if it is that, what it waits for).

    The first of a wave is for what the cut comes after anyhow; each further one holds it. `only`: the one wave that may be admitted.
    """
    former = ""
    for wave in desired.waves:
        stage = goals.stages[wave.name]
        if only and wave.name != only and wave.name not in goals.admitted:
            if stage is Stage.CUT:
                yield from [(wave.name, None, gate(desired, wave.name, f"only wave {only} is asked for", long=True))] * 2
            continue
        if stage is Stage.CUT and wave.name not in goals.admitted:
            yield from _held(desired, snapshot, goals, wave, found, estimate, admission)
            if former:
                yield wave.name, None, gate(desired, wave.name, f"wave {former} has to be handed over first", long=True)
        if stage is Stage.CUT:
            former = wave.name


def _held(
    desired: Desired,
    snapshot: Snapshot,
    goals: Goals,
    wave: DesiredWave,
    found: tuple[Finding, ...],
    estimate: OutageEstimate,
    admission: Admission,
) -> Iterator[tuple[str, Finding | None, Waiting]]:
    name = wave.name
    yield name, None, gate(desired, name, "a wave is admitted once all of it is prepared and in sync")
    if any(f.severity is Severity.BLOCKER and f.wave in ("", name) for f in found):
        yield name, None, gate(desired, name, "held by blockers", long=True)
    if wave.window is not None:
        yield from _window(desired, wave, wave.window, snapshot)
    if wave.cutover_at is not None:
        yield from _at(desired, wave, wave.cutover_at, snapshot)
    for server in snapshot.source.servers:
        if server.id in wave.servers and server.task_state:
            yield name, None, gate(desired, name, f"{server.name} is busy ({server.task_state})")
        elif server.id in wave.servers and server.guest_runs:
            runs = _guest_runs(desired, name, server)
            yield name, runs, gate(desired, name, runs.what, long=True)
    still = _moved_recently(desired, snapshot, wave)
    if still > timedelta(0):
        reason = f"{still.seconds} s until its MAC addresses may move again: fabrics freeze an address that moves too often"
        yield name, None, gate(desired, name, reason, seconds=still.total_seconds())
    for finding in (
        *_of_the_run(desired, name, snapshot, admission),
        *exceeded(desired, snapshot, goals, wave, estimate, admission.admitted),
    ):
        yield name, finding, gate(desired, name, finding.what, long=True)


def too_long_for_their_windows(desired: Desired, snapshot: Snapshot, goals: Goals, estimate: OutageEstimate) -> Iterator[Finding]:
    """Waves that would be admitted in time, and by the estimate end after their window has closed: that holds nothing."""
    seconds = dict(estimate.servers)
    for wave in desired.waves:
        if wave.window is None or goals.stages[wave.name] is not Stage.CUT or wave.name in goals.admitted:
            continue
        begins = max(at for at in (snapshot.now, wave.window.opens, wave.cutover_at) if at is not None)
        takes = max((seconds.get(str(desired.address("server", id)), 0.0) for id in wave.servers), default=0.0)
        over = begins + timedelta(seconds=takes) - wave.window.closes
        if begins < wave.window.closes and over > timedelta(0):
            room = (wave.window.closes - begins).total_seconds()
            yield _too_long(desired, wave.name, wave.window, takes, room)


def _too_long(desired: Desired, wave: str, window: Window, takes: float, room: float) -> Finding:
    return Finding(
        "window_too_short",
        Severity.WARNING,
        desired.address(GATE, wave),
        f"the cutover is expected to end after the window closes: its outage takes about {takes:.0f} s, and {room:.0f} s of the window are "
        f"left (it closes at {window.closes.isoformat()})",
        "the estimate does not keep a wave from being admitted, and one that is admitted is finished, whatever the clock says",
        "commit a longer window, or make the wave smaller",
        wave=wave,
    )


def _guest_runs(desired: Desired, wave: str, server: Server) -> Finding:
    """Once the wave is admitted its other servers would be down for as long as nobody ends this guest."""
    return Finding(
        "guest_runs",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"{server.name}: {GUEST_RUNS} (server {server.id} on {desired.manifest.source.cloud}, power state {server.power_state})",
        "it writes to its disks, so its wave is not admitted: the cut would wait for it with the other servers down",
        f"{END_THE_GUEST}; Nova may also stop it by itself within minutes: then the next apply goes on",
        wave=wave,
    )


def _window(desired: Desired, wave: DesiredWave, window: Window, snapshot: Snapshot) -> Iterator[tuple[str, Finding | None, Waiting]]:
    """One that has not opened yet is waited for: a plan that is made and reviewed before it can be applied in it."""
    opens, closes, left = window.opens.isoformat(), window.closes.isoformat(), window.opens - snapshot.now
    if left > timedelta(0):
        reason = f"its maintenance window opens at {opens}: run apply then, before {closes}"
        yield wave.name, None, gate(desired, wave.name, reason, long=True, seconds=left.total_seconds())
    elif snapshot.now >= window.closes:
        what = f"the maintenance window closed at {closes}"
        why = f"it is {snapshot.now.isoformat(timespec='seconds')}; a wave is admitted between {opens} and {closes}"
        closed = held_by(desired, wave.name, "window_closed", what, why, "commit a new window")
        yield wave.name, closed, gate(desired, wave.name, what, long=True)


def _at(desired: Desired, wave: DesiredWave, moment: datetime, snapshot: Snapshot) -> Iterator[tuple[str, Finding | None, Waiting]]:
    left, stated = moment - snapshot.now, moment.isoformat()
    if left > timedelta(0):
        reason = f"its cutover begins at {stated}, in {left.total_seconds():.0f} s"
        yield wave.name, None, gate(desired, wave.name, reason, long=left > EARLY, seconds=left.total_seconds())
    elif -left > LATE:
        minutes = f"{-left.total_seconds() / 60:.0f} minutes ago; a wave is admitted up to {LATE.total_seconds() / 60:.0f} minutes after it"
        missed = held_by(
            desired, wave.name, "cutover_missed", f"its cutover was to begin at {stated}", minutes, "commit a new `cutover_at`"
        )
        yield wave.name, missed, gate(desired, wave.name, missed.what, long=True)


def _of_the_run(desired: Desired, wave: str, snapshot: Snapshot, admission: Admission) -> Iterator[Finding]:
    expires = admission.expires
    yield from (finding for finding in admission.hooks if finding.wave == wave and finding.severity is Severity.BLOCKER)
    if expires is not None and snapshot.now > expires:
        what = f"the saved plan expired at {expires.isoformat(timespec='seconds')}, before this was admitted"
        why = f"it is {snapshot.now.isoformat(timespec='seconds')}; what is under way is finished regardless"
        yield held_by(desired, wave, "plan_expired", what, why, "make the plan again and have it reviewed")


def _moved_recently(desired: Desired, snapshot: Snapshot, wave: DesiredWave) -> timedelta:
    """Time left until the wave's addresses may move again. Nova's `updated` says when a server last changed: a start, among others."""
    quiet = timedelta(seconds=desired.site.limits.mac_move)
    changed = [s.updated_at for s in snapshot.source.servers if s.id in wave.servers and s.updated_at]
    moved = [snapshot.now - datetime.fromisoformat(stamp) for stamp in changed]
    return max((quiet - max(since, timedelta(0)) for since in moved), default=timedelta(0)) if quiet else timedelta(0)


def decommission_gates(
    desired: Desired, snapshot: Snapshot, digest: str, volumes: int = 0, admission: Admission | None = None
) -> Iterator[tuple[Finding | None, Waiting | None]]:
    """A soak that has passed and an approval that is valid and names this digest; judged once, then remembered on the source project.

    `volumes`: how many the plan deletes.
    """
    if decommission_admitted(snapshot, digest):
        return
    wanted = timedelta(seconds=desired.manifest.soak or 0)
    so_far = soaked(desired, snapshot)
    if so_far < wanted:
        left = (wanted - so_far).total_seconds()
        yield None, gate(desired, "decommission", f"the soak ends in {left:.0f} s", long=True, seconds=left)
    valid = [a for a in desired.manifest.approvals if a.action == "decommission" and a.digest == digest and a.expires > snapshot.now]
    if not valid:
        yield _unapproved(desired, snapshot, digest), None
    for finding in _of_the_run(desired, "decommission", snapshot, admission or Admission()):
        yield finding, None
    for finding in too_many_deleted(desired, snapshot, volumes):
        yield finding, None


def _unapproved(desired: Desired, snapshot: Snapshot, digest: str) -> Finding:
    given = [a for a in desired.manifest.approvals if a.action == "decommission"]
    expired = any(a.digest == digest for a in given)
    why = "the approval has expired" if expired else ("the approval names another digest" if given else "there is no approval")
    expires = (snapshot.now + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch = "\n".join(("spec:", "  approvals:", "    - action: decommission", f"      digest: {digest}", f"      expires: {expires}"))
    return Finding(
        "decommission_unapproved",
        Severity.BLOCKER,
        desired.address(GATE, "decommission"),
        "decommissioning deletes the source for good and is not approved",
        why,
        f"commit an approval of this digest to tenants/{desired.tenant}.yaml",
        wave="decommission",
        patch=patch,
    )
