"""Where each wave is to go: from its flag, its rollback block and what is observed. No stored "current step"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from millpond.model.change import UNKNOWN
from millpond.model.compute import Server
from millpond.model.cut_record import CutRecord
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.manifest import Reference
from millpond.model.marker import DECOMMISSION_BEGUN_TAG
from millpond.model.plan import Stage
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.planning.carried_back import carry_back_begun
from millpond.planning.discarded import discard_begun
from millpond.planning.latecomers import is_admitted, latecomers
from millpond.planning.timeouts import being_stopped
from millpond.reconcilers import boot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.identity.source_project import admission_tag
from millpond.reconcilers.twins import by_id, marked
from millpond.schemas.inventory_text import dump_yaml

SOURCE_GONE = "source_gone"


def records(snapshot: Snapshot, wave: DesiredWave) -> dict[str, CutRecord]:
    """source id → cut record, of the wave's servers, or of its volumes where it has no servers. A record without `cut` is being removed."""
    carriers = wave.servers or wave.volumes
    found = [(server.id, server.record) for server in snapshot.source.servers] if wave.servers else []
    found += [] if wave.servers else [(volume.id, volume.record) for volume in snapshot.source.volumes]
    return {id: record for id, record in found if record is not None and record.cut and id in carriers}


def verified(desired: Desired, snapshot: Snapshot) -> frozenset[str]:
    """Servers and volumes that carry the record handed over; once decommissioning was admitted, those gone from the source too.

    A source whose project is gone has nothing left that could be migrated: all counts as handed over, so that nothing is planned.
    """
    if snapshot.source.project is None:
        return frozenset(id for wave in desired.waves for id in (*wave.servers, *wave.volumes))
    done = {item.id for items in (snapshot.source.servers, snapshot.source.volumes) for item in items if _is_verified(item.record)}
    done |= _gone_but_arrived(desired, snapshot)
    if decommission_admitted(snapshot) or _begun(snapshot):
        present = {s.id for s in snapshot.source.servers} | {v.id for v in snapshot.source.volumes}
        done |= {id for wave in desired.waves for id in (*wave.servers, *wave.volumes) if id not in present}
    return frozenset(done)


def _gone_but_arrived(desired: Desired, snapshot: Snapshot) -> set[str]:
    """Servers that the source does not list any more and of which exactly one copy was launched on the target: with the record went the
    memory, and nothing may be done to what runs there."""
    present = by_id(snapshot.source.servers)
    wanted = (id for wave in desired.waves for id in wave.servers if id not in present)
    return {id for id in wanted if [bool(copy.launched_at) for copy in marked(snapshot.target.servers, id)] == [True]}


def _begun(snapshot: Snapshot) -> bool:
    project = snapshot.source.project
    return project is not None and DECOMMISSION_BEGUN_TAG in project.tags


def _is_verified(record: CutRecord | None) -> bool:
    """What is left of a record without its `cut` says nothing any more."""
    return record is not None and bool(record.cut and record.verified)


def decommission_admitted(snapshot: Snapshot, digest: str = "") -> bool:
    """Admission of a decommissioning is remembered as a tag of the source project: the project goes last. With `digest`, of that one."""
    project = snapshot.source.project
    return project is not None and any(tag.startswith(admission_tag(digest)) for tag in project.tags)


def stage_of(desired: Desired, snapshot: Snapshot, wave: DesiredWave, done: frozenset[str]) -> tuple[Stage, Finding | None]:
    """The wave's stage; with a finding where a flag asks for something that needs one more word."""
    twice = _running_twice(desired, snapshot, wave)
    if twice:
        return Stage.HELD, _both_running(desired, snapshot, twice)
    known = records(snapshot, wave)
    carriers = wave.servers or wave.volumes
    if wave.cutover:
        handed_over = bool(carriers) and all(id in done for id in carriers)
        return (Stage.HANDED_OVER if handed_over else Stage.CUT), None
    present = by_id(snapshot.source.servers) if wave.servers else by_id(snapshot.source.volumes)
    gone = [id for id in carriers if id in done and id not in present]
    if gone:
        return Stage.HELD, _nothing_there(desired, wave, gone)
    if not known:
        return Stage.REPLICATE, None
    if not any(record.booting for record in known.values()):
        return Stage.RETURN, None
    if len({record.cut for record in known.values()}) > 1:
        return Stage.HELD, _several_cuts(desired, wave, known)
    cut = next(iter(known.values())).cut
    if wave.rollback is None or wave.rollback.cut != cut:
        return Stage.HELD, _needs_rollback(desired, wave, cut)
    if wave.rollback.target_writes == "carry_back":
        begun = discard_begun(desired, snapshot, wave, cut)
        return (Stage.HELD if begun else Stage.CARRY_BACK), begun
    begun = carry_back_begun(desired, snapshot, wave, cut)
    return (Stage.HELD if begun else Stage.DISCARD), begun


def _running_twice(desired: Desired, snapshot: Snapshot, wave: DesiredWave) -> list[str]:
    here = by_id(snapshot.source.servers)
    up = [id for id in wave.servers if id in here and _is_up(desired, snapshot, here[id])]
    return [id for id in up if any(_is_up(desired, snapshot, twin) for twin in marked(snapshot.target.servers, id))]


def _is_up(desired: Desired, snapshot: Snapshot, server: Server) -> bool:
    """Also where Nova calls it SHUTOFF, or never launched, and its guest runs; not while Nova is powering it off: its power state is the
    old one until then, and `limits.stop_timeout` says how long that may take.
    """
    if server.status == "ACTIVE" or server.runs_unlaunched:
        return True
    return server.guest_runs and not being_stopped(desired, snapshot, server)


def _both_running(desired: Desired, snapshot: Snapshot, servers: list[str]) -> Finding:
    names = ", ".join(desired.names.get(id, id) for id in servers)
    copies = [one for one in snapshot.source.servers if one.id in servers]
    copies += [one for one in snapshot.target.servers if one.marker in servers]
    found = [one for one in copies if one.guest_runs or one.runs_unlaunched]
    hidden, called = ", ".join(one.id for one in found), " or ".join(sorted({one.status for one in found}, reverse=True))
    return Finding(
        "both_running",
        Severity.BLOCKER,
        desired.address("server", servers[0]),
        f"the server runs on both clouds at once: {names}" if len(servers) == 1 else f"servers run on both clouds at once: {names}",
        f"both copies are up, with the same MAC and IP addresses; Nova calls {called} what its hypervisor runs: {hidden}"
        if hidden
        else "both copies are ACTIVE, with the same MAC and IP addresses",
        "decide which one holds the truth and stop the other"
        + (f" (what Nova calls {called}: on its host)" if hidden else "")
        + "; Millpond does nothing by itself here",
    )


def _nothing_there(desired: Desired, wave: DesiredWave, gone: list[str]) -> Finding:
    """The memory of a cut went with what carried it, and so did what a rollback would start again."""
    names = ", ".join(desired.names.get(id, id) for id in gone)
    return Finding(
        "nothing_to_go_back_to",
        Severity.BLOCKER,
        desired.address("wave", wave.name),
        f"cutover is false, but what was handed over is gone from the source: {names}",
        "there is nothing to go back to, and what runs on the target is the tenant's",
        f"set cutover: true for the wave again in tenants/{desired.tenant}.yaml",
        wave=wave.name,
    )


def _several_cuts(desired: Desired, wave: DesiredWave, known: dict[str, CutRecord]) -> Finding:
    """One block is valid for one cut alone: what another cut booted must not go back with it."""
    names: dict[str, list[str]] = {}
    for id, record in known.items():
        names.setdefault(record.cut, []).append(desired.names.get(id, id))
    carried = "; ".join(f"cut {cut}: {', '.join(sorted(of))}" for cut, of in sorted(names.items()))
    return Finding(
        "several_cuts",
        Severity.BLOCKER,
        desired.address("wave", wave.name),
        f"cutover is false, but {len(names)} cuts of this wave are recorded ({carried})",
        "a rollback block names one cut and is valid for that one alone, and servers were booted on the target",
        f"in tenants/{desired.tenant}.yaml, put the servers of each cut into a wave of their own with its own rollback block, "
        "or set cutover: true again",
        wave=wave.name,
    )


def _needs_rollback(desired: Desired, wave: DesiredWave, cut: str) -> Finding:
    old = wave.rollback.cut if wave.rollback else ""
    patch = _patch(desired, wave, cut)
    return Finding(
        "rollback_undecided",
        Severity.BLOCKER,
        desired.address("wave", wave.name),
        f"cutover is false, but cut {cut} of this wave has declared boots on the target",
        f"the rollback block names cut {old}, which is another one"
        if old
        else "what may have been written there since must not be lost by accident",
        f"state in tenants/{desired.tenant}.yaml whether it is carried back or discarded, or set cutover: true again",
        wave=wave.name,
        patch=patch,
    )


def _patch(desired: Desired, wave: DesiredWave, cut: str) -> str:
    """For a wave that the manifest does not list, the tenant's own block holds. One that it lists is whole with its servers and volumes."""
    listed = next((known for known in desired.manifest.waves if known.name == wave.name), None)
    lines = ["cutover: false", "rollback:", f"  cut: {cut}", "  target_writes: carry_back   # or discard: what the target wrote is lost"]
    if listed:
        whole = [*_members("servers", listed.servers), *_members("volumes", listed.volumes), *lines]
        lines = ["waves:", f"  - name: {wave.name}", *(f"    {line}" for line in whole)]
    return "\n".join(("spec:", *(f"  {line}" for line in lines)))


def _members(key: str, members: Iterable[Reference]) -> list[str]:
    listed = [one.name or {"source_id": one.source_id} for one in members]
    return f"{key}: {dump_yaml(listed, default_flow_style=True)}".splitlines() if listed else []


def goals(desired: Desired, snapshot: Snapshot, run: str = "", tried: frozenset[str] = frozenset()) -> tuple[Goals, tuple[Finding, ...]]:
    """The goals of every wave. A wave is cut only when the ones before it that are to be cut have been handed over."""
    done = verified(desired, snapshot)
    stages: dict[str, Stage] = {}
    cuts: dict[str, str] = {}
    findings: list[Finding] = []
    admitted: set[str] = set()
    unpair: set[str] = set()
    late: set[str] = set()
    untouched: set[str] = set()
    for wave in desired.waves:
        stage, finding = stage_of(desired, snapshot, wave, done)
        known = records(snapshot, wave)
        running = [record for record in known.values() if record.wave in ("", wave.name) and not record.verified]
        if is_admitted(snapshot, wave, known, stage):
            admitted.add(wave.name)
        apart = latecomers(desired, snapshot, wave, known, stage, admitted=wave.name in admitted)
        late |= apart.late
        untouched |= apart.untouched
        findings += apart.findings
        cuts[wave.name] = _cut_id(snapshot, stage, running, list(known.values()), run)
        stages[wave.name] = stage
        if stage is Stage.HANDED_OVER and _kept_long_enough(desired, snapshot):
            unpair.add(wave.name)
        findings += [finding] if finding else []
    if snapshot.source.project is None and not desired.manifest.decommission:
        findings.append(_source_gone(desired))
    # A project that is gone was the last step: everything before it is done.
    wanted = (
        snapshot.source.project is not None
        and desired.manifest.decommission
        and all(stage is Stage.HANDED_OVER for stage in stages.values())
    )
    if wanted:
        stages = dict.fromkeys(stages, Stage.DECOMMISSION)
    if (decommission_admitted(snapshot) or _begun(snapshot)) and not desired.manifest.decommission:
        findings.append(_reverted(desired, snapshot))
    wave_of = {id: wave.name for wave in desired.waves for id in (*wave.servers, *wave.volumes)}
    servers = {server.id for server in desired.inventory.servers}
    return (
        Goals(
            stages=stages,
            wave_of=wave_of,
            verified=frozenset(done & servers),
            cuts=cuts,
            decommission=wanted,
            admitted=frozenset(admitted),
            unpair=frozenset(unpair),
            run=run,
            tried=tried,
            late=frozenset(late),
            untouched=frozenset(untouched),
        ),
        tuple(findings),
    )


def _cut_id(snapshot: Snapshot, stage: Stage, running: list[CutRecord], known: list[CutRecord], run: str) -> str:
    """The cut under way, or done; a new one where a wave of servers that were handed over before gets others, which its run names."""
    named = running or ([] if stage is Stage.CUT else known)
    if named:
        return named[0].cut
    return snapshot.now.strftime("%Y%m%dT%H%M%SZ") if run else UNKNOWN


def _source_gone(desired: Desired) -> Finding:
    source = desired.manifest.source
    return Finding(
        SOURCE_GONE,
        Severity.BLOCKER,
        desired.address("source_project", desired.inventory.project.id),
        f"the project {source.project} that the inventory was made of ({desired.inventory.project.id}) is not on cloud {source.cloud}",
        "nothing can be replicated from it, and nothing could go back to it",
        to_do(
            f"if the migration is complete, remove tenants/{desired.tenant}.yaml and its inventory; else check the login and the "
            "manifest's source, and if the inventory is of another project, write it anew",
            f"millpond discover {desired.tenant}",
        ),
    )


def _reverted(desired: Desired, snapshot: Snapshot) -> Finding:
    present = {item.id for items in (snapshot.source.servers, snapshot.source.volumes) for item in items}
    gone = [id for wave in desired.waves for id in (*wave.servers, *wave.volumes) if id not in present]
    return Finding(
        "decommission_reverted",
        Severity.INFO,
        desired.address("source_project", desired.inventory.project.id),
        f"a decommissioning was begun and is not wanted any more; {len(gone)} servers and volumes are gone from the source",
        "each of them was handed over before: what the tenant has is on the target",
        "nothing to do; decommission: true asks for soak and approval anew, then goes on with what is left",
    )


def _kept_long_enough(desired: Desired, snapshot: Snapshot) -> bool:
    until = desired.manifest.keep_pairs_until
    return until is not None and snapshot.now >= until


def soaked(desired: Desired, snapshot: Snapshot) -> timedelta:
    """How long the last handover is ago; the source's servers that are gone do not count."""
    stamps = [s.record.verified for s in snapshot.source.servers if s.record and s.record.verified]
    stamps += [v.record.verified for v in snapshot.source.volumes if v.record and v.record.verified]
    return snapshot.now - max(map(boot.parse_stamp, stamps)) if stamps else timedelta.max
