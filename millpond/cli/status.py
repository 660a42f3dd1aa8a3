"""`millpond status`: where every wave stands. Changes nothing, takes no lease."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from millpond.cli import options
from millpond.errors import ExitCode

if TYPE_CHECKING:
    from millpond.model.site import Site


@click.command()
@options.tenants
@options.as_format
@click.pass_obj
def status(directory: Path, tenants: tuple[str, ...], form: str) -> ExitCode:
    """Show where every wave stands, and who is at work."""
    from millpond.cli.documents import load_each
    from millpond.cli.say import say
    from millpond.reporting.plan_json import status_document
    from millpond.reporting.status_text import status_text
    from millpond.runs.plan import make_plan

    site, desired, refused = load_each(directory, tenants)
    made = make_plan(site, desired, refused=refused)
    at_work = _at_work(site)
    if form == "json":
        click.echo(status_document(made, at_work))
    else:
        say(status_text(made, at_work))
    return ExitCode.ERROR if made.errors else ExitCode.DONE


def _at_work(site: Site) -> dict[str, str]:
    """tenant → who works on it now, in words."""
    from millpond.execution.lease import holders
    from millpond.execution.store import is_there, open_store
    from millpond.reporting.amounts import moment

    directory = Path(site.directory)
    if not is_there(site.journal, directory):
        return {}
    return {
        tenant: f"run {held.run} of {held.who} works on it since {moment(held.since)}{' in ' + held.ci if held.ci else ''}"
        for tenant, held in holders(open_store(site.journal, directory)).items()
    }
