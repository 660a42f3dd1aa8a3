"""`millpond validate`: are the documents right. Asks no network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millpond.cli import options
from millpond.errors import InvalidDocument, MillpondError, Problem

if TYPE_CHECKING:
    from millpond.model.site import Site


@click.command()
@options.tenants
@click.pass_obj
def validate(directory: Path, tenants: tuple[str, ...]) -> None:
    """Check all documents, without a network. All problems are told at once.

    Where this machine knows clouds of the site (clouds.yaml, OS_*), the ones that manifests name must be among them.
    Passwords of arrays that are not here are named; they are no problem of the documents.
    """
    from millpond.cli.documents import expect_two_clouds
    from millpond.cli.fabric_driver import driver_problems
    from millpond.reporting.amounts import counted
    from millpond.schemas import load_all
    from millpond.schemas.document import refuse

    problems: list[Problem] = driver_problems(directory)
    try:
        site, desired = load_all(directory, tenants)
    except InvalidDocument as error:
        problems += error.problems
    try:
        unchecked, unknown = _clouds(directory, tenants)
    except MillpondError:
        refuse(problems)
        raise
    refuse([*problems, *unknown])
    expect_two_clouds(directory, desired)
    servers = sum(len(wave.servers) for tenant in desired for wave in tenant.waves)
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


def _clouds(directory: Path, tenants: Sequence[str]) -> tuple[str, list[Problem]]:
    """What could not be checked, and where manifests name a cloud that is not among those of their site."""
    from millpond.providers.open import configured_clouds
    from millpond.schemas import tenant_names
    from millpond.schemas.places import named_clouds, unknown_clouds

    there = [name for name in tenant_names(directory) if name in tenants or not tenants]
    places = list(named_clouds(directory, there))
    named = sorted({cloud for cloud, _ in places})
    known = configured_clouds() if named else ()
    if not {*named} & {*known}:
        return f"Not checked: no clouds.yaml of this machine has {' or '.join(named)}." if named else "", []
    return "", list(unknown_clouds(places, known))
