"""`millpond status`: where every wave stands. Changes nothing, takes no lease."""

from __future__ import annotations

from pathlib import Path

import click

from millpond.cli import options
from millpond.errors import ExitCode


@click.command()
@options.tenants
@options.as_format
@click.pass_obj
def status(directory: Path, tenants: tuple[str, ...], form: str) -> ExitCode:
    """Show where every wave stands, and who is at work."""
    from millpond.cli.at_work import at_work
    from millpond.cli.documents import load_each
    from millpond.cli.say import say
    from millpond.reporting.no_tenants import no_tenants
    from millpond.reporting.plan_json import status_document
    from millpond.reporting.status_text import status_text
    from millpond.runs.plan import make_plan

    site, desired, refused = load_each(directory, tenants)
    before = at_work(site)
    made = make_plan(site, desired, refused=refused)
    busy = {**before, **at_work(site)}  # who ended meanwhile was at work on what was seen
    if form == "json":
        click.echo(status_document(made, busy))
    else:
        say("\n".join(no_tenants(made)) or status_text(made, busy))
    return ExitCode.ERROR if made.errors else ExitCode.DONE
