"""`millpond drift`: what changed by other hands. Changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from millpond.cli import options
from millpond.errors import ExitCode


@click.command()
@options.tenants
@options.as_format
@click.pass_obj
def drift(directory: Path, tenants: tuple[str, ...], form: str) -> ExitCode:
    """Show what changed by other hands.

    On the source: what differs from the inventory, until it is handed over. On the target: what differs from the desired state since it
    was handed over. Nothing is done about either; `millpond discover` takes what the source has now into the inventory.

    Ends with 0 if nothing changed, 2 if something did.
    """
    from millpond.cli.documents import load_each
    from millpond.cli.say import say
    from millpond.reporting.drift_text import drift_text
    from millpond.reporting.plan_json import drift_document
    from millpond.runs.plan import make_plan

    site, desired, refused = load_each(directory, tenants)
    made = make_plan(site, desired, refused=refused)
    if form == "json":
        click.echo(drift_document(made))
    else:
        say(drift_text(made))
    if made.errors:
        return ExitCode.ERROR
    return ExitCode.CHANGES if any(tenant.drift for tenant in made.tenants) else ExitCode.DONE
