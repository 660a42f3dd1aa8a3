"""`millpond validate`: are the documents right. Asks no network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millpond.cli import options

if TYPE_CHECKING:
    from millpond.model.desired import Desired
    from millpond.model.site import Site


@click.command()
@options.tenants
@click.pass_obj
def validate(directory: Path, tenants: tuple[str, ...]) -> None:
    """Check all documents, without a network. All problems are told at once.

    Where this machine knows clouds of the site (clouds.yaml, OS_*), the ones that manifests name must be among them.
    Passwords of arrays that are not here are named; they are no problem of the documents.
    """
    from millpond.reporting.amounts import counted
    from millpond.schemas import load_all

    site, desired = load_all(directory, tenants)
    servers = sum(len(wave.servers) for tenant in desired for wave in tenant.waves)
    unchecked = _check_clouds(directory, desired)
    click.echo(f"Valid: {counted(len(desired), 'tenant')}, {counted(servers, 'server')}.")
    for line in (*([unchecked] if unchecked else []), *_without_password(site)):
        click.echo(line)


def _without_password(site: Site) -> Iterator[str]:
    """Arrays that could not be logged in to from here: that is no mistake where validate runs without secrets."""
    for array in site.arrays:
        if array.password_env and not os.environ.get(array.password_env):
            yield f"Not checked: array {array.name} has no password here, the environment variable {array.password_env} is not set."
        elif array.password_file and not (path := Path(site.directory) / array.password_file).is_file():
            yield f"Not checked: array {array.name} has no password here, there is no file {path}."


def _check_clouds(directory: Path, tenants: Sequence[Desired]) -> str:
    """What could not be checked. InvalidDocument where a manifest names a cloud that is not among those of its site."""
    from millpond.cli.documents import expect_two_clouds
    from millpond.providers.open import configured_clouds
    from millpond.schemas.document import refuse
    from millpond.schemas.places import unknown_clouds

    named = sorted({ref.cloud for desired in tenants for ref in (desired.manifest.source, desired.manifest.target)})
    known = configured_clouds() if named else ()
    if not {*named} & {*known}:
        return f"Not checked: no clouds.yaml of this machine has {' or '.join(named)}." if named else ""
    refuse(unknown_clouds(directory, tenants, known))
    expect_two_clouds(directory, tenants)
    return ""
