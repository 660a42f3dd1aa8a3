"""`millpond show`: reads a saved plan out. Asks no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from millpond.cli import options

if TYPE_CHECKING:
    from millpond.cli.forms import Forms


@click.command()
@click.argument("file", metavar="PLAN.JSON", type=click.Path(path_type=Path))
@options.in_forms("json", "markdown", "gitlab")
def show(file: Path, forms: Forms) -> None:
    """Show a saved plan."""
    from millpond.cli.plan_forms import plan_forms
    from millpond.cli.say import say
    from millpond.reporting.amounts import moment
    from millpond.reporting.plan_text import plan_text
    from millpond.reporting.planfile import read_planfile
    from millpond.reporting.saved_text import too_late

    forms.expect()
    document = read_planfile(file)
    forms.give(plan_forms(document, forms.host))
    if forms.printed != "text":
        return
    say(plan_text(document.plan, document.wave))
    commit = f" of commit {document.git_sha[:12]}{' and what was not committed' if document.dirty else ''}" if document.git_sha else ""
    say(f"Made at {moment(document.plan.made_at)}{commit}; expires at {moment(document.expires)}.")
    for line in too_late(document):
        say(line)
