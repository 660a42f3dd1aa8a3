"""`millpond report`: where a move stands, what its outages were, and which object became which. Changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from millpond.cli import options
from millpond.errors import ExitCode


@click.command()
@options.tenants
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html"]),
    help="How to write it. By default html into a FILE that is named so, else markdown.",
)
@click.option("-o", "--out", metavar="FILE", type=click.Path(path_type=Path), help="Write it there instead of printing it.")
@click.pass_obj
def report(directory: Path, tenants: tuple[str, ...], form: str | None, out: Path | None) -> ExitCode:
    """Report phases, outages, old and new ids.

    As a page it also has a picture of every cutover, findings, and what will not be the same.
    """
    from millpond.cli.documents import load, load_each
    from millpond.cli.report_data import page, reports
    from millpond.reporting.files import expect_directory, write_text
    from millpond.reporting.html.render import report_html

    if out:
        expect_directory(out)
    code = ExitCode.DONE
    if form == "html" or (form is None and out is not None and out.suffix in (".html", ".htm")):
        found = page(*load_each(directory, tenants))
        text = report_html(found)
        code = ExitCode.ERROR if found.errors else ExitCode.DONE
    else:
        site, desired = load(directory, tenants)
        text = "\n".join(reports(site, desired))
    if out:
        write_text(out, text)
        click.echo(f"Wrote {out}.")
    else:
        click.echo(text, nl=False)
    return code
