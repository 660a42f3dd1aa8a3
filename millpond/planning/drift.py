"""Source drift: the live source differs from the inventory. What became of handed-over objects is told in target_drift."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from millpond.diffing import differences
from millpond.model.address import Address
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import Drift, Stage
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals

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

KINDS = {
    "servers": "server", "volumes": "volume", "ports": "port", "networks": "network", "subnets": "subnet",
    "security_groups": "security_group",
}  # fmt: skip


def source_drift(desired: Desired, snapshot: Snapshot, goals: Goals) -> tuple[Drift, ...]:
    """Objects that changed, went or came since discover. What was handed over, and everything once decommissioning began, is left out.

    So is everything where the project itself is gone: that is said once, not for each of its objects.
    """
    if goals.decommission or snapshot.source.project is None:
        return ()
    found: list[Drift] = []
    for collection in CARRIED:
        known = {item.id: item for item in getattr(desired.inventory, collection)}
        live = {item.id: item for item in getattr(snapshot.source, collection)}
        found += _of_collection(desired, goals, collection, known, live)
    return tuple(found)


def _of_collection(desired: Desired, goals: Goals, collection: str, known: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Drift]:
    kind = KINDS[collection]
    for id, item in known.items():
        if id in desired.excluded or goals.stage(id) is Stage.HANDED_OVER or id in goals.verified:
            continue
        if id not in live:
            yield Drift(desired.address(kind, id), "source", (), "is gone from the source")
            continue
        fields = _compared(collection, live[id])
        found = differences(_values(item, fields), _values(live[id], fields))
        if found:
            yield Drift(desired.address(kind, id), "source", found)
    for id, item in live.items():
        if id not in known and _tenants(collection, item, desired):
            yield Drift(Address(desired.tenant, kind, f"{item.name}@{id[:8]}"), "source", (), "is not in the inventory")


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
    if "security_groups" in values:
        values["security_groups"] = sorted(values["security_groups"])
    return values


def _tenants(collection: str, item: Any, desired: Desired) -> bool:
    """Whether an unknown object is the tenant's: not a service's port, not a network of somebody else."""
    if collection == "ports":
        owner = item.device_owner
        return item.project_id == desired.inventory.project.id and not owner.startswith(("network:", "millpond:"))
    if collection in ("networks", "subnets"):
        return bool(item.project_id == desired.inventory.project.id)
    return True


def source_findings(desired: Desired, goals: Goals, drift: Iterable[Drift]) -> Iterator[Finding]:
    """A warning; for a wave that is about to be cut, a blocker of that wave."""
    by_name = {str(desired.address(kind, id)): id for kind in KINDS.values() for id in desired.names}
    for item in drift:
        source_id = by_name.get(str(item.address), "")
        waves = _waves(desired, goals, item, source_id)
        about_to_be_cut = [name for name in waves if goals.stages.get(name) is Stage.CUT and name not in goals.admitted]
        what = item.what or "changed on the source: " + "; ".join(f"{c.path} {c.before!r} → {c.after!r}" for c in item.fields)
        for wave in about_to_be_cut or [""]:
            yield Finding(
                "source_drift",
                Severity.BLOCKER if wave else Severity.WARNING,
                item.address,
                what,
                "the inventory no longer says what the tenant has",
                f"run `millpond discover {desired.tenant}` and have its diff reviewed and merged",
                wave=wave,
            )


def _waves(desired: Desired, goals: Goals, item: Drift, source_id: str) -> list[str]:
    """The waves that the drift concerns; a new or shared object concerns every wave that is not handed over."""
    if source_id and goals.wave(source_id):
        return [goals.wave(source_id)]
    if source_id and item.address.kind == "port":
        owners = [server.id for server in desired.inventory.servers if source_id in server.port_ids]
        return [goals.wave(id) for id in owners if goals.wave(id)]
    return list(goals.stages)
