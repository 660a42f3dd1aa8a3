"""`millpond apply`: advances all that can advance."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millpond.cli import options
from millpond.errors import ExitCode

if TYPE_CHECKING:
    from millpond.cli.forms import Forms
    from millpond.model.outcome import ApplyResult


def _digest(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if text and not re.fullmatch("sha256:[0-9a-f]{64}", text):
        raise click.BadParameter(f"{text!r} is no digest: one is `sha256:` and 64 hexadecimal digits, as `millpond plan` prints it.")
    return text


@click.command()
@click.argument("arguments", nargs=-1, metavar="[PLAN.JSON] [TENANT]...")
@options.wave
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where the run advanced and work is left, see above.")
@options.in_forms("json", "markdown")
@click.option(
    "--expect-digest",
    metavar="SHA256",
    default="",
    callback=_digest,
    help="Stop unless the documents still lead where this digest says. Rollback blocks are not part of it.",
)
@click.pass_obj
def apply(directory: Path, arguments: tuple[str, ...], wave: str, detailed_exitcode: bool, forms: Forms, expect_digest: str) -> ExitCode:
    """Do what is missing, as far as it can be done now.

    With a saved plan nothing is done that is not in it. Without one, the documents say it all: run it as often as you like.
    With --detailed-exitcode: 0 all is done, 2 advanced and work remains. Always: 1 a change failed, 3 held, 4 stale plan, 5 another run is
    at work, 130 interrupted.
    """
    from millpond.cli.apply_forms import apply_forms
    from millpond.cli.documents import load_each, load_reviewed
    from millpond.cli.errors_in_forms import errors_told
    from millpond.cli.say import say
    from millpond.execution.redaction import redact, secrets_of
    from millpond.reporting.errors_text import error_text
    from millpond.reporting.no_tenants import no_tenants
    from millpond.reporting.outcome_text import outcome_text
    from millpond.reporting.planfile import read_planfile
    from millpond.reporting.progress_view import progress_on
    from millpond.runs.apply import apply_plan

    file, tenants = _split(arguments)
    forms.expect()
    with errors_told(forms, "Apply", directory):
        saved = read_planfile(file) if file else None
        if saved and not tenants:
            tenants = tuple(tenant.tenant for tenant in saved.plan.tenants)
        site, desired, refused = load_reviewed(directory, tenants, wave, saved.plan) if saved else load_each(directory, tenants, wave)
        wave = wave or (saved.wave if saved else "")
        with progress_on(sys.stdout if forms.printed == "text" else sys.stderr) as progress:
            result = apply_plan(
                site,
                desired,
                progress=progress,
                wave=wave,
                envelope=saved.plan if saved else None,
                expires=saved.expires if saved else None,
                expect_digest=expect_digest,
                refused=refused,
            )
    forms.give(apply_forms(site, result, forms.host))
    if forms.printed == "text":
        say("\n".join([] if result.errors else no_tenants(result.plan)) or "\n" + outcome_text(result, wave))
    for tenant, error in result.errors:
        say(f"\n{tenant}\n{redact(error_text(error), secrets_of(os.environ))}", err=True)
    return _code(result, detailed_exitcode)


def _split(arguments: tuple[str, ...]) -> tuple[Path | None, tuple[str, ...]]:
    """A saved plan is the argument that ends with .json."""
    files = [argument for argument in arguments if argument.endswith(".json")]
    if len(files) > 1:
        raise click.UsageError(f"one saved plan can be applied at a time, not {', '.join(files)}")
    return Path(files[0]) if files else None, tuple(argument for argument in arguments if argument not in files)


def _code(result: ApplyResult, detailed: bool) -> ExitCode:
    from millpond.model.outcome import Result

    if result.interrupted:
        return ExitCode.INTERRUPTED
    codes = {error.exit_code for _, error in result.errors}
    if len(codes) == 1:
        return codes.pop()
    if codes or any(outcome.result is Result.FAILED for outcome in result.final.values()):
        return ExitCode.ERROR
    if result.held:
        return ExitCode.HELD
    return ExitCode.CHANGES if result.remaining and result.advanced and detailed else ExitCode.DONE
