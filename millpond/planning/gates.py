"""Admission: judged once, for a whole wave, before its cut record is written. After it only invariants hold a wave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from millpond.model.change import Waiting
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.manifest import Window
from millpond.model.plan import OutageEstimate, Stage
from millpond.model.snapshot import Snapshot
from millpond.planning.stages import decommission_admitted, soaked
from millpond.reconcilers.base import Goals
from millpond.reconcilers.storage.replication import ends, groups

GATE = "gate"
Admitted = Mapping[tuple[str, str], int]
"""(tenant, wave) → how many servers it stops: what this apply has admitted."""


@dataclass(frozen=True)
class Admission:
    """What an apply knows beside documents and snapshot: what it `admitted` already, over all tenants; when its saved plan `expires`."""

    admitted: Admitted = field(default_factory=dict)
    expires: datetime | None = None


def gate(desired: Desired, name: str, reason: str, *, long: bool = False, seconds: float = 0.0) -> Waiting:
    """The one step that everything of a cut comes after. It is left out of the plan once nothing holds it."""
    return Waiting(desired.address(GATE, name), "admission", reason, wave=name, long=long, seconds=seconds)


def wave_gates(
    desired: Desired, snapshot: Snapshot, goals: Goals, found: tuple[Finding, ...], estimate: OutageEstimate, admission: Admission
) -> Iterator[tuple[str, Finding | None, Waiting]]:
    """For every wave that is to be cut and has no record yet: (wave, what a person must change if it is that, what it waits for).

    The first of a wave is for what the cut comes after anyhow; each further one holds it.
    """
    former = ""
    for wave in desired.waves:
        stage = goals.stages[wave.name]
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
        yield name, None, gate(desired, name, "held by the blockers above", long=True)
    if wave.window is not None and not wave.window.opens <= snapshot.now < wave.window.closes:
        window = _window(desired, wave, wave.window, snapshot)
        yield name, window, gate(desired, name, window.what, long=True)
    for server in snapshot.source.servers:
        if server.id in wave.servers and server.task_state:
            yield name, None, gate(desired, name, f"{server.name} is busy ({server.task_state})")
    still = _moved_recently(desired, snapshot, wave)
    if still > timedelta(0):
        reason = f"{still.seconds} s until its MAC addresses may move again: fabrics freeze an address that moves too often"
        yield name, None, gate(desired, name, reason, seconds=still.total_seconds())
    for finding in (*_expiry(desired, name, snapshot, admission), *_brakes(desired, snapshot, goals, wave, estimate, admission.admitted)):
        yield name, finding, gate(desired, name, finding.what, long=True)


def _held_by(desired: Desired, wave: str, code: str, what: str, why: str, fix: str) -> Finding:
    return Finding(code, Severity.BLOCKER, desired.address(GATE, wave), what, why, fix, wave=wave)


def _window(desired: Desired, wave: DesiredWave, window: Window, snapshot: Snapshot) -> Finding:
    opens, closes = window.opens.isoformat(), window.closes.isoformat()
    past = snapshot.now >= window.closes
    return _held_by(
        desired,
        wave.name,
        "window_closed",
        f"the maintenance window {'closed at ' + closes if past else 'opens at ' + opens}",
        f"it is {snapshot.now.isoformat(timespec='seconds')}; a wave is admitted between {opens} and {closes}",
        "commit a new window" if past else "run apply inside the window",
    )


def _expiry(desired: Desired, wave: str, snapshot: Snapshot, admission: Admission) -> Iterator[Finding]:
    expires = admission.expires
    if expires is not None and snapshot.now > expires:
        what = f"the saved plan expired at {expires.isoformat(timespec='seconds')}, before this was admitted"
        why = f"it is {snapshot.now.isoformat(timespec='seconds')}; what is under way is finished regardless"
        yield _held_by(desired, wave, "plan_expired", what, why, "make the plan again and have it reviewed")


def _moved_recently(desired: Desired, snapshot: Snapshot, wave: DesiredWave) -> timedelta:
    """Time left until the wave's addresses may move again. Nova's `updated` says when a server last changed: a start, among others."""
    quiet = timedelta(seconds=desired.site.limits.mac_move)
    changed = [s.updated_at for s in snapshot.source.servers if s.id in wave.servers and s.updated_at]
    moved = [snapshot.now - datetime.fromisoformat(stamp) for stamp in changed]
    return max((quiet - max(since, timedelta(0)) for since in moved), default=timedelta(0)) if quiet else timedelta(0)


def _brakes(
    desired: Desired, snapshot: Snapshot, goals: Goals, wave: DesiredWave, estimate: OutageEstimate, admitted: Admitted
) -> Iterator[Finding]:
    brakes = desired.site.brakes
    before = {key: servers for key, servers in admitted.items() if key != (desired.tenant, wave.name)}
    stopped = sum(before.values())
    with_others = f", with the {stopped} of this run" if stopped else ""
    raise_it = "raise the brake in millpond.yaml in a reviewed change, or choose a smaller wave"
    if brakes.servers_stopped and stopped + len(wave.servers) > brakes.servers_stopped:
        yield _held_by(
            desired, wave.name, "brake_servers_stopped",
            f"the wave stops {len(wave.servers)} servers{with_others}, the brake allows {brakes.servers_stopped}",
            "brakes.servers_stopped", raise_it,
        )  # fmt: skip
    cutting = {(desired.tenant, name) for name, stage in goals.stages.items() if stage is Stage.CUT and name in goals.admitted}
    cutting |= {*before, (desired.tenant, wave.name)}
    if brakes.cutovers and len(cutting) > brakes.cutovers:
        yield _held_by(
            desired, wave.name, "brake_cutovers", f"{len(cutting)} waves would be cut, the brake allows {brakes.cutovers}",
            "brakes.cutovers", raise_it,
        )  # fmt: skip
    lag = wave_lag(desired, snapshot, wave.name)
    if brakes.lag_at_cutover and lag > brakes.lag_at_cutover:
        yield _held_by(
            desired, wave.name, "brake_lag", f"the replication lags {lag:.0f} s, the brake allows {brakes.lag_at_cutover} s",
            "brakes.lag_at_cutover", "let it catch up, then run apply again",
        )  # fmt: skip
    worst = estimate.longest
    if brakes.outage_budget and worst > brakes.outage_budget:
        yield _held_by(
            desired, wave.name, "brake_outage", f"the outage is estimated at {worst:.0f} s, the budget is {brakes.outage_budget} s",
            "brakes.outage_budget", raise_it,
        )  # fmt: skip


def wave_lag(desired: Desired, snapshot: Snapshot, wave: str) -> float:
    """Seconds between the array's now and the oldest restore point of the wave's groups; 0 while nothing is replicated."""
    worst = 0.0
    for group in groups(desired, snapshot):
        source = ends(group, snapshot).source
        fact = snapshot.storage.array(group.pair.source.array)
        if group.wave == wave and source is not None and source.restore_point and fact is not None:
            worst = max(worst, (fact.now_ms - source.restore_point) / 1000)
    return worst


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
    for finding in _expiry(desired, "decommission", snapshot, admission or Admission()):
        yield finding, None
    brake = desired.site.brakes.volumes_deleted
    if brake and volumes > brake:
        what = f"decommissioning deletes {volumes} volumes, the brake allows {brake}"
        raise_it = "raise the brake in millpond.yaml in a reviewed change"
        yield _held_by(desired, "decommission", "brake_volumes_deleted", what, "brakes.volumes_deleted", raise_it), None


def _unapproved(desired: Desired, snapshot: Snapshot, digest: str) -> Finding:
    given = [a for a in desired.manifest.approvals if a.action == "decommission"]
    expired = any(a.digest == digest for a in given)
    why = "the approval has expired" if expired else ("the approval names another digest" if given else "there is no approval")
    expires = (snapshot.now + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch = "\n".join(("approvals:", "  - action: decommission", f"    digest: {digest}", f"    expires: {expires}"))
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
