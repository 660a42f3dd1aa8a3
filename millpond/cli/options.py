"""Arguments and options that several verbs share."""

from __future__ import annotations

import click

tenants = click.argument("tenants", nargs=-1, metavar="[TENANT]...")
wave = click.option("--wave", metavar="NAME", default="", help="Cut over no other wave than this one.")
detailed_exitcode = click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 or 3 where work is left or held, see above.")
as_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)
