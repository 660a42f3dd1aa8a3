"""`millpond plan`: shows what is missing. Changes nothing, takes no lease."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from millpond.cli import options
from millpond.errors import ExitCode

if TYPE_CHECKING:
    from millpond.cli.forms import Forms
    from millpond.model.plan import Plan


@click.command()
@options.tenants
@options.wave
@options.detailed_exitcode
@options.in_forms("json", "markdown", "gitlab")
@click.option("-o", "--out", metavar="FILE", type=click.Path(path_type=Path), help="Save the plan, to be reviewed and given to apply.")
@click.pass_obj
def plan(directory: Path, tenants: tuple[str, ...], wave: str, detailed_exitcode: bool, forms: Forms, out: Path | None) -> ExitCode:
    """Show what apply would do, and why.

    With --detailed-exitcode: 0 no changes, 1 error, 2 changes, 3 held by a blocker, whether or not there are changes. Without it a plan
    that could be made ends with 0.
    """
    from millpond.cli.documents import load_each, plan_document
    from millpond.cli.errors_in_forms import errors_told
    from millpond.cli.plan_forms import plan_forms
    from millpond.cli.say import say
    from millpond.reporting.files import expect_directory
    from millpond.reporting.plan_text import plan_text
    from millpond.reporting.planfile import write_planfile
    from millpond.reporting.saved_text import saved_lines
    from millpond.runs.plan import make_plan

    if out:
        expect_directory(out)
    forms.expect()
    with errors_told(forms, "Plan", directory):
        site, desired, refused = load_each(directory, tenants, wave)
        made = make_plan(site, desired, wave, all_tenants=not tenants, refused=refused)
    document = plan_document(site, desired, made, wave)
    if out:
        write_planfile(out, document)
    forms.give(plan_forms(document, forms.host))
    if forms.printed == "text":
        say(plan_text(made, wave))
    if out and forms.printed == "text":
        say("\n" + "\n".join(saved_lines(document, str(out))))
    return _code(made, detailed_exitcode)


def _code(made: Plan, detailed: bool) -> ExitCode:
    """What blockers hold is held for apply too: both say so by the same code."""
    from millpond.reporting.summary import all_changes, blockers

    if made.errors:
        return ExitCode.ERROR
    if not detailed:
        return ExitCode.DONE
    if blockers(made):
        return ExitCode.HELD
    return ExitCode.CHANGES if all_changes(made) else ExitCode.DONE
