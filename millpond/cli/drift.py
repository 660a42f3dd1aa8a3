"""`millpond drift`: what changed by other hands. Changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from millpond.cli import options
from millpond.errors import ExitCode

if TYPE_CHECKING:
    from millpond.cli.forms import Forms
    from millpond.model.plan import Plan
    from millpond.model.site import Site
    from millpond.reporting.drift_report import DriftReport

FILES = {**options.FILES, "junit": "as JUnit XML", "html": "as a page"}


@click.command()
@options.tenants
@options.in_forms("json", "markdown", "junit", "html", files=FILES)
@click.option("--metrics", metavar="FILE", type=click.Path(path_type=Path), help="Write OpenMetrics to FILE, for a node exporter.")
@click.pass_obj
def drift(directory: Path, tenants: tuple[str, ...], forms: Forms, metrics: Path | None) -> ExitCode:
    """Show what changed by other hands.

    On the source: what differs from the inventory, until it is handed over. On the target: what differs from the desired state since it
    was handed over. Nothing is done about either; `millpond discover` takes what the source has now into the inventory. How far replicas
    are behind is shown beside it: that is no drift.

    A blocker of what moves or has moved, such as both copies of a server running, is told first.

    Ends with 0 if nothing changed, 2 if something did, 3 if there is such a blocker, 1 if a tenant could not be compared.
    """
    from millpond.cli.documents import load_each
    from millpond.cli.say import say
    from millpond.reporting.drift_json import drift_document
    from millpond.reporting.drift_junit import drift_junit
    from millpond.reporting.drift_markdown import drift_markdown
    from millpond.reporting.drift_report import DriftReport
    from millpond.reporting.drift_text import drift_text
    from millpond.reporting.files import expect_directory, write_text
    from millpond.reporting.html.page import DriftPage
    from millpond.reporting.html.render import drift_html
    from millpond.reporting.metrics import metrics_text
    from millpond.runs.plan import make_plan

    forms.expect()
    if metrics:
        expect_directory(metrics)
    site, desired, refused = load_each(directory, tenants)
    report = DriftReport(make_plan(site, desired, refused=refused), site.replication.rpo)
    if forms.printed == "text":
        say(drift_text(report))
    forms.give(
        {
            "json": lambda: drift_document(report),
            "markdown": lambda: drift_markdown(report, site.name, forms.host),
            "junit": lambda: drift_junit(report),
            "html": lambda: drift_html(DriftPage(site.name, report)),
        }
    )
    if metrics:
        write_text(metrics, metrics_text(report, _outages(site, report.plan)))
    return _code(report)


def _code(report: DriftReport) -> ExitCode:
    if report.plan.errors:
        return ExitCode.ERROR
    if report.blockers:
        return ExitCode.HELD
    return ExitCode.CHANGES if report.drifted else ExitCode.DONE


def _outages(site: Site, plan: Plan) -> dict[str, float]:
    """server address → seconds of its last outage, as the journal has it."""
    from millpond.execution.journal import Journal
    from millpond.execution.outages import outages_of
    from millpond.execution.store import is_there

    directory = Path(site.directory)
    if not is_there(site.journal, directory):
        return {}
    journal = Journal.open(site.journal, directory)
    known = ((journal.entries(tenant.tenant), journal.measured(tenant.tenant)) for tenant in plan.tenants)
    return {outage.server: outage.seconds for entries, measured in known for outage in outages_of(entries, measured)}
