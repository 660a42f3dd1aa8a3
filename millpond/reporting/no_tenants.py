"""A site in which no tenant has a manifest: what is known of those that had one."""

from __future__ import annotations

from millpond.model.plan import Plan
from millpond.reporting.findings_text import findings_text


def no_tenants(plan: Plan) -> list[str]:
    """What is told instead of where tenants stand; empty where there are some."""
    return [] if plan.tenants or plan.errors else findings_text(plan.findings)
