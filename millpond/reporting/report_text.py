"""The report of a move, as Markdown for people and tickets: outages, and which object became which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from click import unstyle

from millpond.model.cutover import Outage
from millpond.model.desired import Desired
from millpond.model.finding import EXCLUDED, Finding
from millpond.model.plan import BACK, NOT_KNOWN, Plan, TenantPlan, WaveStatus
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.compute import server_group
from millpond.reconcilers.identity import user
from millpond.reporting.amounts import duration, moment, moments
from millpond.reporting.markdown import fence, prose
from millpond.reporting.outage_text import outage_lines
from millpond.reporting.summary import holds
from millpond.reporting.to_come import said, to_come
from millpond.reporting.to_do_markdown import to_do

KINDS: Mapping[str, str] = {
    "servers": "server",
    "volumes": "volume",
    "ports": "port",
    "networks": "network",
    "subnets": "subnet",
    "routers": "router",
    "floating_ips": "floating_ip",
    "security_groups": "security_group",
    "server_groups": "server_group",
    "users": "user",
}


@dataclass(frozen=True)
class Moved:
    """One source object and the target object that stands for it; `target` empty: there is none."""

    kind: str
    name: str
    source: str
    target: str


def moved(desired: Desired, snapshot: Snapshot) -> tuple[Moved, ...]:
    """Every object of the inventory that has an id. What is excluded or belongs to others, such as external networks, is left out."""
    return tuple(_moved(desired, snapshot))


def report_text(plan: TenantPlan, objects: Sequence[Moved], outages: Iterable[Outage], made: datetime, at_work: str = "") -> str:
    """`outages` have ended; those that go on are the plan's. `at_work`: who works on the tenant now, in words."""
    whole = Plan(made, "", (plan,), plan.digest)
    down = [unstyle(line) for line in outage_lines(whole, at_work={plan.tenant: at_work})]
    excluded = [(str(finding.address), finding.what) for finding in plan.findings if finding.code == EXCLUDED]
    parts = [
        f"# Tenant {plan.tenant}",
        f"Made at {moment(made)}. Digest `{plan.digest}`.",
        *(("\n".join(fence(down, "text")),) if down else ()),
        "## Waves",
        _table(("Wave", "Servers", "Phase", "Cut"), [(w.name, str(len(w.servers)), w.phase, w.cut or "-") for w in plan.waves]),
        "## What an apply would do",
        *_to_come(plan),
        *(("## Held", *map(_held, plan.blockers)) if plan.blockers else ()),
        *(("## Excluded", _table(("Object", "What becomes of it"), excluded)) if excluded else ()),
        "## Outages",
        _outages(tuple(outages), plan, made),
        "## Objects",
        _table(("Kind", "Name", "Source id", "Target id"), [(o.kind, o.name, f"`{o.source}`", _id(o.target)) for o in objects]),
    ]
    return "\n\n".join(parts) + "\n"


def _moved(desired: Desired, snapshot: Snapshot) -> Iterator[Moved]:
    project = snapshot.target.project
    yield Moved("project", desired.inventory.project.name, desired.inventory.project.id, project.id if project else "")
    for collection, kind in KINDS.items():
        target = _by_marker(getattr(snapshot.target, collection)) | _by_name(desired, snapshot, collection)
        for item in getattr(desired.inventory, collection):
            if item.id not in desired.excluded and getattr(item, "project_id", "") in ("", desired.inventory.project.id):
                yield Moved(kind, desired.address(kind, item.id).name, item.id, target.get(item.id, ""))


def _by_marker(items: Iterable[Any]) -> dict[str, str]:
    return {marker: item.id for item in items if (marker := getattr(item, "marker", "") or getattr(item, "source_id", ""))}


def _by_name(desired: Desired, snapshot: Snapshot, collection: str) -> dict[str, str]:
    """Of what carries no marker, source id by source id: server groups never do, users not where the target had them before."""
    if collection == "server_groups":
        pairs = [(group.id, server_group.existing(desired, snapshot, group)) for group in desired.inventory.server_groups]
        return {id: found.id for id, found in pairs if found}
    if collection == "users":
        people = [(person.id, user.existing(desired, snapshot, person.name, person.domain_name)) for person in desired.inventory.users]
        return {id: found.id for id, found in people if found}
    return {}


def _held(blocker: Finding) -> str:
    """What holds, why, what to do, and the patch that is ready to commit."""
    told = (("", f"{blocker.what}."), ("Why: ", blocker.why))
    lines = [f"**{blocker.address}** holds {holds(blocker)} (`{blocker.code}`)"]
    lines += [f"{label}{prose(moments(text))}" for label, text in told if text]
    where = f"Ready to commit in `tenants/{blocker.address.tenant}.yaml`:"
    patch = [where, "\n".join(fence(blocker.patch.splitlines(), "yaml"))] if blocker.patch else []
    fix = "\n".join(to_do(blocker.fix))
    return "\n\n".join([*lines, *filter(None, [fix]), *patch])


def _to_come(plan: TenantPlan) -> list[str]:
    rows = [(one.kind, *map(str, (one.counts.add, one.counts.change, one.counts.destroy, one.later))) for one in to_come(plan)]
    table = [_table(("Kind", "To add", "To change", "To destroy", "Of these held or later"), rows)] if rows else []
    return [" ".join(prose(text) for text in said(plan)), *table]


def _outages(outages: Sequence[Outage], plan: TenantPlan, now: datetime) -> str:
    rows = [(o.server, "rollback" if o.back else "cutover", moment(o.began), moment(o.ended), duration(o.seconds)) for o in outages]
    rows += [row for wave in plan.waves if wave.outage_since for row in _still_down(wave, now)]
    if not rows:
        return "None is in the journal."
    return _table(("Server", "By", "Began", "Ended", "Lasted"), rows)


def _still_down(wave: WaveStatus, now: datetime) -> Iterator[tuple[str, str, str, str, str]]:
    by = "rollback" if wave.stage in BACK else "cutover"
    known = wave.outage_since != NOT_KNOWN
    began, lasted = (moment(wave.outage_since), _so_far(wave.outage_since, now)) if known else ("not known", "-")
    for server in wave.down:
        yield server, by, began, "still down", lasted


def _so_far(since: str, now: datetime) -> str:
    return f"{duration(max(0.0, (now - datetime.fromisoformat(since)).total_seconds()))} so far"


def _id(id: str) -> str:
    return f"`{id}`" if id else "-"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
