"""Collects what the report tells of each tenant: its plan, its objects on both sides, its outages from the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from millpond import __version__
from millpond.cli.at_work import at_work
from millpond.errors import MillpondError
from millpond.execution.cutovers import cutovers_of
from millpond.execution.journal import Journal
from millpond.execution.outages import outages_of
from millpond.execution.store import is_there
from millpond.model.desired import Desired, DesiredWave
from millpond.model.manifest import ProjectRef
from millpond.model.plan import TenantPlan
from millpond.model.site import Site
from millpond.model.snapshot import Snapshot
from millpond.planning.build import build
from millpond.reporting.amounts import moment
from millpond.reporting.differences import not_the_same, stays_behind
from millpond.reporting.html.page import ReportPage, TenantFacts, report_page
from millpond.reporting.report_text import moved, report_text
from millpond.runs.downtime import dated_by_journal
from millpond.runs.plan import observed, told


def reports(site: Site, tenants: Sequence[Desired]) -> Iterator[str]:
    """One text per tenant, through logins that cannot write."""
    journal, busy = _journal(site), at_work(site)
    for desired in tenants:
        plan, snapshot = _looked_at(site, desired)
        tenant = desired.tenant
        outages = outages_of(journal.entries(tenant), journal.measured(tenant)) if journal else ()
        yield report_text(plan, moved(desired, snapshot), outages, datetime.now(UTC), busy.get(tenant, ""))


def page(site: Site, tenants: Sequence[Desired], refused: Mapping[str, MillpondError]) -> ReportPage:
    """One page for all tenants, through logins that cannot write. With several, one that cannot be read leaves the others as they are.

    `refused`: those whose documents were not understood.
    """
    journal, now, busy = _journal(site), datetime.now(UTC), at_work(site)
    found: list[TenantFacts] = []
    errors = {tenant: told(error) for tenant, error in refused.items()}
    for desired in tenants:
        try:
            found.append(replace(_facts(site, desired, journal, now), at_work=busy.get(desired.tenant, "")))
        except MillpondError as error:
            if len(tenants) + len(refused) == 1:
                raise
            errors[desired.tenant] = told(error)
    return report_page(site.name, now, __version__, found, sorted(errors.items()))


def _facts(site: Site, desired: Desired, journal: Journal | None, now: datetime) -> TenantFacts:
    plan, snapshot = _looked_at(site, desired)
    tenant = desired.tenant
    return TenantFacts(
        plan=plan,
        source=_words(desired.manifest.source),
        target=_words(desired.manifest.target),
        objects=moved(desired, snapshot),
        cutovers=cutovers_of(journal.entries(tenant), journal.expectations(tenant), now, journal.measured(tenant)) if journal else (),
        differences=not_the_same(desired, snapshot),
        behind=stays_behind(desired),
        windows={wave.name: words for wave in desired.waves if (words := _window(wave))},
    )


def _window(wave: DesiredWave) -> str:
    """When it may be cut over, in words; empty where its manifest sets no bounds."""
    within = f"{moment(wave.window.opens)} to {moment(wave.window.closes)}" if wave.window else ""
    at = f"not before {moment(wave.cutover_at)}" if wave.cutover_at else ""
    return ", ".join(words for words in (within, at) if words)


def _looked_at(site: Site, desired: Desired) -> tuple[TenantPlan, Snapshot]:
    snapshot = observed(site, desired)
    return dated_by_journal(site, desired, snapshot, build(desired, snapshot)), snapshot


def _journal(site: Site) -> Journal | None:
    directory = Path(site.directory)
    return Journal.open(site.journal, directory) if is_there(site.journal, directory) else None


def _words(ref: ProjectRef) -> str:
    return f"{ref.cloud}, domain {ref.domain}, project {ref.project}"
