"""A saved plan as an envelope: apply may do less, never more, never otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from millpond.diffing import plain
from millpond.model.address import Side
from millpond.model.change import UNKNOWN, Change, FieldChange
from millpond.model.plan import Drift, Plan, TenantPlan


@dataclass
class Envelope:
    """Judges each change that is needed now by what was reviewed.

    The same step with the same effect on the same fields, which hold what they held at the review or what an earlier reviewed step made of
    them → do. A step that is not in the saved plan, or a field with a third value → stale. Values that were unknown when the plan was made,
    fields of objects that were not there yet, and times cannot be compared; steps that only carry on what was reviewed (claims, repeated
    syncs, retried boots) are part of it. `stale` collects, per tenant, what is needed and was not reviewed. After `expires` it admits
    nothing any more.
    """

    reviewed: Mapping[str, Mapping[str, Change]]
    drift: Mapping[str, frozenset[str]] = field(default_factory=dict)
    arrays: Mapping[str, str] = field(default_factory=dict)
    expires: datetime | None = None
    stale: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, expires: datetime | None = None) -> Envelope:
        changes = {tenant.tenant: {change.id: change for change in tenant.changes} for tenant in plan.tenants}
        return cls(changes, {tenant.tenant: frozenset(map(_key, _drifted(tenant))) for tenant in plan.tenants}, plan.arrays, expires)

    def met(self, plan: TenantPlan, arrays: Mapping[str, str]) -> None:
        """To be told what a run finds at first, with each array's serial number: another array, or a source that changed since the plan
        was made, is stale. What changes once servers are down holds nothing."""
        found = [
            f"array {name} had serial number {self.arrays[name]}, now it has {serial}"
            for name, serial in arrays.items()
            if self.arrays.get(name, serial) != serial
        ]
        if not any(wave.admitted for wave in plan.waves):
            found += [_told(drift) for drift in _drifted(plan) if _key(drift) not in self.drift.get(plan.tenant, ())]
            known = self.reviewed.get(plan.tenant, {})
            found += [
                f"{c.id}: replication was suspended by other hands" for c in plan.changes if c.action in RESUMING and c.id not in known
            ]
        if found:
            self.stale.setdefault(plan.tenant, []).extend(found)

    def allowed(self, tenant: str, changes: Iterable[Change]) -> list[Change]:
        kept = []
        for change in changes:
            why = self._refusal(tenant, change)
            if why and f"{change.id}: {why}" not in self.stale.setdefault(tenant, []):
                self.stale[tenant].append(f"{change.id}: {why}")
            if not why:
                kept.append(change)
        return [] if self.stale.get(tenant) else kept

    def _refusal(self, tenant: str, change: Change) -> str:
        if tenant not in self.reviewed:
            return "the tenant is not in the saved plan"
        if change.action.partition(":")[0] in CARRYING_ON or f"{change.address}#{AGAIN_FOR.get(change.action)}" in self.reviewed[tenant]:
            return ""
        known = self.reviewed[tenant].get(change.id) or self.reviewed[tenant].get(_elsewhen(change))
        if known is None:
            return "this change was not reviewed"
        if known.effect is not change.effect:
            return f"{change.effect} was reviewed as {known.effect}"
        before = {field.path: field for field in known.fields}
        for item in change.fields:
            if item.path in VOLATILE:
                continue
            reviewed = before.get(item.path)
            if reviewed is None:
                return f"{item.path} was not reviewed"
            if not _agree(plain(reviewed.after), plain(item.after)):
                return f"{item.path} would become {item.after!r}, reviewed was {reviewed.after!r}"
            if not any(_agree(plain(value), plain(item.before)) for value in self._held(tenant, known, reviewed)):
                return f"{item.path} is {item.before!r}, reviewed was a change from {reviewed.before!r}"
        return ""

    def _held(self, tenant: str, change: Change, field: FieldChange) -> Iterator[object]:
        """What the field may hold before the change: what the review saw, and what other reviewed rungs of the resource make of it."""
        yield UNKNOWN if _unborn(change) else field.before
        for other in self.reviewed[tenant].values():
            if other.address == change.address and other.id != change.id:
                yield from (one.after for one in other.fields if one.path == field.path)


def _elsewhen(change: Change) -> str:
    """The id of the same call on the same volume at another place of the way back: where no server has it, it is taken out of use first."""
    action = change.action
    if change.kind != "volume" or action.removesuffix("_first") not in ("reserve", "unmanage"):
        return ""
    return f"{change.address}#{action.removesuffix('_first') if action.endswith('_first') else f'{action}_first'}"


def _unborn(change: Change) -> bool:
    """What it changes had no id at the review: whoever makes it, its service says what such an object has to begin with."""
    return UNKNOWN in change.parameters.values()


def _drifted(plan: TenantPlan) -> Iterator[Drift]:
    return (drift for drift in plan.drift if drift.side == Side.SOURCE)


def _key(drift: Drift) -> str:
    """The same for the same drift, and for no other."""
    return f"{drift.address}: {drift.what} {[(field.path, field.before, field.after) for field in drift.fields]}"


def _told(drift: Drift) -> str:
    return f"{drift.address}: {drift.what or ', '.join(map(_moved, drift.fields))} on the source"


def _moved(field: FieldChange) -> str:
    """Of lists only what came and what went."""
    before, after = field.before, field.after
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        gone, come = [item for item in before if item not in after], [item for item in after if item not in before]
        if gone and come:
            return f"{field.path} was {_words(gone)}, is {_words(come)}"
        if gone or come:
            return f"{field.path} lost {_words(gone)}" if gone else f"{field.path} gained {_words(come)}"
    return f"{field.path} was {before!r}, is {after!r}"


def _words(items: Iterable[Any]) -> str:
    return ", ".join(" ".join(str(part) for part in item if part) if isinstance(item, list | tuple) else str(item) for item in items)


def _agree(reviewed: Any, now: Any) -> bool:
    """Equal, wherever both are known."""
    if UNKNOWN in (reviewed, now):
        return True
    if isinstance(reviewed, list) and isinstance(now, list):
        return len(reviewed) == len(now) and all(map(_agree, reviewed, now))
    if isinstance(reviewed, dict) and isinstance(now, dict):
        return reviewed.keys() == now.keys() and all(_agree(reviewed[key], now[key]) for key in now)
    return bool(reviewed == now)


RESUMING = ("resume", "resume_for_sync", "resume_for_reverse_sync")
CARRYING_ON = frozenset(
    {
        "boot",
        "claim",
        "count_failure",
        "delete_failed",
        "drop_safety_snapshot",
        "forget",
        "forget_hold",
        "hold",
        "let_go",
        "let_go_to_delete",
        "mark",
        "mark_inside",
        "record_hold",
        "remove_copy",
        "resume_for_reverse_sync",
        "resume_for_sync",
        "retake_lock",
        "take_back_reservation",
        "untime",
        "untime_return",
    }
)
AGAIN_FOR = {"reverse": "reverse_sync"}
"""What carries on too where this step of the same resource was reviewed: after a crash the last sync back is made again, and the replica is
turned again for it."""
VOLATILE = frozenset({"millpond.cut", "millpond.run", "millpond.booting", "millpond.verified", "millpond.attempts", "stopped", "returned"})
