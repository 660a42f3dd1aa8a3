"""A plan document read back from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from millpond.model.address import Address, Side
from millpond.model.change import Change, Effect, FieldChange, Waiting
from millpond.model.finding import Finding, Severity
from millpond.model.plan import Drift, OutageEstimate, Plan, Stage, TenantPlan, WaveStatus
from millpond.model.plan_document import PlanDocument

Json = dict[str, Any]


def from_json(document: Mapping[str, Any]) -> PlanDocument:
    """The document of a JSON that the schema allows. Fields that it does not know are left out."""
    plan = Plan(
        made_at=datetime.fromisoformat(document["timestamp"]),
        tool_version=document["tool_version"],
        tenants=tuple(_read_tenant(tenant) for tenant in document["tenants"]),
        digest=document["digest"],
        errors=tuple((error["tenant"], error["summary"]) for error in document.get("errors", ())),
        findings=tuple(map(_read_check, document.get("orphans", ()))),
        clouds=document["identities"]["clouds"],
        arrays=document["identities"]["arrays"],
        approvers={phase: tuple(who) for phase, who in document.get("approvers", {}).items()},
    )
    return PlanDocument(
        plan=plan,
        expires=datetime.fromisoformat(document["expires"]),
        site=document.get("site", ""),
        wave=document.get("wave", ""),
        git_sha=document["source"]["git_sha"] or "",
        dirty=document["source"]["dirty"],
        clouds=document["identities"]["clouds"],
        arrays=document["identities"]["arrays"],
        format_version=document["format_version"],
    )


def _read_tenant(tenant: Mapping[str, Any]) -> TenantPlan:
    return TenantPlan(
        tenant=tenant["tenant"],
        digest=tenant["digest"],
        steps=(*map(_read_change, tenant["resource_changes"]), *map(_read_waiting, tenant["waiting"])),
        findings=tuple(map(_read_check, tenant["checks"])),
        drift=tuple(map(_read_drift, tenant["resource_drift"])),
        waves=tuple(map(_read_wave, tenant["waves"])),
        outage=OutageEstimate(tuple(tenant["outage"]["servers"].items()), tuple(tenant["outage"]["critical_path"])),
    )


def _read_address(item: Mapping[str, Any]) -> Address:
    tenant, kind, name = [*item["address"].split("/", 2), "", ""][:3]
    return Address(tenant, kind, name)


def _read_step(item: Mapping[str, Any]) -> Json:
    return {
        "address": _read_address(item),
        "action": item["migration_action"],
        "wave": item.get("wave", ""),
        "after": tuple(item.get("after", ())),
        "source_id": item.get("source_id", ""),
        "servers": tuple(item.get("servers", ())),
    }


def _read_change(item: Mapping[str, Any]) -> Change:
    return Change(
        **_read_step(item),
        reason=item["action_reason"],
        side=Side(item["side"]),
        effect=Effect(item["change"]["actions"][-1]),
        fields=_read_fields(item["change"]),
        destination=item.get("destination", ""),
        reversible=item["reversible"],
        outage=item["outage"],
        danger=item["danger"],
        parameters=item["parameters"],
    )


def _read_waiting(item: Mapping[str, Any]) -> Waiting:
    numbers = {name: item.get(name, 0) for name in ("bytes_left", "rate", "seconds")}
    return Waiting(**_read_step(item), reason=item["reason"], long=item["long"], **numbers)


def _read_fields(change: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    before, after = change["before"] or {}, change["after"] or {}
    return tuple(FieldChange(path, before.get(path), after.get(path)) for path in dict.fromkeys([*before, *after]))


def _read_drift(item: Mapping[str, Any]) -> Drift:
    effect = Effect(item["change"].get("actions", ["update"])[0])
    return Drift(_read_address(item), item["side"], _read_fields(item["change"]), item.get("what", ""), effect)


def _read_check(item: Mapping[str, Any]) -> Finding:
    texts = {name: item.get(name, "") for name in ("why", "fix", "wave", "patch")}
    return Finding(item["code"], Severity(item["severity"]), _read_address(item), item["what"], **texts)


def _read_wave(item: Mapping[str, Any]) -> WaveStatus:
    optional = {name: item[name] for name in ("cut", "admitted", "outage_since", "lag_seconds", "bytes_left") if name in item}
    servers, down, verified = (tuple(item.get(name, ())) for name in ("servers", "down", "verified"))
    return WaveStatus(item["name"], Stage(item["stage"]), item["phase"], servers, down=down, verified=verified, **optional)
