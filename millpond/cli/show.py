"""`millpond show`: reads a saved plan out. Asks no network."""

from __future__ import annotations

from pathlib import Path

import click

from millpond.cli import options


@click.command()
@click.argument("file", metavar="PLAN.JSON", type=click.Path(path_type=Path))
@options.as_format
def show(file: Path, form: str) -> None:
    """Show a saved plan."""
    from millpond.cli.say import say
    from millpond.reporting.amounts import moment
    from millpond.reporting.plan_text import plan_text
    from millpond.reporting.planfile import plan_document_text, read_planfile

    document = read_planfile(file)
    if form == "json":
        click.echo(plan_document_text(document), nl=False)
        return
    say(plan_text(document.plan))
    commit = f" of commit {document.git_sha[:12]}{' and what was not committed' if document.dirty else ''}" if document.git_sha else ""
    say(f"Made at {moment(document.plan.made_at)}{commit}; expires at {moment(document.expires)}.")
