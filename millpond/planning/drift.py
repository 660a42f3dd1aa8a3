"""Source drift: the live source differs from the inventory. What became of handed-over objects is told in target_drift."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from millpond.diffing import differences
from millpond.model.address import Address
from millpond.model.change import Effect, FieldChange
from millpond.model.desired import REST, Desired
from millpond.model.finding import Finding, Severity
from millpond.model.marker import PARKED
from millpond.model.plan import Drift, Stage
from millpond.model.snapshot import Snapshot
from millpond.model.to_do import to_do
from millpond.reconcilers.base import Goals
from millpond.reconcilers.usage import usage

CARRIED: Mapping[str, tuple[str, ...]] = {
    "servers": (
        "name", "description", "key_name", "config_drive", "has_user_data", "metadata", "tags", "server_group_id", "port_ids", "volumes",
        "status", "locked", "flavor",
    ),
    "volumes": ("name", "description", "size", "volume_type", "bootable", "multiattach", "metadata", "image_metadata"),
    "ports": (
        "name", "description", "mac_address", "fixed_ips", "security_groups", "allowed_address_pairs", "port_security_enabled",
        "extra_dhcp_opts", "admin_state_up",
    ),
    "networks": ("name", "description", "mtu", "port_security_enabled", "dns_domain", "segmentation_id"),
    "subnets": ("name", "description", "cidr", "gateway_ip", "allocation_pools", "dns_nameservers", "host_routes", "enable_dhcp"),
    "security_groups": ("name", "description", "rules"),
}  # fmt: skip
"""What the inventory says of each object and the tenant alone changes. Not routers and floating IPs: the switch changes them."""

NEW_ALONE = ("routers", "floating_ips")
"""Of these only new ones are told. Decommissioning makes the same of all others."""

UNORDERED = ("allocation_pools", "allowed_address_pairs", "extra_dhcp_opts", "fixed_ips", "host_routes", "security_groups")
"""Neutron gives these in any order: no change if it is another one than before."""

KINDS = {
    "servers": "server", "volumes": "volume", "ports": "port", "networks": "network", "subnets": "subnet",
    "security_groups": "security_group", "routers": "router", "floating_ips": "floating_ip",
}  # fmt: skip


@dataclass(frozen=True)
class Moved:
    """`waves` are those that must not be cut before the inventory says so, too."""

    drift: Drift
    waves: tuple[str, ...]


def source_drift(desired: Desired, snapshot: Snapshot, goals: Goals) -> tuple[Moved, ...]:
    """Objects that changed, went or came since discover. What was handed over is left out; once decommissioning began, all but what came.

    So is everything where the project itself is gone: that is said once, not for each of its objects.
    """
    if snapshot.source.project is None:
        return ()
    found: list[Moved] = []
    for collection in (*CARRIED, *NEW_ALONE):
        known = {item.id: item for item in getattr(desired.inventory, collection)}
        live = {item.id: item for item in getattr(snapshot.source, collection)}
        if collection in CARRIED and not goals.decommission:
            found += _changed(desired, goals, collection, known, live)
        found += _came(desired, goals, collection, known, live)
    return tuple(found)


def _changed(desired: Desired, goals: Goals, collection: str, known: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Moved]:
    kind = KINDS[collection]
    for id, item in known.items():
        if id in desired.excluded or goals.stage(id) is Stage.HANDED_OVER or id in goals.verified:
            continue
        if id not in live:
            gone = Drift(desired.address(kind, id), "source", (), "is gone from the source", Effect.DELETE)
            yield Moved(gone, _waves_of(desired, goals, kind, id))
            continue
        fields = _compared(collection, live[id])
        old, new = _values(item, fields), _values(live[id], fields)
        if old != new:
            changed = differences(_readable(old), _readable(new))
            yield Moved(Drift(desired.address(kind, id), "source", changed), _waves_of(desired, goals, kind, id))


def _came(desired: Desired, goals: Goals, collection: str, known: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Moved]:
    kind = KINDS[collection]
    for id, item in live.items():
        if id not in known and _tenants(collection, item, desired):
            name = item.floating_ip_address if kind == "floating_ip" else f"{item.name}@{id[:8]}"
            new = Drift(Address(desired.tenant, kind, name), "source", (), "is not in the inventory", Effect.CREATE)
            yield Moved(new, _waves_of_new(desired, goals, kind, item))


def _compared(collection: str, live: Any) -> tuple[str, ...]:
    """Under a cut record, power and lock are ours."""
    fields = CARRIED[collection]
    return tuple(f for f in fields if f not in ("status", "locked")) if collection == "servers" and live.record else fields


def _values(item: Any, fields: Iterable[str]) -> dict[str, Any]:
    values = {field: getattr(item, field) for field in fields}
    if "flavor" in values:
        values["flavor"] = (item.flavor.name, *item.flavor.spec())
    if "rules" in values:
        values["rules"] = sorted(
            (r.direction, r.ethertype, r.protocol, r.port_range_min or 0, r.port_range_max or 0, r.remote_ip_prefix, r.remote_group_id)
            for r in item.rules
        )
    return {field: tuple(sorted(value, key=repr)) if field in UNORDERED else value for field, value in values.items()}


def _readable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: [_row(item) for item in value] if isinstance(value, tuple) else value for key, value in values.items()}


def _row(item: Any) -> Any:
    return vars(item) if is_dataclass(item) else item


def _tenants(collection: str, item: Any, desired: Desired) -> bool:
    """Whether an unknown object is the tenant's: not a service's port, not a network of somebody else, not an address that is parked."""
    if collection == "ports":
        owner = item.device_owner
        return item.project_id == desired.inventory.project.id and not owner.startswith(("network:", "millpond:"))
    if collection == "floating_ips" and item.description == PARKED:
        return False
    if collection in ("networks", "subnets", "routers", "floating_ips"):
        return bool(item.project_id == desired.inventory.project.id)
    return True


def source_findings(desired: Desired, goals: Goals, moved: Iterable[Moved]) -> Iterator[Finding]:
    """A warning; for a wave that is about to be cut, a blocker of that wave. What a decommissioning finds is told as what holds it."""
    if goals.decommission:
        return
    for one in moved:
        about_to_be_cut = [name for name in one.waves if goals.stages.get(name) is Stage.CUT and name not in goals.admitted]
        changes = "; ".join(map(_said, one.drift.fields))
        for wave in about_to_be_cut or [""]:
            yield Finding(
                "source_drift",
                Severity.BLOCKER if wave else Severity.WARNING,
                one.drift.address,
                one.drift.what or f"changed on the source: {changes}",
                "the inventory no longer says what the tenant has",
                to_do("take it into the inventory, and have the diff reviewed and merged", f"millpond discover {desired.tenant}"),
                wave=wave,
            )


def _said(change: FieldChange) -> str:
    """As plans say it: JSON; of lists what went and what came."""
    if not isinstance(change.before, list) or not isinstance(change.after, list):
        return f"{change.path} = {_json(change.before)} -> {_json(change.after)}"
    gone = [f"- {_json(item)}" for item in change.before if item not in change.after]
    came = [f"+ {_json(item)}" for item in change.after if item not in change.before]
    return f"{change.path} {', '.join((*gone, *came)) or 'in another order'}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _waves_of(desired: Desired, goals: Goals, kind: str, id: str) -> tuple[str, ...]:
    """What waves share concerns each of them."""
    if goals.wave(id):
        return (goals.wave(id),)
    owner = usage(desired.inventory).server_of.get(id, "") if kind == "port" else ""
    return (goals.wave(owner),) if owner else tuple(goals.stages)


def _waves_of_new(desired: Desired, goals: Goals, kind: str, item: Any) -> tuple[str, ...]:
    """A new server, with its ports, or a volume that nobody has attached will be in the last wave. A new network may concern each.

    Where no wave is left for it, it holds the one that is last so far: gateways must not go while it is still on the source.
    """
    last = REST if REST in goals.stages else next(reversed(tuple(goals.stages)), REST)
    if kind == "server":
        return (last,)
    if kind == "volume":
        return tuple(dict.fromkeys(goals.wave(a.server_id) or last for a in item.attachments)) or (last,)
    if kind == "port" and item.device_id:
        return (goals.wave(item.device_id) or last,)
    if kind == "floating_ip":
        return (goals.wave(usage(desired.inventory).server_of.get(item.port_id, "")) or last,)
    return tuple(goals.stages)
