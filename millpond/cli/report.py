"""`millpond report`: outages and which object became which, as Markdown. Changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from millpond.cli import options


@click.command()
@options.tenants
@click.option("-o", "--out", metavar="FILE", type=click.Path(path_type=Path), help="Write it there instead of printing it.")
@click.pass_obj
def report(directory: Path, tenants: tuple[str, ...], out: Path | None) -> None:
    """Report outages and old and new ids, as Markdown."""
    from millpond.cli.documents import load
    from millpond.cli.report_data import reports
    from millpond.reporting.files import expect_directory, write_text

    if out:
        expect_directory(out)
    site, desired = load(directory, tenants)
    text = "\n".join(reports(site, desired))
    if out:
        write_text(out, text)
        click.echo(f"Wrote {out}.")
    else:
        click.echo(text, nl=False)
