"""Drift as a JSON document, in the shape that plans have."""

from __future__ import annotations

import json

from millpond.reporting.drift_report import SIDES, DriftReport
from millpond.reporting.plan_json import Json, check_json, drift_json, head


def drift_document(report: DriftReport) -> str:
    """Valid by `drift.schema.json`."""
    return json.dumps(drift_object(report), indent=2, ensure_ascii=False) + "\n"


def drift_object(report: DriftReport) -> Json:
    return {
        **head(report.plan),
        "summary": {
            **{side: report.count(side) for side in SIDES},
            "late": sum(lag.late for lag in report.lags),
            "blockers": len(report.blockers),
        },
        "checks": [check_json(finding) for finding in report.blockers],
        "resource_drift": [drift_json(drift) for tenant in report.plan.tenants for drift in tenant.drift],
        "lag": [{**vars(lag), "seconds": round(lag.seconds, 3)} for lag in report.lags],
    }
