"""`millpond schema`: the JSON Schemas, for editors and policy tools."""

from __future__ import annotations

import click


@click.command()
@click.argument("kind", type=click.Choice(["site", "tenant", "inventory", "plan"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of document."""
    from millpond.schemas import schema_text

    click.echo(schema_text(kind), nl=False)
