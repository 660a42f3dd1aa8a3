"""`millpond schema`: the JSON Schemas, for editors and policy tools."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("kind", required=False, type=click.Choice(["site", "tenant", "inventory", "plan", "result", "drift"]))
@click.option("--write", is_flag=True, help="Write all of them to schemas/ of the site's directory, where editors look for them.")
@click.pass_obj
def schema(directory: Path, kind: str | None, write: bool) -> None:
    """Print the JSON Schema of a kind of document."""
    from millpond.cli.schema_files import DIRECTORY, write_schemas
    from millpond.schemas import schema_text

    if bool(kind) == write:
        raise click.UsageError("name one kind of document, or give --write for all of them")
    if kind:
        click.echo(schema_text(kind), nl=False)
        return
    changed = write_schemas(directory)
    click.echo(f"Wrote {', '.join(str(path) for path in changed)}." if changed else f"{directory / DIRECTORY} is up to date.")
