"""Collects what the report tells of each tenant: its plan, its objects on both sides, its outages from the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from millpond.execution.journal import Journal
from millpond.execution.outages import outages_of
from millpond.execution.store import is_there
from millpond.model.desired import Desired
from millpond.model.site import Site
from millpond.planning.build import build
from millpond.providers.access import Access
from millpond.providers.open import open_providers
from millpond.reporting.report_text import moved, report_text
from millpond.runs.observe import observe


def reports(site: Site, tenants: Sequence[Desired]) -> Iterator[str]:
    """One text per tenant, through logins that cannot write."""
    directory = Path(site.directory)
    journal = Journal.open(site.journal, directory) if is_there(site.journal, directory) else None
    for desired in tenants:
        manifest = desired.manifest
        snapshot = observe(open_providers(site, manifest.source.cloud, manifest.target.cloud, Access.READ), desired)
        outages = [(o.server, o.began, o.ended) for o in outages_of(journal.entries(desired.tenant))] if journal else []
        yield report_text(build(desired, snapshot), moved(desired, snapshot), outages, datetime.now(UTC))
