"""The plan as a JSON document, in Terraform's words where it has one, so that existing policy rules read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from millpond.diffing import plain
from millpond.model.address import Address
from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange, Waiting
from millpond.model.finding import Finding, Severity
from millpond.model.plan import Drift, Plan, TenantPlan, WaveStatus
from millpond.model.plan_document import PlanDocument
from millpond.reporting.held import is_all_held
from millpond.reporting.summary import all_changes, counts, is_quiet
from millpond.reporting.values import SENSITIVE

Json = dict[str, Any]
FORMAT = "1.0"
_CHECK_STATUS = {Severity.BLOCKER: "fail", Severity.WARNING: "unknown", Severity.INFO: "pass"}


def to_json(document: PlanDocument) -> Json:
    """Valid by `plan.schema.json`. Secrets are not in it: the changes hold none."""
    plan = document.plan
    tenants = [_tenant(tenant) for tenant in plan.tenants]
    found = counts(all_changes(plan))
    return {
        "format_version": document.format_version,
        "tool_version": plan.tool_version,
        "timestamp": plan.made_at.isoformat(),
        "expires": document.expires.isoformat(),
        "site": document.site,
        "wave": document.wave,
        "applyable": not plan.errors and not plan.refused_for and any(map(_advances, plan.tenants)),
        "complete": not plan.errors and not any(tenant.waiting or tenant.blockers for tenant in plan.tenants),
        "errored": bool(plan.errors),
        "digest": plan.digest,
        "source": {"git_sha": document.git_sha or None, "dirty": document.dirty},
        "identities": {"clouds": dict(document.clouds), "arrays": dict(document.arrays)},
        "approvers": {phase: list(who) for phase, who in plan.approvers.items()},
        "summary": {"add": found.add, "change": found.change, "destroy": found.destroy, "quiet": is_quiet(plan)},
        "errors": [{"tenant": tenant, "summary": summary} for tenant, summary in plan.errors],
        "orphans": [check_json(finding) for finding in plan.findings],
        "checks": [*map(check_json, plan.findings), *(check for tenant in tenants for check in tenant["checks"])],
        "waiting": [step for tenant in tenants for step in tenant["waiting"]],
        "resource_changes": [change for tenant in tenants for change in tenant["resource_changes"]],
        "resource_drift": [drift for tenant in tenants for drift in tenant["resource_drift"]],
        "tenants": tenants,
    }


def status_document(plan: Plan, at_work: Mapping[str, str]) -> str:
    """What `status --format json` prints. `at_work`: tenant → who works on it now, in words."""
    tenants = [{**standing(tenant), "at_work": at_work.get(tenant.tenant)} for tenant in plan.tenants]
    return _text({**head(plan), "tenants": tenants})


def standing(tenant: TenantPlan) -> Json:
    """Where a tenant stands, without its changes."""
    kept = ("tenant", "digest", "waves", "checks", "waiting", "outage")
    return {key: value for key, value in _tenant(tenant).items() if key in kept}


def head(plan: Plan) -> Json:
    errors = [{"tenant": tenant, "summary": summary} for tenant, summary in plan.errors]
    return {"format_version": FORMAT, "tool_version": plan.tool_version, "timestamp": plan.made_at.isoformat(), "errors": errors}


def _advances(tenant: TenantPlan) -> bool:
    """What time alone holds counts: a saved plan may be applied when its window has opened."""
    return not is_all_held(tenant) if tenant.blockers and tenant.changes else bool(tenant.changes)


def _text(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def drift_json(drift: Drift) -> Json:
    before, after = _sides(drift.fields, gone=drift.effect is Effect.DELETE, new=drift.effect is Effect.CREATE)
    return {
        **_address(drift.address),
        "side": drift.side,
        "what": drift.what,
        "change": {"actions": [drift.effect.value], "before": before, "after": after},
    }


def _tenant(tenant: TenantPlan) -> Json:
    return {
        "tenant": tenant.tenant,
        "digest": tenant.digest,
        "waves": [
            {**_plain_fields(wave), "stage": wave.stage.value, **{key: list(getattr(wave, key)) for key in ("servers", "down", "verified")}}
            for wave in tenant.waves
        ],
        "checks": [check_json(finding) for finding in tenant.findings],
        "resource_changes": [_change(step) for step in tenant.changes],
        "resource_drift": [drift_json(drift) for drift in tenant.drift],
        "waiting": [_waiting(step) for step in tenant.waiting],
        "outage": {
            "servers": dict(tenant.outage.servers),
            "critical_path": list(tenant.outage.critical_path),
            "longest": tenant.outage.longest,
        },
    }


def _address(address: Address) -> Json:
    return {"address": str(address), "tenant": address.tenant, "type": address.kind, "name": address.name}


def _step(step: AnyStep) -> Json:
    return {
        **_address(step.address),
        "wave": step.wave,
        "migration_action": step.action,
        "after": list(step.after),
        "source_id": step.source_id,
        "servers": list(step.servers),
    }


def _change(change: Change) -> Json:
    before, after = _sides(change.fields, gone=change.effect is Effect.DELETE, new=change.effect is Effect.CREATE)
    return {
        **_step(change),
        "mode": "managed",
        "side": change.side.value,
        "change": {
            "actions": [change.effect.value],
            "before": before,
            "after": after,
            "after_unknown": {field.path: True for field in change.fields if field.after == UNKNOWN},
            "before_sensitive": {field.path: True for field in change.fields if field.before == SENSITIVE},
            "after_sensitive": {field.path: True for field in change.fields if field.after == SENSITIVE},
        },
        "action_reason": change.reason,
        "reversible": change.reversible,
        "outage": change.outage,
        "danger": change.danger,
        "destination": change.destination,
        "parameters": plain(change.parameters),
    }


def _sides(fields: Sequence[FieldChange], *, gone: bool, new: bool) -> tuple[Json | None, Json | None]:
    """Before and after by path. Terraform has null for an object that is not there."""
    before = {field.path: plain(field.before) for field in fields}
    after = {field.path: plain(field.after) for field in fields}
    nothing_before = new and all(value is None for value in before.values())
    nothing_after = gone and all(value is None for value in after.values())
    return None if nothing_before else before, None if nothing_after else after


def _waiting(step: Waiting) -> Json:
    known = {"long": step.long, "bytes_left": step.bytes_left, "rate": step.rate, "seconds": step.seconds}
    return {**_step(step), "reason": step.reason, **known}


def check_json(finding: Finding) -> Json:
    return {
        **_plain_fields(finding),
        "severity": finding.severity.value,
        "status": _CHECK_STATUS[finding.severity],
        **_address(finding.address),
    }


def _plain_fields(item: WaveStatus | Finding) -> Json:
    return {name: value for name, value in vars(item).items() if isinstance(value, str | bool | int | float)}
