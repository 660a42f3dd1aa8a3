"""`millpond unlock`: takes the lease from a run that died."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("tenant")
@click.option("--run", metavar="ID", default="", help="The run that holds it, as status and the refusal name it.  [required]")
@click.pass_obj
def unlock(directory: Path, tenant: str, run: str) -> None:
    """End the lease of a run that is dead.

    A run that still lives can record nothing more and stops before its next change.
    """
    from millpond.cli.say import say
    from millpond.execution.lease import unlock as end
    from millpond.execution.store import open_store
    from millpond.schemas import load_site

    if not run:
        raise click.UsageError(f"name the run that died with --run ID; `millpond status {tenant}` tells which one works on it")
    site = load_site(directory)
    end(open_store(site.journal, Path(site.directory)), tenant, run)
    say(f"{tenant} is free. To go on:\n\n    millpond apply {tenant}")
