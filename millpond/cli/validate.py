"""`millpond validate`: are the documents right. Asks no network."""

from __future__ import annotations

from pathlib import Path

import click

from millpond.cli import options


@click.command()
@options.tenants
@click.pass_obj
def validate(directory: Path, tenants: tuple[str, ...]) -> None:
    """Check all documents, without a network. All problems are told at once."""
    from millpond.reporting.amounts import counted
    from millpond.schemas import load_all

    _, desired = load_all(directory, tenants)
    servers = sum(len(wave.servers) for tenant in desired for wave in tenant.waves)
    click.echo(f"Valid: {counted(len(desired), 'tenant')}, {counted(servers, 'server')}.")
