"""What an apply has done, as a JSON document."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from millpond import __version__
from millpond.model.outcome import ApplyResult, Outcome
from millpond.reporting.outcome_text import address_of
from millpond.reporting.plan_json import standing
from millpond.reporting.result_markdown import state
from millpond.reporting.summary import all_changes, counts

FORMAT = "1.0"


def result_document(result: ApplyResult, site: str, commit: str = "") -> str:
    """Valid by `result.schema.json`. `left` counts what a plan would still show."""
    left = counts(all_changes(result.plan))
    estimated = dict(result.estimated)
    document = {
        "format_version": FORMAT,
        "tool_version": __version__,
        "timestamp": datetime.now(UTC).isoformat(),
        "site": site,
        "run": result.run,
        "git_sha": commit or None,
        "state": state(result),
        "advanced": result.advanced,
        "remaining": result.remaining,
        "held": result.held,
        "interrupted": result.interrupted,
        "outcomes": [_outcome(outcome) for outcome in result.final.values()],
        "outages": [
            {"server": server, "measured": seconds, "estimated": estimated.get(server)}
            for server, seconds in (*result.outages, *((server, None) for server in result.unmeasured))
        ],
        "left": {"add": left.add, "change": left.change, "destroy": left.destroy},
        "errors": [{"tenant": tenant, "summary": error.summary, "why": error.why} for tenant, error in result.errors],
        "tenants": [standing(tenant) for tenant in result.plan.tenants],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "address": address_of(outcome.step),
        "migration_action": outcome.step.partition("#")[2],
        "result": outcome.result.value,
        "seconds": outcome.seconds,
        "message": outcome.message,
    }
